//! A packet and its flow: find it or let it be, then send the packet on.

use super::{Step, conclude};
use crate::{
    abi::{EndpointFlags, Way},
    admission::Origin,
    conntrack::{self, Known},
    nat::{self, Hop},
    packet::Packet,
    parse::{ETHERNET_LENGTH, TransportKind, quoted, transport},
    run::Run,
    tables::{Tables, Tier},
    verdict::{DropReason, Exit, Verdict},
};

/// A sandbox's packet to anywhere but its own network: to the host, or by a flow.
#[inline(always)]
pub(super) fn route(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    if let Err(reason) = transport(run) {
        return without_flow(run, reason);
    }
    if matches!(run.workspace.transport.kind(), TransportKind::Error) {
        return if find_own_error(run) {
            Ok(Step::Forward)
        } else {
            without_flow(run, DropReason::UnknownFlow)
        };
    }
    Ok(find_flow(run, Origin::Sandbox))
}

/// Leaves the packet's flow in the workspace, or what is to be asked about it.
#[inline(always)]
pub(super) fn find_flow(run: &mut Run<'_, impl Packet, impl Tables>, origin: Origin) -> Step {
    let known = conntrack::lookup(run);
    if matches!(known, Known::Yes) && run.workspace.flow.epoch == run.config.epoch {
        return Step::Forward;
    }
    run.workspace.ask(origin, known);
    Step::Admit
}

/// Leaves the flow of a sandbox's packet that the stack has routed in the workspace, or what is to be asked about it.
#[cfg_attr(target_arch = "bpf", inline(never))]
pub(super) fn find_routed(run: &mut Run<'_, impl Packet, impl Tables>) -> Step {
    if let Err(reason) = transport(run) {
        return conclude(run, Verdict::Drop(reason));
    }
    if !matches!(run.workspace.transport.kind(), TransportKind::Error) {
        return find_flow(run, Origin::Sandbox);
    }
    if find_own_error(run) { Step::Forward } else { conclude(run, Verdict::Drop(DropReason::UnknownFlow)) }
}

/// A packet that the host made itself. It goes as it is, but for two kinds: an ICMP error about a translated packet, and a
/// flow whose address and port another one has already, which gets another port.
#[inline(always)]
pub(super) fn from_host(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    match find_host_flow(run) {
        HostFlow::None => Err(Exit::Pass),
        HostFlow::Known => Ok(Step::Forward),
        HostFlow::InTheWay => {
            run.workspace.ask(Origin::Host, Known::No);
            Ok(Step::Admit)
        }
    }
}

/// What a packet of the host's own belongs to.
#[derive(Clone, Copy)]
enum HostFlow {
    /// Nothing that concerns us.
    None,
    /// The flow that has been left in the workspace.
    Known,
    /// A new flow, whose answers would be taken for another flow's.
    InTheWay,
}

#[cfg_attr(target_arch = "bpf", inline(never))]
fn find_host_flow(run: &mut Run<'_, impl Packet, impl Tables>) -> HostFlow {
    if transport(run).is_err() {
        return HostFlow::None;
    }
    if matches!(run.workspace.transport.kind(), TransportKind::Error) {
        return if find_error(run) { HostFlow::Known } else { HostFlow::None };
    }
    if run.arrival.now < run.tables.host_flows_until() && !matches!(conntrack::lookup(run), Known::No) {
        return HostFlow::Known;
    }
    if opens(run) && nat::is_taken(run) { HostFlow::InTheWay } else { HostFlow::None }
}

/// Whether the packet may be the first of its flow.
#[inline(always)]
fn opens<P, T>(run: &Run<'_, P, T>) -> bool {
    let transport = &run.workspace.transport;
    match transport.kind() {
        TransportKind::Tcp => transport.is_syn(),
        TransportKind::Udp | TransportKind::Sctp | TransportKind::EchoRequest => true,
        TransportKind::EchoReply | TransportKind::Error | TransportKind::Generic => false,
    }
}

/// Leaves the flow that an ICMP error is about in the workspace; false if it is none of ours.
///
/// As long as a flow has an entry, errors about it pass, whatever the rules have become: like netfilter's RELATED.
#[cfg_attr(target_arch = "bpf", inline(never))]
pub(super) fn find_error(run: &mut Run<'_, impl Packet, impl Tables>) -> bool {
    if !quotes_receiver(run) {
        return false;
    }
    let workspace = &mut *run.workspace;
    let (about, flow) = (&workspace.quoted.reply, &mut workspace.flow);
    run.tables.read_flow(Tier::Assured, about, flow) || run.tables.read_flow(Tier::Pending, about, flow)
}

/// Whether an ICMP error goes to whoever sent the packet that it quotes, or it would be a way to reach others.
#[inline(always)]
pub(super) fn quotes_receiver<T>(run: &mut Run<'_, impl Packet, T>) -> bool {
    quoted(run) && run.workspace.quoted.reply.destination == run.workspace.tuple.destination
}

/// The same for an error that a sandbox reports: it may only speak of packets that were sent to it.
#[inline(always)]
fn find_own_error(run: &mut Run<'_, impl Packet, impl Tables>) -> bool {
    find_error(run) && run.workspace.quoted.reply.source == run.workspace.source.address
}

/// A sandbox's packet that has no flow may go to the host itself and nowhere else.
#[inline(always)]
fn without_flow<P>(run: &Run<'_, P, impl Tables>, reason: DropReason) -> Result<Step, Exit> {
    if matches!(reason, DropReason::Malformed) {
        return Err(reason.into());
    }
    let destination = &run.workspace.tuple.destination;
    if run.tables.local(destination).is_some() {
        return Err(Exit::Pass);
    }
    match run.tables.endpoint(destination) {
        Some(_) => Err(DropReason::Isolated.into()),
        None if run.workspace.source.flags.contains(EndpointFlags::INTERNAL) => {
            Err(DropReason::Internal.into())
        }
        None => Err(reason.into()),
    }
}

/// Sends a sandbox's packet on as the flow in the workspace says.
#[inline(always)]
pub(super) fn around_stack<T>(run: &mut Run<'_, impl Packet, T>) -> Result<Verdict, Exit> {
    let way_out = &run.workspace.flow.way_out;
    let (ifindex, next_hop) = (way_out.ifindex, way_out.next_hop);
    let is_last_hop = run.workspace.frame.hop_limit <= 1;
    match way_out.way() {
        Some(Way::Sandbox | Way::Resolver) if is_last_hop => Err(DropReason::TtlExceeded.into()),
        Some(way @ (Way::Sandbox | Way::Resolver)) => {
            translate(run, Hop::IntoSandbox)?;
            let to_sandbox = matches!(way, Way::Sandbox);
            Ok(if to_sandbox { Verdict::ToSandbox { ifindex } } else { Verdict::ToResolver { ifindex } })
        }
        Some(Way::Stack) => through_stack(run),
        // The host stack sends "time exceeded" or "too big", cuts the packet, or does as its options say, and `to_netdev`
        // translates what is left.
        Some(Way::Uplink) if is_last_hop || run.workspace.frame.has_options() || !fits(run, way_out.mtu) => {
            Err(Exit::Pass)
        }
        Some(Way::Uplink) => {
            translate(run, Hop::OutOfUplink)?;
            Ok(Verdict::ToUplink { ifindex, next_hop })
        }
        None => Err(DropReason::UnknownFlow.into()),
    }
}

/// Translates a packet that the host stack carries on.
#[inline(always)]
pub(super) fn through_stack<T>(run: &mut Run<'_, impl Packet, T>) -> Result<Verdict, Exit> {
    translate(run, Hop::InStack)?;
    Ok(Verdict::ToStack)
}

/// Translates a packet or an ICMP error as the flow in the workspace says.
#[inline(always)]
pub(super) fn translate<T>(run: &mut Run<'_, impl Packet, T>, hop: Hop) -> Result<(), DropReason> {
    if matches!(run.workspace.transport.kind(), TransportKind::Error) {
        nat::translate_error(run, hop)
    } else {
        nat::translate(run, hop)
    }
}

/// Whether the packet, or each segment that it will be cut into, is no longer than `mtu`.
#[inline(always)]
fn fits<T>(run: &Run<'_, impl Packet, T>, mtu: u32) -> bool {
    let length = run.packet.length().wrapping_sub(ETHERNET_LENGTH);
    if length <= mtu {
        return true;
    }
    let segment = run.packet.segment_size();
    let transport = &run.workspace.transport;
    let headers = transport.offset.wrapping_sub(ETHERNET_LENGTH).wrapping_add(transport.length);
    segment != 0 && headers.wrapping_add(segment) <= mtu
}
