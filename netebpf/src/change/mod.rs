//! What a user's request makes of the desired state: either all of it, or nothing and an error with Docker's text.

mod default_bridge;
mod endpoint;
mod error;
mod find;
mod happening;
mod join;
mod life;
mod network;
mod ports;
mod predefined;
mod rename;
mod sandbox;
#[cfg(test)]
mod tests;

use netebpf_common::abi::PublishKey;

use crate::ipam::Sources;

pub use endpoint::InvalidSettings;
pub use error::{Error, Kind};
pub use find::{find_network, find_sandbox};
pub use happening::{Happening, NetworkAction, SandboxAction, between};
pub use join::{connect, disconnect};
pub use life::{mark_exited, mark_running, start_sandbox};
pub use network::{
    NetworkError, NetworkRequest, PruneChoice, create_network, is_dangling, is_labelled, prune_networks,
    remove_network,
};
pub use predefined::{DEFAULT_NETWORK, Postponed, ensure_predefined, is_predefined};
pub use rename::rename_sandbox;
pub use sandbox::{
    AttachRequest, ModeRequest, SandboxRequest, create_sandbox, prune_sandboxes, remove_sandbox,
};

/// What a change needs to know besides the spec: the outside world, as values.
pub struct Context<'a> {
    /// The present time, in nanoseconds since the Unix epoch.
    pub now: u64,
    /// A source of random bytes, for identifiers and MACs.
    pub entropy: &'a mut dyn FnMut() -> [u8; 32],
    /// The host.
    pub host: &'a HostView<'a>,
}

/// What of the host matters for choices that the user leaves to the engine.
pub struct HostView<'a> {
    /// Where subnets come from that nobody names.
    pub subnets: Sources<'a>,
    /// Whether a link of this name is there that is no bridge.
    pub is_other_link: &'a dyn Fn(&str) -> bool,
    /// Whether IPv6 sockets can be used.
    pub has_ipv6: bool,
    /// Whether no program has a port; asked only before one is chosen automatically.
    pub is_free: &'a dyn Fn(PublishKey) -> bool,
}

impl Context<'_> {
    fn random(&mut self) -> [u8; 32] {
        (self.entropy)()
    }
}
