//! What is said on the socket: the Docker Engine's shapes for networks and containers, our own for the rest.

mod container;
mod container_list;
mod docker;
mod endpoint;
mod engine;
mod engine_event;
mod names;
mod network;
mod observe;
mod sandbox;

use serde::{Deserialize, Serialize};

pub use container::{
    Container, ContainerConfig, ContainerState, ContainersPruned, DefaultEndpoint, Empty, HostConfig,
    NetworkSettings, PortBinding, Processes, RestartPolicy, Waited,
};
pub use container_list::{ContainerPort, ContainerSummary, SummaryHostConfig, SummaryNetworkSettings};
pub use docker::{Component, Info, Platform, Plugins, Swarm, Version};
pub use endpoint::{EndpointConfig, EndpointIpamConfig, EndpointSettings};
pub use engine::{Counter, Feature, Program, Status, Table};
pub use engine_event::{Actor, EngineEvent};
pub use names::{Queries, Resolution, Source};
pub use network::{
    Connect, CreateNetwork, CreatedNetwork, Disconnect, Ipam, IpamConfig, IpamStatus, Network,
    NetworkContainer, NetworkReference, NetworkStatus, Pruned, SubnetStatus,
};
pub use observe::{Drops, End, Ends, Event, Flow, Kind, Traffic};
pub use sandbox::{
    CreateSandbox, CreatedSandbox, Ended, Launch, NamedEndpoint, Port, Start, StartSandbox, Started, View,
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
