//! `LOCALS` and `UPLINKS`: the host's own addresses, and those that masqueraded packets leave with.

use std::collections::BTreeMap;

use netebpf_common::abi::{Address, LinkKey, LocalAddress, Uplink};

use super::Links;
use crate::{
    kernel::Observed,
    model::{FAMILIES, Spec},
};

/// Every address of every host link. A gateway counts as soon as its bridge is there, so that it is known to be local
/// before it can be reached.
pub(super) fn locals(spec: &Spec, observed: &Observed, links: &Links<'_>) -> BTreeMap<Address, LocalAddress> {
    let gateways = spec.networks.values().flat_map(|network| {
        let bridge = links.bridges.get(&network.id);
        bridge
            .into_iter()
            .flat_map(|bridge| network.host_addresses().map(|address| (address.addr(), bridge.ifindex)))
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
pub(super) fn uplinks(observed: &Observed, links: &Links<'_>) -> BTreeMap<LinkKey, Uplink> {
    let uplinks = links.netdevs(observed).flat_map(|(ifindex, link)| {
        FAMILIES.into_iter().map(move |family| {
            let address = link.source(family).map_or(Address::unspecified(family), Address::from);
            (LinkKey::new(ifindex, family), Uplink { address, mtu: link.mtu, bare: link.bare.into() })
        })
    });
    uplinks.collect()
}
