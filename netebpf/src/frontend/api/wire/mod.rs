//! What is said on the socket: the Docker Engine's shapes for networks, our own for the rest.

mod docker;
mod endpoint;
mod engine;
mod network;
mod observe;
mod sandbox;

use serde::{Deserialize, Serialize};

pub use docker::{Component, Info, Platform, Plugins, Version};
pub use endpoint::{EndpointConfig, EndpointIpamConfig};
pub use engine::{Counter, Feature, Program, Status, Table};
pub use network::{
    Connect, CreateNetwork, CreatedNetwork, Disconnect, Ipam, IpamConfig, IpamStatus, Network,
    NetworkContainer, NetworkReference, NetworkStatus, Pruned, SubnetStatus,
};
pub use observe::{Drops, End, Ends, Event, Flow, Kind, Traffic};
pub use sandbox::{
    CreateSandbox, CreatedSandbox, Ended, NamedEndpoint, Port, Sandbox, SandboxEndpoint, Signal, Start,
    StartSandbox, Started, State,
};

/// The body of every error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// What is wrong.
    pub message: String,
    /// The exit code a command line should end with, where it is not 1: 127 command not found, 126 not executable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
}
