//! What holds for the whole engine, as the daemon was started; it is not stored.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    net::IpAddr,
};

use netebpf_common::abi::Timeouts;

use super::{DefaultBridge, DefaultPool, Driver, FlowTimeout};

/// How the daemon was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Whether sandboxes may be reached at their own addresses, at published ports (Docker's `allow-direct-routing`).
    pub direct_routing: bool,
    /// Idle times after which flows are forgotten.
    pub timeouts: Timeouts,
    /// Where subnets come from that nobody names (Docker's `default-address-pools`).
    pub default_pools: Vec<DefaultPool>,
    /// The network that sandboxes join when nobody says which; `None` if there is to be none.
    pub default_bridge: Option<DefaultBridge>,
    /// Options of new networks of a driver, by name, where the user gives none (Docker's `default-network-opts`).
    pub network_options: BTreeMap<Driver, BTreeMap<String, String>>,
    /// What sandboxes resolve names with unless they say it themselves.
    pub resolver: ResolverDefaults,
    /// What `host-gateway` stands for, at most one address for each IP version; empty for the gateways of the default
    /// network (Docker's `host-gateway-ips`).
    pub host_gateways: Vec<IpAddr>,
}

/// What sandboxes resolve names with; what is empty comes from the host's resolv.conf.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResolverDefaults {
    /// Name servers (Docker's `dns`).
    pub servers: Vec<IpAddr>,
    /// Domains to search (`dns-search`); a dot alone stands for none.
    pub search: Vec<String>,
    /// Options of the resolver (`dns-opts`), as resolv.conf(5) has them.
    pub options: Vec<String>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            direct_routing: false,
            timeouts: Timeouts::default(),
            default_pools: DefaultPool::dockers(),
            default_bridge: None,
            network_options: BTreeMap::new(),
            resolver: ResolverDefaults::default(),
            host_gateways: Vec::new(),
        }
    }
}

impl EngineOptions {
    /// Changes one idle time.
    pub fn set_timeout(&mut self, timeout: FlowTimeout) {
        timeout.set(&mut self.timeouts);
    }

    /// Adds the options of new networks of a driver to what a user gave.
    pub fn complete(&self, driver: Driver, options: &mut BTreeMap<String, String>) {
        for (option, value) in self.network_options.get(&driver).into_iter().flatten() {
            if let Entry::Vacant(vacant) = options.entry(option.clone()) {
                vacant.insert(value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_new_networks_give_way_to_the_users() {
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<_, _> {
            pairs.iter().map(|(option, value)| ((*option).to_owned(), (*value).to_owned())).collect()
        };
        let network_options = BTreeMap::from([(Driver::Bridge, of(&[("mtu", "1400"), ("icc", "false")]))]);
        let engine = EngineOptions { network_options, ..EngineOptions::default() };
        let mut options = of(&[("mtu", "9000")]);
        engine.complete(Driver::Bridge, &mut options);
        assert_eq!(options, of(&[("mtu", "9000"), ("icc", "false")]));
        let mut options = BTreeMap::new();
        engine.complete(Driver::Host, &mut options);
        assert_eq!(options, of(&[]));
    }
}
