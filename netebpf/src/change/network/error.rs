//! Why a network cannot be made, removed or joined, in Docker's words.

use std::net::IpAddr;

use ipnet::IpNet;
use netebpf_common::abi::Family;

use crate::{
    change::Kind,
    model::{Driver, Name, NetworkId},
};

/// Why a network cannot be made, removed or joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// There is one network of this driver, and it is the engine's.
    #[error("only one instance of \"{0}\" network is allowed")]
    OneInstance(Driver),
    /// Another network has the bridge device, or addresses of the subnet.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// The name of the bridge is that of a link of another kind.
    #[error("existing interface {0} is not a bridge")]
    NotABridge(String),
    /// Routing meshes span several engines.
    #[error("Ingress network can only be global scope network")]
    Ingress,
    /// So do networks of swarms.
    #[error("cannot create a swarm scoped network when swarm is not active")]
    NoSwarm,
    /// A network without addresses.
    #[error("IPv4 or IPv6 must be enabled")]
    NoFamily,
    /// The address management that was asked for has no addresses.
    #[error("{} pool is empty", version(*.0))]
    EmptyPool(Family),
    /// It does not take subnets either.
    #[error("null ipam driver does not handle specific address pool requests")]
    PoolWithoutManagement,
    /// A bridge has one subnet of each IP version.
    #[error("bridge driver doesn't support multiple subnets")]
    SeveralSubnets,
    /// A part of a subnet that is still to be chosen.
    #[error(
        "failed to parse pool request for address space \"LocalDefault\" pool \"\" subpool \"{0}\": invalid address subpool"
    )]
    RangeOfAny(IpNet),
    /// A gateway without a subnet.
    #[error("no matching subnet for gateway {0}")]
    GatewayWithoutSubnet(String),
    /// The gateway is the subnet's network or broadcast address.
    #[error("failed to allocate gateway ({0}): Address already in use")]
    GatewayReserved(IpAddr),
    /// The subnet that was chosen does not have the gateway.
    #[error("failed to allocate gateway ({0}): requested address is out of range")]
    GatewayOutside(IpAddr),
    /// The subnet has no address to give.
    #[error("failed to allocate gateway (): no available addresses on this pool")]
    NoGateway,
    /// Nothing leads out of an internal network.
    #[error("no gateway can be set on an internal bridge network")]
    InternalGateway,
    /// An address that is kept for a name is the host's already, or nobody's.
    #[error("failed to allocate secondary ip address ({name}:{address}): Address already in use")]
    AuxiliaryInUse {
        /// The name.
        name: String,
        /// The address.
        address: IpAddr,
    },
    /// The subnet that was chosen does not have an address that is to be kept.
    #[error("auxiliary address: ({name}:{address}) must belong to the master pool: {subnet}")]
    AuxiliaryOutside {
        /// The name.
        name: String,
        /// The address.
        address: IpAddr,
        /// The subnet.
        subnet: IpNet,
    },
    /// Every link has addresses of `fe80::/64`; a subnet is that one or none of it.
    #[error("'{0}' clashes with the Link-Local prefix 'fe80::/64'")]
    LinkLocal(IpNet),
    /// Groups are no hosts.
    #[error("multicast subnet '{0}' is not allowed")]
    Multicast(IpNet),
    /// A configuration is more than one.
    #[error(
        "configuration network can only contain network specific fields. Network operator fields like \
         [ ingress | internal | attachable | scope ] are not supported."
    )]
    OperatorFields,
    /// A configuration from a configuration.
    #[error("a configuration network cannot depend on another configuration network")]
    NestedConfiguration,
    /// A network is configured by its configuration or by its user.
    #[error(
        "user-specified configurations are not supported if the network depends on a configuration network"
    )]
    ConfiguredTwice,
    /// The same for the options of its driver.
    #[error("network driver options are not supported if the network depends on a configuration network")]
    OptionsTwice,
    /// No configuration has this name.
    #[error("configuration network {0:?} does not exist")]
    NoConfiguration(String),
    /// Networks were made from the configuration.
    #[error("error while removing network: configuration network \"{0}\" is in use")]
    ConfigurationInUse(Name),
    /// Nobody joins a configuration.
    #[error("cannot create endpoint on configuration-only network")]
    JoinConfiguration,
}

/// Two networks that cannot be there at the same time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot create network {network} ({device}): conflicts with network {other} ({other_device}): networks have {what}"
)]
pub struct Conflict {
    /// The new network.
    pub network: NetworkId,
    /// Its device.
    pub device: String,
    /// The network that is in its way.
    pub other: NetworkId,
    /// The device of that.
    pub other_device: String,
    /// What they have in common.
    pub what: Shared,
}

/// What two networks have in common that they must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// The bridge device.
    Device,
    /// Addresses of an IP version.
    Addresses(Family),
}

impl NetworkError {
    /// What kind of refusal this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::NoConfiguration(_) => Kind::NotFound,
            Self::RangeOfAny(_)
            | Self::GatewayReserved(_)
            | Self::GatewayOutside(_)
            | Self::NoGateway
            | Self::AuxiliaryInUse { .. } => Kind::Internal,
            Self::OneInstance(_)
            | Self::Conflict(_)
            | Self::Ingress
            | Self::NoSwarm
            | Self::SeveralSubnets
            | Self::AuxiliaryOutside { .. }
            | Self::OperatorFields
            | Self::NestedConfiguration
            | Self::ConfiguredTwice
            | Self::OptionsTwice
            | Self::ConfigurationInUse(_)
            | Self::JoinConfiguration => Kind::Forbidden,
            Self::NotABridge(_)
            | Self::NoFamily
            | Self::EmptyPool(_)
            | Self::PoolWithoutManagement
            | Self::GatewayWithoutSubnet(_)
            | Self::InternalGateway
            | Self::LinkLocal(_)
            | Self::Multicast(_) => Kind::InvalidParameter,
        }
    }
}

impl std::fmt::Display for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Device => "same bridge name",
            Self::Addresses(Family::V4) => "overlapping IPv4",
            Self::Addresses(Family::V6) => "overlapping IPv6",
        })
    }
}

const fn version(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}
