//! `ENDPOINTS` and `ENDPOINT_LINKS`: who is behind an address, and what a link may send.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use netebpf_common::abi::{Address, Endpoint, EndpointFlags, Family, LinkKey};

use super::Links;
use crate::model::{GatewayMode, Network, Spec, family_of};

/// Prefix length of IPv4 link-local addresses (RFC 3927, 2.1), counted as IPv6 does; it is not asked for those of IPv6.
const LINK_LOCAL: u8 = 96 + 16;

/// Every address of an active endpoint whose veth and bridge are there. Link-local ones stand under their link, and never
/// lead out of the network (RFC 3927, 2.6.2).
pub(super) fn by_address(spec: &Spec, links: &Links<'_>) -> BTreeMap<Address, Endpoint> {
    let mut entries = BTreeMap::new();
    for (sandbox, endpoint, network) in spec.active_endpoints() {
        let (Some(veth), Some(bridge)) = (links.veths.get(&endpoint.id), links.bridges.get(&network.id))
        else {
            continue;
        };
        let entry = |address: IpAddr, mask, gateway: Option<IpAddr>| Endpoint {
            address: address.into(),
            mask,
            gateway: gateway.map_or(Address::unspecified(family_of(address)), Address::from),
            ifindex: veth.ifindex,
            bridge: bridge.ifindex,
            flags: flags(network, family_of(address)),
            mac: endpoint.mac,
            bridge_mac: bridge.link.mac,
        };
        for &address in &endpoint.addresses {
            let Some(pool) = network.pool(family_of(address)) else { continue };
            let entry = entry(address, mask(pool.subnet), pool.gateway);
            entries.insert(entry.address, entry);
        }
        let attachment = sandbox.attachment_to(network.id);
        for &address in attachment.map_or(&[][..], |attachment| attachment.settings.link_local()) {
            let entry = entry(address, Address::mask(LINK_LOCAL), None);
            let flags = entry.flags.union(EndpointFlags::INTERNAL);
            entries.insert(entry.address.on_link(entry.ifindex), Endpoint { flags, ..entry });
        }
    }
    entries
}

/// The same entries by the endpoint's link; a link-local address stands for a link without another one of its IP version.
pub(super) fn by_link(endpoints: &BTreeMap<Address, Endpoint>) -> BTreeMap<LinkKey, Endpoint> {
    let (own, link_local): (Vec<_>, Vec<_>) =
        endpoints.iter().partition(|(key, entry)| **key == entry.address);
    let by_link = |(_, entry): (_, &Endpoint)| (LinkKey::new(entry.ifindex, entry.address.family()), *entry);
    // The last one of a link stays.
    link_local.into_iter().chain(own).map(by_link).collect()
}

/// An IPv4 address is the tail of a 128-bit one.
fn mask(subnet: IpNet) -> Address {
    Address::mask(128 - subnet.max_prefix_len() + subnet.prefix_len())
}

fn flags(network: &Network, family: Family) -> EndpointFlags {
    let mode = network.bridge.mode(family);
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
