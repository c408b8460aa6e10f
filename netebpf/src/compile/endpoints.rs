//! `ENDPOINTS` and `ENDPOINT_LINKS`: who is behind an address, and what a link may send.

use std::collections::BTreeMap;

use ipnet::IpNet;
use netebpf_common::abi::{Address, Endpoint, EndpointFlags, Family, LinkKey};

use super::Links;
use crate::model::{Network, Spec};

/// Every address of an active endpoint whose veth and bridge are there.
pub(super) fn by_address(spec: &Spec, links: &Links<'_>) -> BTreeMap<Address, Endpoint> {
    let mut entries = BTreeMap::new();
    for (_, endpoint, network) in spec.active_endpoints() {
        let (Some(veth), Some(bridge)) = (links.veths.get(&endpoint.id), links.bridges.get(&network.id))
        else {
            continue;
        };
        for &address in &endpoint.addresses {
            let Some(pool) = network.pool_for(address) else { continue };
            let entry = Endpoint {
                address: address.into(),
                mask: mask(pool.subnet),
                gateway: pool.gateway.into(),
                ifindex: veth.ifindex,
                bridge: bridge.ifindex,
                flags: flags(network),
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
    let family = |address: Address| if address.is_v4() { Family::V4 } else { Family::V6 };
    endpoints.values().map(|entry| (LinkKey::new(entry.ifindex, family(entry.address)), *entry)).collect()
}

/// An IPv4 address is the tail of a 128-bit one.
fn mask(subnet: IpNet) -> Address {
    Address::mask(128 - subnet.max_prefix_len() + subnet.prefix_len())
}

fn flags(network: &Network) -> EndpointFlags {
    let when = |condition, flag| if condition { flag } else { EndpointFlags::default() };
    when(network.icc, EndpointFlags::ICC).union(when(network.internal, EndpointFlags::INTERNAL))
}
