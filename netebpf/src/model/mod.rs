//! The nouns of the desired state: what users asked for, without anything the kernel shows.

mod id;
mod name;
mod network;
mod publish;
mod sandbox;
mod spec;

pub use id::{EndpointId, IdError, NetworkId, SandboxId};
pub use name::{Name, NameError};
pub use network::{Network, Pool};
pub use publish::{PortMapping, Protocol, PublishError};
pub use sandbox::{Endpoint, Process, Sandbox, SandboxState};
pub use spec::Spec;
