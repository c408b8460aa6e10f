//! Which subnets and addresses are free: a function of what is in use, without a memory of its own.

mod address;
mod name_servers;
mod pool;
mod request;
mod usage;

pub use address::{first_address, is_reserved, lowest_free};
pub use name_servers::{is_stub, name_servers};
pub use pool::{OWN_LENGTH, PoolError, Sources, claim_subnet, next_subnet, overlap, ula};
pub use request::{InvalidPools, PoolRequest, is_any, read_pools};
pub use usage::{Usage, usage};
