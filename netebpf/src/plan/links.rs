//! Bridges and host sides of veths. Only links of ours are changed, and of those everything but link-local addresses.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Action;
use crate::{
    compile::{Claimed, Links},
    kernel::{Link, LinkRole, Observed},
    model::{Endpoint, Network, Spec},
};

/// Deletes links of ours that belong to nobody, veths before bridges.
pub(super) fn delete(observed: &Observed, links: &Links<'_>) -> Vec<Action> {
    let claimed = links.indices();
    let stray = observed.links.iter().filter(|(ifindex, link)| is_ours(link) && !claimed.contains(ifindex));
    let (veths, bridges): (Vec<_>, Vec<_>) =
        stray.partition(|(_, link)| matches!(link.role, LinkRole::Veth(_)));
    let delete = |(&ifindex, link): (&u32, &Link)| Action::DeleteLink { ifindex, name: link.name.clone() };
    veths.into_iter().chain(bridges).map(delete).collect()
}

fn is_ours(link: &Link) -> bool {
    match link.role {
        LinkRole::Bridge(_) | LinkRole::Veth(_) | LinkRole::Resolver => true,
        LinkRole::Loopback | LinkRole::Netdev | LinkRole::Other => false,
    }
}

pub(super) fn create_bridges(spec: &Spec, links: &Links<'_>) -> Vec<Action> {
    let is_finished =
        |network: &&Network| links.bridges.get(&network.id).is_some_and(|bridge| bridge.is_finished);
    let with_bridge = spec.networks.values().filter(|network| network.has_bridge());
    let missing = with_bridge.filter(|network| !is_finished(network));
    missing
        .map(|network| Action::CreateBridge {
            network: network.id,
            name: network.bridge_name(),
            mac: network.bridge_mac(),
            ipv6: network.has_ipv6_gateway(),
        })
        .collect()
}

/// The name server is there for networks that are yet to come as well.
pub(super) fn create_resolver(links: &Links<'_>) -> Vec<Action> {
    if links.resolver.is_none() { vec![Action::CreateResolver] } else { Vec::new() }
}

pub(super) fn create_veths(spec: &Spec, links: &Links<'_>) -> Vec<Action> {
    let missing = spec
        .active_endpoints()
        .filter(|(_, endpoint, _)| !links.veths.get(&endpoint.id).is_some_and(|veth| veth.is_finished));
    missing
        .filter_map(|(sandbox, endpoint, network)| {
            Some(Action::CreateVeth {
                endpoint: endpoint.id,
                sandbox: sandbox.id,
                name: endpoint.link_name(),
                bridge: links.bridges.get(&network.id)?.ifindex,
                interface: endpoint.interface.clone(),
                mac: endpoint.mac,
                mtu: network.bridge.mtu,
            })
        })
        .collect()
}

/// Forwarding of IPv6 stays on when the last network with IPv6 is gone: nobody knows who else relies on it by then.
pub(super) fn forward_ipv6(spec: &Spec, observed: &Observed) -> Vec<Action> {
    let is_needed = spec.networks.values().any(Network::has_ipv6_gateway);
    if is_needed && !observed.forwards_ipv6 { vec![Action::ForwardIpv6] } else { Vec::new() }
}

/// Sets the MTUs that networks ask for; a bridge without takes that of its ports.
pub(super) fn set_mtus(spec: &Spec, links: &Links<'_>) -> Vec<Action> {
    let networks = spec.networks.values();
    let bridges = networks.filter_map(|network| Some((network, links.bridges.get(&network.id)?)));
    let endpoints = spec.active_endpoints();
    let veths =
        endpoints.filter_map(|(_, endpoint, network)| Some((network, links.veths.get(&endpoint.id)?)));
    let wanted = veths.chain(bridges).filter_map(|(network, claimed)| Some((network.bridge.mtu?, claimed)));
    wanted
        .filter(|(mtu, claimed)| claimed.link.mtu != *mtu)
        .map(|(mtu, claimed)| Action::SetMtu { ifindex: claimed.ifindex, mtu })
        .collect()
}

pub(super) fn attach_to_bridges(spec: &Spec, links: &Links<'_>) -> Vec<Action> {
    let torn = pairs(spec, links).filter(|(_, veth, bridge)| veth.link.master != Some(bridge.ifindex));
    torn.map(|(_, veth, bridge)| Action::AttachToBridge { ifindex: veth.ifindex, bridge: bridge.ifindex })
        .collect()
}

/// Takes from bridges what they should not have. From one that is not ours only what contradicts its network goes: other
/// addresses are how somebody reaches this host.
pub(super) fn delete_addresses(spec: &Spec, links: &Links<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    for network in spec.networks.values() {
        let Some(bridge) = links.bridges.get(&network.id) else { continue };
        let wanted: Vec<_> = network.host_addresses().collect();
        let is_replaced = |address: &IpNet| wanted.iter().any(|wanted| wanted.contains(&address.addr()));
        let stray = bridge.link.addresses.iter().filter(|address| {
            !is_link_local(address.addr())
                && !wanted.contains(address)
                && (is_ours(bridge.link) || is_replaced(address))
        });
        actions.extend(stray.map(|&address| Action::DeleteAddress { ifindex: bridge.ifindex, address }));
    }
    actions
}

pub(super) fn add_addresses(spec: &Spec, links: &Links<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    for network in spec.networks.values() {
        let Some(bridge) = links.bridges.get(&network.id) else { continue };
        let missing = network.host_addresses().filter(|address| !bridge.link.addresses.contains(address));
        actions.extend(missing.map(|address| Action::AddAddress { ifindex: bridge.ifindex, address }));
    }
    actions
}

/// Runs after programs were attached.
pub(super) fn set_up(links: &Links<'_>) -> Vec<Action> {
    links
        .ours()
        .filter(|claimed| !claimed.link.up)
        .map(|claimed| Action::SetUp { ifindex: claimed.ifindex })
        .collect()
}

/// Runs after veths were attached to their bridges.
pub(super) fn add_forwarding_entries(spec: &Spec, links: &Links<'_>) -> Vec<Action> {
    let missing =
        pairs(spec, links).filter(|(endpoint, veth, _)| !veth.link.forwarding.contains(&endpoint.mac));
    missing
        .map(|(endpoint, veth, _)| Action::AddForwardingEntry { ifindex: veth.ifindex, mac: endpoint.mac })
        .collect()
}

/// Every endpoint whose veth and bridge are there.
fn pairs<'a>(
    spec: &'a Spec,
    links: &'a Links<'_>,
) -> impl Iterator<Item = (&'a Endpoint, &'a Claimed<'a>, &'a Claimed<'a>)> {
    spec.active_endpoints().filter_map(|(_, endpoint, network)| {
        Some((endpoint, links.veths.get(&endpoint.id)?, links.bridges.get(&network.id)?))
    })
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}
