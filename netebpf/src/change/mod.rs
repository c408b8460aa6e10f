//! What a user's request makes of the desired state: either all of it, or nothing and an error with Docker's text.

mod error;
mod find;
mod join;
mod network;
mod ports;
mod sandbox;
#[cfg(test)]
mod tests;

use ipnet::IpNet;

pub use error::{Error, Kind};
pub use find::{find_network, find_sandbox};
pub use join::{connect, disconnect};
pub use network::{NetworkRequest, create_network, remove_network};
pub use sandbox::{SandboxRequest, create_sandbox, mark_exited, mark_running, remove_sandbox};

/// What a change needs to know besides the spec: the outside world, as values.
pub struct Context<'a> {
    /// The present time, in seconds since the Unix epoch.
    pub now: u64,
    /// A source of random bytes, for identifiers and MACs.
    pub entropy: &'a mut dyn FnMut() -> [u8; 32],
    /// On-link routes of the host; automatically chosen subnets avoid them.
    pub host_routes: &'a [IpNet],
}

impl Context<'_> {
    fn random(&mut self) -> [u8; 32] {
        (self.entropy)()
    }
}
