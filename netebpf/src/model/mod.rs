//! The nouns of the desired state: what users asked for, without anything the kernel shows.

#[cfg(test)]
pub(crate) mod arbitrary;
mod id;
mod mac;
mod name;
mod network;
mod publish;
mod sandbox;
mod spec;

pub use id::{EndpointId, IdError, NetworkId, SandboxId};
pub use mac::local_mac;
pub use name::{Name, NameError};
pub use network::{Network, Pool};
pub use publish::{PortMapping, Protocol, PublishError, PublishRequest};
pub use sandbox::{Endpoint, Process, Sandbox, SandboxState};
pub use spec::Spec;
