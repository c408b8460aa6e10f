//! Why a request is refused, in Docker's words.

use std::net::IpAddr;

use netebpf_common::abi::{Family, Mac};

use super::{InvalidSettings, NetworkError};
use crate::{
    ipam,
    model::{EndpointId, Name, NameError, NetworkId, OptionError, PublishError, SandboxId},
};

/// Why a request is refused; the spec is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The name is not one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What is to be published is not a port.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The network cannot be made, removed or joined.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// No network has this name or identifier.
    #[error("network {0} not found")]
    NetworkNotFound(String),
    /// Several networks have identifiers that begin like this.
    #[error("network {reference} is ambiguous ({matches} matches found based on ID prefix)")]
    NetworkAmbiguous {
        /// What was asked for.
        reference: String,
        /// How many networks fit.
        matches: usize,
    },
    /// The network's name is taken.
    #[error("network with name {0} already exists")]
    NetworkExists(Name),
    /// Nobody makes the engine's own networks.
    #[error("operation is not permitted on predefined {0} network")]
    NetworkPredefined(Name),
    /// Nobody removes them either.
    #[error("{0} is a pre-defined network and cannot be removed")]
    RemovePredefined(Name),
    /// A sandbox joins the host's namespace when it is made or never.
    #[error("cannot connect container to host network - container must be created in host network mode")]
    JoinHost,
    /// Nothing can be joined to no network.
    #[error(
        "container cannot be connected to multiple networks with one of the networks in private (none) mode"
    )]
    JoinNone,
    /// A sandbox in the host's namespace stays there.
    #[error("cannot disconnect container from host network - container was created in host network mode")]
    PartHost,
    /// A namespace that is shared is its owner's to join to networks.
    #[error(
        "container sharing network namespace with another container or host cannot be connected to any other network"
    )]
    SharedNamespace,
    /// Running sandboxes are joined to the network.
    #[error("error while removing network: network {network} has active endpoints ({})", list(.endpoints))]
    NetworkInUse {
        /// The network.
        network: Name,
        /// The endpoints on it, with the names of their sandboxes.
        endpoints: Vec<(Name, EndpointId)>,
    },
    /// The addresses make no sense.
    #[error(transparent)]
    InvalidPools(#[from] ipam::InvalidPools),
    /// A driver option cannot be had.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// No subnet or address can be had.
    #[error(transparent)]
    Pool(#[from] ipam::PoolError),
    /// The subnet has no address left.
    #[error("no available {} addresses on this network's address pools: {network} ({id})", version(*family))]
    AddressesExhausted {
        /// The IP version.
        family: Family,
        /// The network.
        network: Name,
        /// Its identifier.
        id: NetworkId,
    },
    /// The address is taken or reserved.
    #[error("Address already in use")]
    AddressInUse,
    /// The wishes for an endpoint make no sense.
    #[error(transparent)]
    InvalidSettings(#[from] InvalidSettings),
    /// Another endpoint of the network has the MAC.
    #[error("MAC address already in use on network {network}: {mac}")]
    MacInUse {
        /// The MAC.
        mac: Mac,
        /// The network.
        network: Name,
    },
    /// The sandbox has an interface of this name already.
    #[error("interface name {0:?} is already in use in the container")]
    InterfaceInUse(String),
    /// No sandbox has this name or identifier.
    #[error("No such container: {0}")]
    SandboxNotFound(String),
    /// Several sandboxes have identifiers that begin like this.
    #[error("multiple IDs found with provided prefix: {0}")]
    SandboxAmbiguous(String),
    /// The sandbox's name is taken.
    #[error(
        "Conflict. The container name \"/{name}\" is already in use by container \"{owner}\". \
         You have to remove (or rename) that container to be able to reuse that name."
    )]
    SandboxExists {
        /// The name.
        name: Name,
        /// Who has it.
        owner: SandboxId,
    },
    /// The sandbox has this name already.
    #[error("Renaming a container with the same name as its current name")]
    SameName,
    /// The sandbox cannot have the name.
    #[error("Error when allocating new name: {0}")]
    NewName(Box<Self>),
    /// A running sandbox is removed only by force.
    #[error(
        "cannot remove container \"{0}\": container is running: \
         stop the container before removing or force remove"
    )]
    SandboxRunning(String),
    /// The sandbox's command has ended, or was never started.
    #[error("container {0} is not running")]
    SandboxNotRunning(SandboxId),
    /// The sandbox's command runs, or is about to.
    #[error("container {0} is already running")]
    SandboxActive(SandboxId),
    /// It is not said whose namespace is to be shared.
    #[error("invalid network mode: invalid container format container:<name|id>")]
    UnnamedDonor,
    /// The sandbox whose namespace is to be shared is gone.
    #[error("joining network namespace of container: No such container: {0}")]
    NoDonor(String),
    /// The sandbox whose namespace is to be shared has none.
    #[error("cannot join network namespace of a non running container: container {donor} is {state}")]
    DonorNotRunning {
        /// Whose namespace it is.
        donor: Name,
        /// What has become of it.
        state: &'static str,
    },
    /// The wishes for an endpoint of a new sandbox make no sense.
    #[error("invalid config for network {network}: {source}")]
    InvalidConfig {
        /// The network.
        network: Name,
        /// What makes no sense.
        source: Box<Self>,
    },
    /// A sandbox that starts cannot have what it needs of its networks.
    #[error("failed to set up container networking: {0}")]
    Networking(Box<Self>),
    /// A sandbox that starts cannot have its host ports.
    #[error("driver failed programming external connectivity on endpoint {sandbox} ({endpoint}): {source}")]
    External {
        /// The sandbox.
        sandbox: Name,
        /// Its endpoint that the ports would lead to.
        endpoint: EndpointId,
        /// Why not.
        source: Box<Self>,
    },
    /// Wishes that make no sense together.
    #[error("conflicting options: {0}")]
    Conflicting(&'static str),
    /// There is nothing to run.
    #[error("no command specified")]
    NoCommand,
    /// The sandbox is on the network already.
    #[error("endpoint with name {sandbox} already exists in network {network}")]
    AlreadyConnected {
        /// The sandbox.
        sandbox: Name,
        /// The network.
        network: Name,
    },
    /// The sandbox is not on the network.
    #[error("container {sandbox} is not connected to network {network}")]
    NotConnected {
        /// The sandbox.
        sandbox: SandboxId,
        /// The network; it may be gone.
        network: String,
    },
    /// The sandbox, which is not active, does not remember the network, or the network is gone.
    #[error("container {sandbox} is not connected to the network {network}")]
    NotNoted {
        /// The sandbox.
        sandbox: SandboxId,
        /// The network.
        network: String,
    },
    /// Nothing is left on a network of a sandbox that is gone.
    #[error("endpoint {0} not found")]
    EndpointNotFound(String),
    /// An address that is none of a link's.
    #[error("invalid link local IP address: {0}")]
    LinkLocal(IpAddr),
    /// A link-local address on a network whose interfaces have IPv6 switched off.
    #[error("invalid link local IP address: {address}, network {network} has no IPv6")]
    NoIpv6 {
        /// The address.
        address: IpAddr,
        /// The network.
        network: Name,
    },
    /// Another sandbox has the port.
    #[error("Bind for {address}:{port} failed: port is already allocated")]
    PortAllocated {
        /// The host address for which it is taken.
        address: IpAddr,
        /// Host port.
        port: u16,
    },
    /// Every port of the range to choose from is taken.
    #[error("all ports are allocated")]
    PortsExhausted,
    /// There is no such sandbox to link to.
    #[error("could not get container for {reference}: {source}")]
    LinkTarget {
        /// What was asked for.
        reference: String,
        /// Why it was not found.
        source: Box<Self>,
    },
    /// A sandbox without addresses cannot be linked to.
    #[error("Cannot link to a non running container: /{target} AS /{name}/{alias}")]
    LinkNotRunning {
        /// The sandbox to link to.
        target: Name,
        /// The sandbox that links.
        name: Name,
        /// What it would call it.
        alias: String,
    },
}

/// What kind of refusal it is; a frontend makes its status code of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing.
    NotFound,
    /// It contradicts what is there.
    Conflict,
    /// It would break something.
    Forbidden,
    /// It makes no sense.
    InvalidParameter,
    /// Docker counts it among its own faults.
    Internal,
}

impl Error {
    /// What kind of refusal this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::InvalidConfig { source, .. } | Self::Networking(source) => source.kind(),
            Self::NetworkNotFound(_)
            | Self::SandboxNotFound(_)
            | Self::EndpointNotFound(_)
            | Self::LinkTarget { .. } => Kind::NotFound,
            Self::NetworkExists(_)
            | Self::SandboxExists { .. }
            | Self::NewName(_)
            | Self::SandboxRunning(_)
            | Self::SandboxNotRunning(_)
            | Self::SandboxActive(_)
            | Self::DonorNotRunning { .. }
            | Self::InterfaceInUse(_)
            | Self::MacInUse { .. }
            | Self::LinkNotRunning { .. } => Kind::Conflict,
            Self::NetworkInUse { .. }
            | Self::NetworkPredefined(_)
            | Self::RemovePredefined(_)
            | Self::AlreadyConnected { .. }
            | Self::AddressInUse
            | Self::Pool(ipam::PoolError::Overlaps) => Kind::Forbidden,
            Self::Network(error) => error.kind(),
            Self::AddressesExhausted { .. }
            | Self::PortsExhausted
            | Self::PortAllocated { .. }
            | Self::External { .. }
            | Self::NotConnected { .. }
            | Self::NotNoted { .. }
            | Self::NoDonor(_) => Kind::Internal,
            Self::Name(_)
            | Self::Publish(_)
            | Self::NetworkAmbiguous { .. }
            | Self::SandboxAmbiguous(_)
            | Self::InvalidPools(_)
            | Self::Option(_)
            | Self::Pool(ipam::PoolError::Exhausted | ipam::PoolError::Length)
            | Self::InvalidSettings(_)
            | Self::SameName
            | Self::JoinHost
            | Self::JoinNone
            | Self::PartHost
            | Self::SharedNamespace
            | Self::UnnamedDonor
            | Self::Conflicting(_)
            | Self::LinkLocal(_)
            | Self::NoIpv6 { .. }
            | Self::NoCommand => Kind::InvalidParameter,
        }
    }
}

const fn version(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

fn list(endpoints: &[(Name, EndpointId)]) -> String {
    let entries = endpoints.iter().map(|(name, id)| format!("name:\"{name}\" id:\"{}\"", id.short()));
    entries.collect::<Vec<_>>().join(", ")
}
