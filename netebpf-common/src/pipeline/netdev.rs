//! A host device that is not ours: the border between the host and the world.

use super::{
    Step,
    flow::{self, find_error, find_flow},
};
use crate::{
    abi::Way,
    admission::Origin,
    nat::Hop,
    packet::Packet,
    parse::{Network, TransportKind, parse, transport},
    run::{Mark, Run},
    tables::Tables,
    verdict::{DropReason, Exit, Verdict},
};

/// A packet comes in from outside: an answer, a client of a published port, or none of our business.
#[inline(always)]
pub(super) fn from_netdev(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    match parse(run) {
        Ok(Network::Ip) => {}
        Ok(Network::Arp | Network::Other) => return Err(Exit::Pass),
        Err(DropReason::UnsupportedProtocol) => return beside_flows(run, DropReason::UnsupportedProtocol),
        Err(reason) => return Err(reason.into()),
    }
    if !run.arrival.bare && run.workspace.frame.destination_mac.is_group() {
        return Err(Exit::Pass);
    }
    from_outside(run)
}

/// An IP packet, already read, from somebody who is no endpoint.
#[inline(always)]
pub(super) fn from_outside(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    let tuple = &run.workspace.tuple;
    if tuple.destination.is_loopback() || tuple.source.is_loopback() {
        return Err(DropReason::Martian.into());
    }
    match transport(run) {
        Ok(()) => {}
        Err(DropReason::Malformed) => return Err(DropReason::Malformed.into()),
        Err(reason) => return beside_flows(run, reason),
    }
    if !matches!(run.workspace.transport.kind(), TransportKind::Error) {
        return Ok(find_flow(run, Origin::Outside));
    }
    if find_error(run) { Ok(Step::Forward) } else { beside_flows(run, DropReason::DirectAccess) }
}

/// A packet of a flow comes in: straight into the sandbox, or through the stack.
#[inline(always)]
pub(super) fn inwards<T>(run: &mut Run<'_, impl Packet, T>) -> Result<Verdict, Exit> {
    let (way_out, frame) = (&run.workspace.flow.way_out, &run.workspace.frame);
    match way_out.way() {
        Some(Way::Sandbox) if frame.hop_limit > 1 && !frame.has_options() && !run.arrival.bare => {
            let ifindex = way_out.ifindex;
            flow::translate(run, Hop::IntoSandbox)?;
            Ok(Verdict::ToSandbox { ifindex })
        }
        Some(Way::Sandbox | Way::Stack) => flow::through_stack(run),
        Some(Way::Uplink | Way::Resolver) | None => Err(DropReason::UnknownFlow.into()),
    }
}

/// A packet from outside that is no flow of ours passes, unless it goes to a container's own address.
#[inline(always)]
fn beside_flows<P>(run: &Run<'_, P, impl Tables>, reason: DropReason) -> Result<Step, Exit> {
    match run.tables.endpoint(&run.workspace.tuple.destination) {
        Some(_) => Err(reason.into()),
        None => Err(Exit::Pass),
    }
}

/// A packet leaves the host: what a sandbox sent and the stack routed is translated here, and so are the stack's own
/// reports about translated packets.
#[inline(always)]
pub(super) fn to_netdev(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    if matches!(run.arrival.mark, Mark::Decided) {
        return Err(Exit::Pass);
    }
    let network = parse(run);
    if matches!(network, Ok(Network::Arp | Network::Other)) {
        return Err(Exit::Pass);
    }
    if run.arrival.ingress == 0 {
        return if network.is_ok() { flow::from_host(run) } else { Err(Exit::Pass) };
    }
    let Some(endpoint) = run.tables.endpoint(&run.workspace.tuple.source) else { return Err(Exit::Pass) };
    run.workspace.source = *endpoint;
    network?;
    Ok(flow::find_routed(run))
}

/// A packet of a flow leaves by a host device, through the stack; a sandbox's only if that is its flow's way.
#[inline(always)]
pub(super) fn outwards<T>(run: &mut Run<'_, impl Packet, T>) -> Result<Verdict, Exit> {
    let from_host = run.arrival.ingress == 0;
    if from_host || matches!(run.workspace.flow.way_out.way(), Some(Way::Uplink)) {
        flow::through_stack(run)
    } else {
        Err(DropReason::Untranslated.into())
    }
}
