//! `LOCALS` and `UPLINKS`: the host's own addresses, and those that masqueraded packets leave with.

use std::{collections::BTreeMap, net::IpAddr};

use netebpf_common::abi::{Address, Family, LinkKey, LocalAddress, Uplink};

use super::Links;
use crate::{
    kernel::{Link, LinkRole, Observed},
    model::Spec,
};

/// Every address of every host link. A gateway counts as soon as its bridge is there, so that it is known to be local
/// before it can be reached.
pub(super) fn locals(spec: &Spec, observed: &Observed, links: &Links<'_>) -> BTreeMap<Address, LocalAddress> {
    let gateways = spec.networks.values().flat_map(|network| {
        let bridge = links.bridges.get(&network.id);
        bridge.into_iter().flat_map(|bridge| network.pools.iter().map(|pool| (pool.gateway, bridge.ifindex)))
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

/// For every host device that is not ours its first global address of each IP version.
pub(super) fn uplinks(observed: &Observed) -> BTreeMap<LinkKey, Uplink> {
    let netdevs = observed.links.iter().filter(|(_, link)| link.role == LinkRole::Netdev);
    netdevs
        .flat_map(|(&ifindex, link)| {
            [Family::V4, Family::V6].into_iter().filter_map(move |family| {
                let address = first_global_address(link, family)?;
                let uplink = Uplink { address: address.into(), mtu: link.mtu, bare: link.bare.into() };
                Some((LinkKey::new(ifindex, family), uplink))
            })
        })
        .collect()
}

fn first_global_address(link: &Link, family: Family) -> Option<IpAddr> {
    link.addresses.iter().map(ipnet::IpNet::addr).find(|address| match (address, family) {
        (IpAddr::V4(v4), Family::V4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        (IpAddr::V6(v6), Family::V6) => {
            !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified()
        }
        (IpAddr::V4(_), Family::V6) | (IpAddr::V6(_), Family::V4) => false,
    })
}
