//! A flow to an endpoint: by a published port of the host, or at the endpoint's own address.

use super::{
    Origin,
    outside::{host_address, set_way},
    ports,
};
use crate::{
    abi::{ConfigFlags, EndpointFlags, LinkKey, Port, TrustKey, protocol},
    run::Run,
    tables::Tables,
    verdict::{DropReason, Exit},
};

/// To an address of the host: the endpoint that published the port; else it is the host's own business.
#[inline(always)]
pub(super) fn behind_host_port<P>(run: &mut Run<'_, P, impl Tables>, origin: Origin) -> Result<(), Exit> {
    let original = &run.workspace.original;
    if original.source.is_link_local_v6() {
        // Answers could not be told which link to take (Docker's rules leave these to the host as well).
        return Err(Exit::Pass);
    }
    let Some((address, destination_port)) = ports::published(run) else { return Err(Exit::Pass) };
    let Some(target) = run.tables.endpoint(&address) else { return Err(Exit::Pass) };
    run.workspace.target = *target;
    reach(run, origin, destination_port)
}

/// To an endpoint's own address, from outside its network.
#[inline(always)]
pub(super) fn at_own_address<P>(run: &mut Run<'_, P, impl Tables>, origin: Origin) -> Result<(), Exit> {
    let workspace = &*run.workspace;
    let flags = workspace.target.flags;
    let from_sandbox = matches!(origin, Origin::Sandbox);
    if from_sandbox && workspace.source.bridge == workspace.target.bridge {
        return Err(Exit::Pass);
    }
    let refused = if from_sandbox { DropReason::Isolated } else { DropReason::DirectAccess };
    let reachable = flags.contains(EndpointFlags::ROUTED)
        || flags.contains(EndpointFlags::UNPROTECTED)
        || run.config.flags.contains(ConfigFlags::DIRECT_ROUTING)
        || !from_sandbox && is_trusted(run);
    if flags.contains(EndpointFlags::INTERNAL) || !reachable {
        return Err(refused.into());
    }
    let pings_routed = flags.contains(EndpointFlags::ROUTED) && is_icmp(run.workspace.original.protocol);
    if !(flags.contains(EndpointFlags::UNPROTECTED) || pings_routed || ports::is_open(run)) {
        return Err(DropReason::Unpublished.into());
    }
    let destination_port = run.workspace.original.destination_port;
    reach(run, origin, destination_port)
}

const fn is_icmp(number: u32) -> bool {
    number == protocol::ICMP as u32 || number == protocol::ICMPV6 as u32
}

/// Whether the flow came in by a device that the target's network trusts.
#[inline(always)]
fn is_trusted<P>(run: &Run<'_, P, impl Tables>) -> bool {
    let ingress = run.workspace.ingress;
    run.tables.trusted(&TrustKey { bridge: run.workspace.target.bridge, ingress })
}

/// Into the workspace's target, as somebody whom its answers reach.
#[inline(always)]
fn reach<P>(run: &mut Run<'_, P, impl Tables>, origin: Origin, port: Port) -> Result<(), Exit> {
    let workspace = &mut *run.workspace;
    let (source, target) = (&workspace.source, &workspace.target);
    workspace.decision.set_destination(target.address, port);
    workspace.forward.set_sandbox(target.ifindex, target.mac, target.bridge_mac);
    match origin {
        Origin::Sandbox if source.flags.contains(EndpointFlags::INTERNAL) => {
            return Err(DropReason::Internal.into());
        }
        Origin::Sandbox => {
            workspace.backward.set_sandbox(source.ifindex, source.mac, source.bridge_mac);
            show_sandbox(run);
        }
        Origin::Outside | Origin::Host => {
            way_back(run)?;
        }
    }
    Ok(())
}

/// As whom a container comes to a server in another network, or by a host port to one in its own.
///
/// Its own address would make the server answer around us in the same network, and is hidden by masquerading in another.
#[inline(always)]
fn show_sandbox<P>(run: &mut Run<'_, P, impl Tables>) {
    let workspace = &mut *run.workspace;
    let (source, target) = (&workspace.source, &workspace.target);
    let same_network = source.bridge == target.bridge;
    if !same_network && !source.flags.contains(EndpointFlags::MASQUERADE) {
        workspace.decision.set_source(source.address, false);
        return;
    }
    let chosen = if same_network { None } else { host_address(run.tables, source) };
    workspace.decision.set_source(*chosen.unwrap_or(&target.gateway), true);
}

/// The way back to a client outside, who is seen as itself unless the server would answer around us.
#[inline(always)]
fn way_back<P>(run: &mut Run<'_, P, impl Tables>) -> Result<(), DropReason> {
    let workspace = &mut *run.workspace;
    let (original, target) = (&workspace.original, &workspace.target);
    let family = original.source.family();
    let back =
        run.tables.route(target.bridge, &target.address, &original.source).ok_or(DropReason::NoRoute)?;
    workspace.decision.set_source(original.source, false);
    if let Some(uplink) = run.tables.uplink(LinkKey::new(back.ifindex, family)) {
        set_way(&mut workspace.backward, &back, uplink);
        return Ok(());
    }
    // A client outside that calls itself a container has its answers routed to where it did not come from.
    let bridge = back.ifindex;
    if workspace.ingress != bridge || !run.tables.trusted(&TrustKey { bridge, ingress: bridge }) {
        return Err(DropReason::Martian);
    }
    if bridge == target.bridge {
        workspace.decision.set_source(target.gateway, true);
    }
    workspace.backward.set_uplink(bridge, back.next_hop, back.mtu);
    Ok(())
}
