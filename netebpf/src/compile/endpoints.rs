//! `ENDPOINTS` and `ENDPOINT_LINKS`: who is behind an address, and what a link may send.

use std::collections::BTreeMap;

use ipnet::IpNet;
use netebpf_common::abi::{Address, Endpoint, EndpointFlags, LinkKey};

use super::Links;
use crate::model::{GatewayMode, Network, Pool, Spec, family_of};

/// Every address of an active endpoint whose veth and bridge are there.
pub(super) fn by_address(spec: &Spec, links: &Links<'_>) -> BTreeMap<Address, Endpoint> {
    let mut entries = BTreeMap::new();
    for (_, endpoint, network) in spec.active_endpoints() {
        let (Some(veth), Some(bridge)) = (links.veths.get(&endpoint.id), links.bridges.get(&network.id))
        else {
            continue;
        };
        for &address in &endpoint.addresses {
            let Some(pool) = network.pool(family_of(address)) else { continue };
            let entry = Endpoint {
                address: address.into(),
                mask: mask(pool.subnet),
                gateway: pool.gateway.map_or(Address::unspecified(pool.family()), Address::from),
                ifindex: veth.ifindex,
                bridge: bridge.ifindex,
                flags: flags(network, pool),
                mac: endpoint.mac,
                bridge_mac: bridge.link.mac,
            };
            entries.insert(entry.address, entry);
        }
    }
    entries
}

/// The same entries by the endpoint's link.
pub(super) fn by_link(endpoints: &BTreeMap<Address, Endpoint>) -> BTreeMap<LinkKey, Endpoint> {
    endpoints.values().map(|entry| (LinkKey::new(entry.ifindex, entry.address.family()), *entry)).collect()
}

/// An IPv4 address is the tail of a 128-bit one.
fn mask(subnet: IpNet) -> Address {
    Address::mask(128 - subnet.max_prefix_len() + subnet.prefix_len())
}

fn flags(network: &Network, pool: &Pool) -> EndpointFlags {
    let mode = network.bridge.mode(pool.family());
    let is_routed = mode == GatewayMode::Routed;
    let flags = [
        (network.bridge.icc, EndpointFlags::ICC),
        (network.internal, EndpointFlags::INTERNAL),
        (network.bridge.masquerade && !is_routed, EndpointFlags::MASQUERADE),
        (is_routed, EndpointFlags::ROUTED),
        (mode == GatewayMode::NatUnprotected, EndpointFlags::UNPROTECTED),
    ];
    let set = flags.into_iter().filter_map(|(is_set, flag)| is_set.then_some(flag));
    set.fold(EndpointFlags::default(), EndpointFlags::union)
}
