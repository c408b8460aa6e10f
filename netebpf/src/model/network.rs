//! A network: a set of endpoints that reach each other.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use netebpf_common::abi::{Family, Mac};

use super::{BridgeOptions, Driver, FAMILIES, GatewayMode, Name, NetworkId, Pool, PoolWish, local_mac};

/// A network as the user asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Identifier.
    pub id: NetworkId,
    /// Name, unique among networks.
    pub name: Name,
    /// What makes it work.
    pub driver: Driver,
    /// When it was created, in nanoseconds since the Unix epoch.
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
    /// Options of the address management (`--ipam-opt`), for `inspect`; `None` if the client said nothing.
    pub ipam_options: Option<BTreeMap<String, String>>,
    /// User labels.
    pub labels: BTreeMap<String, String>,
    /// What it is there for if it is only a configuration for others (`--config-only`).
    pub template: Option<Template>,
    /// The configuration that it was made from (`--config-from`).
    pub config_from: Option<Name>,
}

/// What networks made from a configuration get, besides its options and labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Whether they have IPv4 addresses.
    pub ipv4: bool,
    /// Whether they have IPv6 addresses.
    pub ipv6: bool,
    /// Where their addresses come from.
    pub pools: Vec<PoolWish>,
}

impl Network {
    /// Whether there is a bridge device for it.
    #[must_use]
    pub const fn has_bridge(&self) -> bool {
        matches!(self.driver, Driver::Bridge)
    }

    /// Whether sandboxes on it know each other by name.
    #[must_use]
    pub const fn has_names(&self) -> bool {
        self.has_bridge() && !self.bridge.is_default
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

    /// Whether it is to have addresses of an IP version; networks whose addresses are not its own count as IPv4.
    #[must_use]
    pub fn has(&self, family: Family) -> bool {
        match (&self.template, family) {
            (Some(template), Family::V4) => template.ipv4,
            (Some(template), Family::V6) => template.ipv6,
            (None, _) if self.driver.has_addresses() => self.pool(family).is_some(),
            (None, family) => family == Family::V4,
        }
    }

    /// The bridge's address of an IP version: the gateway, unless the host keeps out of the network.
    #[must_use]
    pub fn host_address(&self, family: Family) -> Option<IpNet> {
        let is_absent = self.bridge.mode(family) == GatewayMode::Isolated
            || family == Family::V4 && self.bridge.inhibits_ipv4;
        let pool = self.pool(family).filter(|_| !is_absent)?;
        Some(pool.with_prefix(pool.gateway?))
    }

    /// The addresses of the bridge.
    pub fn host_addresses(&self) -> impl Iterator<Item = IpNet> {
        FAMILIES.into_iter().filter_map(|family| self.host_address(family))
    }

    /// The address that leads out of the network by an IP version; none if the network is internal, or if its addresses
    /// never leave it (RFC 4291, 2.5.6).
    #[must_use]
    pub fn way_out(&self, family: Family) -> Option<IpAddr> {
        let pool = self.pool(family).filter(|pool| !self.internal && !pool.is_link_local_v6())?;
        pool.chosen_gateway().or(pool.gateway)
    }

    /// Whether the bridge itself speaks IPv6.
    #[must_use]
    pub fn has_ipv6_gateway(&self) -> bool {
        self.host_address(Family::V6).is_some()
    }
}
