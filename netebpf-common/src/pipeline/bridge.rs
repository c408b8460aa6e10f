//! A network's bridge device: the border between its segment and the host stack.

use super::{
    Step,
    container::{from_elsewhere, is_neighbour},
    flow::{from_host, route},
    netdev::from_outside,
};
use crate::{
    abi::{EndpointFlags, TrustKey},
    packet::Packet,
    parse::{Network, TransportKind, parse},
    run::{Mark, Run},
    tables::Tables,
    verdict::{DropReason, Exit},
};

/// A packet reaches the host stack from a network: a sandbox sent it to the host, or its veth has no program yet.
#[inline(always)]
pub(super) fn from_bridge(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    if !matches!(run.arrival.mark, Mark::None) {
        return Err(Exit::Pass);
    }
    if !matches!(parse(run)?, Network::Ip) || run.workspace.frame.destination_mac.is_group() {
        return Err(Exit::Pass);
    }
    let source = run.workspace.tuple.source;
    if source.is_link_local_v6() || source.is_unspecified() {
        return Err(Exit::Pass);
    }
    match run.tables.endpoint(&source) {
        Some(endpoint) => run.workspace.source = *endpoint,
        None if has_machines(run) && run.tables.local(&source).is_none() => return from_machine(run),
        None => return Err(DropReason::Spoofed.into()),
    }
    let (frame, endpoint) = (&run.workspace.frame, &run.workspace.source);
    if endpoint.bridge != run.arrival.ifindex || endpoint.mac != frame.source_mac {
        return Err(DropReason::Spoofed.into());
    }
    if is_neighbour(run.workspace.tuple.destination, endpoint) {
        // The host would send it back into the same network, where `to_bridge` looks at it again.
        return Err(Exit::Pass);
    }
    route(run)
}

/// A machine that the user plugged into the bridge sends to the host: by its published ports into a sandbox, or none of our
/// business.
#[inline(always)]
fn from_machine(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    let step = from_outside(run)?;
    let is_error = matches!(run.workspace.transport.kind(), TransportKind::Error);
    if is_error && run.tables.endpoint(&run.workspace.quoted.reply.source).is_some() {
        // What a sandbox was sent, no machine beside it can have seen.
        return Err(DropReason::UnknownFlow.into());
    }
    Ok(step)
}

/// The host stack sends into a network: its own packets and decided ones pass, others would go around every decision.
#[inline(always)]
pub(super) fn to_bridge(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    if matches!(run.arrival.mark, Mark::Decided) {
        return Err(Exit::Pass);
    }
    let network = parse(run);
    if run.arrival.ingress == 0 {
        let translatable =
            matches!(network, Ok(Network::Ip)) && !run.workspace.frame.destination_mac.is_group();
        return if translatable { from_host(run) } else { Err(Exit::Pass) };
    }
    if !matches!(network?, Network::Ip) {
        return Err(Exit::Pass);
    }
    if has_machines(run) && run.tables.endpoint(&run.workspace.tuple.destination).is_none() {
        // How the host routes between the machines on its links is its own business.
        return Err(Exit::Pass);
    }
    from_elsewhere(run, run.arrival.ifindex, EndpointFlags::ICC)
}

/// Whether there may be machines on the bridge that are no endpoints, because the user plugged something into it.
#[inline(always)]
fn has_machines<P>(run: &Run<'_, P, impl Tables>) -> bool {
    let bridge = run.arrival.ifindex;
    run.tables.trusted(&TrustKey { bridge, ingress: bridge })
}
