//! A network: a set of endpoints that reach each other.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use netebpf_common::abi::{Family, Mac};

use super::{BridgeOptions, Driver, Name, NetworkId, family_of, local_mac};

/// A network as the user asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Identifier.
    pub id: NetworkId,
    /// Name, unique among networks.
    pub name: Name,
    /// What makes it work.
    pub driver: Driver,
    /// When it was created, in seconds since the Unix epoch.
    pub created: u64,
    /// Address pools, at most one for each IP version; at least one if the driver has addresses.
    pub pools: Vec<Pool>,
    /// Whether nothing leaves the network (`--internal`).
    pub internal: bool,
    /// Whether it was created with `--attachable`, which means something to swarms only.
    pub attachable: bool,
    /// The options as given with `-o`, for `inspect`.
    pub options: BTreeMap<String, String>,
    /// What they say.
    pub bridge: BridgeOptions,
    /// Options of the address management (`--ipam-opt`), for `inspect`.
    pub ipam_options: BTreeMap<String, String>,
    /// User labels.
    pub labels: BTreeMap<String, String>,
}

/// A network's addresses of one IP version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The subnet, with host bits cleared.
    pub subnet: IpNet,
    /// The part of the subnet that addresses are chosen from; `None` for all of it.
    pub ip_range: Option<IpNet>,
    /// The bridge's address in it; none in gateway mode `isolated`.
    pub gateway: Option<IpAddr>,
    /// Addresses that no endpoint gets, by name (`--aux-address`).
    pub auxiliary: BTreeMap<String, IpAddr>,
}

impl Network {
    /// Whether there is a bridge device for it.
    #[must_use]
    pub const fn has_bridge(&self) -> bool {
        matches!(self.driver, Driver::Bridge)
    }

    /// The name of the network's bridge device: the user's, or as Docker makes it.
    #[must_use]
    pub fn bridge_name(&self) -> String {
        self.bridge.device.clone().unwrap_or_else(|| format!("br-{}", self.id.short()))
    }

    /// The MAC of the network's bridge device.
    #[must_use]
    pub fn bridge_mac(&self) -> Mac {
        local_mac(self.id.as_bytes())
    }

    /// The network's addresses of an IP version.
    #[must_use]
    pub fn pool(&self, family: Family) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.family() == family)
    }

    /// The address that leads out of the network by an IP version; none if the network is internal.
    #[must_use]
    pub fn way_out(&self, family: Family) -> Option<IpAddr> {
        self.pool(family)?.gateway.filter(|_| !self.internal)
    }

    /// Whether the bridge itself speaks IPv6.
    #[must_use]
    pub fn has_ipv6_gateway(&self) -> bool {
        self.pool(Family::V6).is_some_and(|pool| pool.gateway.is_some())
    }
}

impl Pool {
    /// A pool that is all of a subnet.
    #[must_use]
    pub const fn new(subnet: IpNet, gateway: Option<IpAddr>) -> Self {
        Self { subnet, ip_range: None, gateway, auxiliary: BTreeMap::new() }
    }

    /// Whether an address is nobody's to have but the host's or whoever it is kept for.
    #[must_use]
    pub fn is_kept(&self, address: IpAddr) -> bool {
        self.gateway == Some(address) || self.auxiliary.values().any(|kept| *kept == address)
    }

    /// The IP version of the addresses.
    #[must_use]
    pub fn family(&self) -> Family {
        family_of(self.subnet.addr())
    }

    /// An address with the length of the subnet's prefix, as a link carries it.
    #[must_use]
    pub fn with_prefix(&self, address: IpAddr) -> IpNet {
        IpNet::new(address, self.subnet.prefix_len()).unwrap_or_else(|_| address.into())
    }
}
