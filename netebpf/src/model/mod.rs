//! The nouns of the desired state: what users asked for, without anything the kernel shows.

#[cfg(test)]
pub(crate) mod arbitrary;
mod bridge;
mod default_bridge;
mod default_pool;
mod dns;
mod driver;
mod extra_host;
mod family;
mod flow_timeout;
mod hostname;
mod id;
mod link;
mod mac;
mod name;
mod network;
mod options;
mod pool;
mod port;
mod publish;
mod publish_request;
mod sandbox;
mod signal;
mod spec;

pub use bridge::{Announcements, BridgeOptions, GatewayMode, OptionError};
pub use default_bridge::{AddressChoice, DefaultBridge};
pub use default_pool::{DefaultPool, DefaultPoolError};
pub use dns::{DnsError, DnsServer, SearchDomain};
pub use driver::{Driver, DriverError, IpamDriver, Scope};
pub use extra_host::{ExtraHost, ExtraHostError, ExtraTarget};
pub use family::{FAMILIES, family_of};
pub use flow_timeout::{FlowTimeout, TimeoutError};
pub use hostname::{Domainname, Hostname, HostnameError};
pub use id::{EndpointId, IdError, NetworkId, SandboxId};
pub use link::{LinkError, LinkRequest, SandboxLink};
pub use mac::{local_mac, mac_of};
pub use name::{Name, NameError};
pub use network::{Network, Template};
pub use options::{EngineOptions, ResolverDefaults};
pub use pool::{Pool, PoolWish};
pub use port::{ExposeError, ExposedPorts, PortRange, Protocol, ProtocolError};
pub use publish::PortMapping;
pub use publish_request::{PublishError, PublishRequest};
pub use sandbox::{Endpoint, Process, Sandbox, SandboxState};
pub use signal::{Signal, SignalError};
pub use spec::Spec;
