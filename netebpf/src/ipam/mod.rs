//! Which subnets and addresses are free: a function of what is in use, without a memory of its own.

mod address;
mod pool;

pub use address::{first_address, is_reserved, lowest_free};
pub use pool::{PoolError, claim_subnet, next_subnet, next_subnet_v6, ula};
