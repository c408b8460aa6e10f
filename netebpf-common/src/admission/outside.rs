//! A flow from a sandbox to the world outside.

use crate::{
    abi::{Address, Endpoint, EndpointFlags, LinkKey, Uplink, WayOut},
    run::Run,
    tables::{Route, Tables},
    verdict::{DropReason, Exit},
};

/// By the host's routing table, masqueraded unless the network keeps its addresses.
#[inline(always)]
pub(super) fn reach<P>(run: &mut Run<'_, P, impl Tables>) -> Result<(), Exit> {
    let workspace = &mut *run.workspace;
    let (original, source) = (&workspace.original, &workspace.source);
    if source.flags.contains(EndpointFlags::INTERNAL) {
        return Err(DropReason::Internal.into());
    }
    // Without a route the host stack answers with "network unreachable".
    let route = run.tables.route(source.bridge, &original.source, &original.destination).ok_or(Exit::Pass)?;
    let family = original.source.family();
    let uplink = run.tables.uplink(LinkKey::new(route.ifindex, family)).ok_or(DropReason::NoUplinkAddress)?;
    workspace.backward.set_sandbox(source.ifindex, source.mac, source.bridge_mac);
    set_way(&mut workspace.forward, &route, uplink);
    workspace.decision.set_destination(original.destination, original.destination_port);
    if !source.flags.contains(EndpointFlags::MASQUERADE) {
        workspace.decision.set_source(original.source, false);
        return Ok(());
    }
    // Answers to a link-local address would not come back over a router.
    let told = !route.source.is_unspecified() && !route.source.is_link_local_v6();
    let preferred = if told { &route.source } else { &uplink.address };
    let visible = host_address(run.tables, source).unwrap_or(preferred);
    if visible.is_unspecified() {
        return Err(DropReason::NoUplinkAddress.into());
    }
    workspace.decision.set_source(*visible, true);
    Ok(())
}

/// The host address that the endpoint's network is masqueraded with, if the user chose one.
#[inline(always)]
pub(super) fn host_address<'a>(tables: &'a impl Tables, source: &Endpoint) -> Option<&'a Address> {
    let network = tables.network(LinkKey::new(source.bridge, source.address.family()))?;
    (!network.snat.is_unspecified()).then_some(&network.snat)
}

/// The way out by a route. What a device without Ethernet header carries is always left to the host stack.
#[inline(always)]
pub(super) const fn set_way(way: &mut WayOut, route: &Route, uplink: &Uplink) {
    let mtu = match (uplink.bare, route.mtu) {
        (0, 0) => uplink.mtu,
        (0, mtu) => mtu,
        (_, _) => 0,
    };
    way.set_uplink(route.ifindex, route.next_hop, mtu);
}
