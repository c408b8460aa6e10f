//! A flow from a sandbox to the world outside.

use super::Decision;
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
    let route =
        run.tables.route(source.bridge, original.source, original.destination).ok_or(Exit::Pass)?;
    let family = original.source.family();
    let uplink =
        run.tables.uplink(LinkKey::new(route.ifindex, family)).ok_or(DropReason::NoUplinkAddress)?;
    workspace.backward = WayOut::sandbox(source.ifindex, source.mac, source.bridge_mac);
    workspace.forward = way(&route, &uplink);
    let masquerade = source.flags.contains(EndpointFlags::MASQUERADE);
    let visible = if masquerade {
        host_address(run.tables, source).unwrap_or(uplink.address)
    } else {
        original.source
    };
    if visible.is_unspecified() {
        return Err(DropReason::NoUplinkAddress.into());
    }
    let (to, port) = (original.destination, original.destination_port);
    workspace.decision = Decision::new(to, port, visible, masquerade);
    Ok(())
}

/// The host address that the endpoint's network is masqueraded with, if the user chose one.
#[inline(always)]
pub(super) fn host_address(tables: &impl Tables, source: &Endpoint) -> Option<Address> {
    let network = tables.network(LinkKey::new(source.bridge, source.address.family()))?;
    (!network.snat.is_unspecified()).then_some(network.snat)
}

/// The way out by a route. What a device without Ethernet header carries is always left to the host stack.
#[inline(always)]
pub(super) fn way(route: &Route, uplink: &Uplink) -> WayOut {
    let mtu = match (uplink.bare, route.mtu) {
        (0, 0) => uplink.mtu,
        (0, mtu) => mtu,
        (_, _) => 0,
    };
    WayOut::uplink(route.ifindex, route.next_hop, mtu)
}
