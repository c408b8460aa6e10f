//! `LOCALS` and `UPLINKS`: the host's own addresses, and those that masqueraded packets leave with.

use std::collections::BTreeMap;

use netebpf_common::abi::{Address, LinkKey, LocalAddress, Uplink};

use super::Links;
use crate::{
    kernel::{LinkRole, Observed},
    model::{FAMILIES, Spec},
};

/// Every address of every host link. A gateway counts as soon as its bridge is there, so that it is known to be local
/// before it can be reached.
pub(super) fn locals(spec: &Spec, observed: &Observed, links: &Links<'_>) -> BTreeMap<Address, LocalAddress> {
    let gateways = spec.networks.values().flat_map(|network| {
        let bridge = links.bridges.get(&network.id);
        let gateways = network.pools.iter().filter_map(|pool| pool.gateway);
        bridge.into_iter().flat_map(move |bridge| gateways.clone().map(|gateway| (gateway, bridge.ifindex)))
    });
    let seen = observed
        .links
        .iter()
        .flat_map(|(&ifindex, link)| link.addresses.iter().map(move |address| (address.addr(), ifindex)));
    let mut locals = BTreeMap::new();
    for (address, ifindex) in gateways.chain(seen) {
        locals.entry(address.into()).or_insert(LocalAddress { ifindex });
    }
    locals
}

/// Every host device that is not ours. One without an address of an IP version still leads to where networks keep their
/// own addresses, or are masqueraded with a chosen one.
pub(super) fn uplinks(observed: &Observed) -> BTreeMap<LinkKey, Uplink> {
    let netdevs = observed.links.iter().filter(|(_, link)| link.role == LinkRole::Netdev);
    let uplinks = netdevs.flat_map(|(&ifindex, link)| {
        FAMILIES.into_iter().map(move |family| {
            let address = link.source(family).map_or(Address::unspecified(family), Address::from);
            (LinkKey::new(ifindex, family), Uplink { address, mtu: link.mtu, bare: link.bare.into() })
        })
    });
    uplinks.collect()
}
