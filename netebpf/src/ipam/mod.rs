//! Which subnets and addresses are free: a function of what is in use, without a memory of its own.

mod address;
mod pool;
mod request;

pub use address::{first_address, is_reserved, lowest_free};
pub use pool::{PoolError, Sources, claim_subnet, next_subnet, ula};
pub use request::{InvalidPools, PoolRequest, PoolWish, is_any, read_pools};
