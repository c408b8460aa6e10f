//! `NETWORKS` and `TRUSTED`: what new flows of a network are decided by.

use std::collections::{BTreeMap, BTreeSet};

use netebpf_common::abi::{Address, LinkKey, Network, TrustKey};

use super::Links;
use crate::{
    kernel::Observed,
    model::{self, Spec},
};

/// Every network whose bridge is there, for each IP version that it has.
pub(super) fn networks(spec: &Spec, links: &Links<'_>) -> BTreeMap<LinkKey, Network> {
    let present = present(spec, links);
    let entries = present.flat_map(|(bridge, network)| {
        network.pools.iter().map(move |pool| {
            let family = pool.family();
            let snat = network.bridge.source(family).map_or(Address::unspecified(family), Address::from);
            (LinkKey::new(bridge, family), Network { snat })
        })
    });
    entries.collect()
}

/// The devices that are there of those that networks trust; an internal network trusts none.
pub(super) fn trusted(spec: &Spec, observed: &Observed, links: &Links<'_>) -> BTreeSet<TrustKey> {
    let mut keys = BTreeSet::new();
    let trusting =
        |network: &model::Network| !network.internal && !network.bridge.trusted_interfaces.is_empty();
    for (bridge, network) in present(spec, links).filter(|(_, network)| trusting(network)) {
        let is_trusted = |name: &String| network.bridge.trusted_interfaces.contains(name);
        let devices = observed.links.iter().filter(|(_, link)| is_trusted(&link.name));
        keys.extend(devices.map(|(&ingress, _)| TrustKey { bridge, ingress }));
    }
    keys
}

fn present<'a>(spec: &'a Spec, links: &'a Links<'_>) -> impl Iterator<Item = (u32, &'a model::Network)> {
    let networks = spec.networks.values();
    networks.filter_map(|network| Some((links.bridges.get(&network.id)?.ifindex, network)))
}
