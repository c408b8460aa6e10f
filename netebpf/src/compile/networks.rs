//! `NETWORKS` and `TRUSTED`: what new flows of a network are decided by.

use std::collections::{BTreeMap, BTreeSet};

use netebpf_common::abi::{Address, LinkKey, Network, TrustKey};

use super::Links;
use crate::{
    kernel::{LinkRole, Observed},
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

/// The devices that are there of those that networks trust, of which an internal network has none; and of each bridge the
/// ports that are no endpoints', the bridge itself included if it has some.
pub(super) fn trusted(spec: &Spec, observed: &Observed, links: &Links<'_>) -> BTreeSet<TrustKey> {
    let bridges: BTreeSet<_> = links.bridges.values().map(|bridge| bridge.ifindex).collect();
    let foreign = observed.links.iter().filter(|(_, link)| !matches!(link.role, LinkRole::Veth(_)));
    let plugged = foreign.filter_map(|(&port, link)| Some((link.master?, port)));
    let plugged = plugged.filter(|(bridge, _)| bridges.contains(bridge));
    let mut keys: BTreeSet<_> = plugged
        .flat_map(|(bridge, port)| [bridge, port].map(|ingress| TrustKey { bridge, ingress }))
        .collect();
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
