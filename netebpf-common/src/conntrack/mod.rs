//! Is this packet part of a flow that was decided before?
//!
//! Flows live in two tables. A new one is *pending*: its first packet may be anybody's invention, so a flood of them must
//! displace only one another. When the side that began answers the answer, both ends are proved, and the flow moves to the
//! *assured* ones, which nothing displaces. What it leaves behind among the pending is marked closed.

mod state;
#[cfg(test)]
mod tests;

pub(crate) use state::NANOS_PER_SECOND;
pub use state::{is_expired, next_state};

use crate::{
    abi::{Direction, EventKind, Flow, FlowState, Timeouts, Translation, Tuple},
    packet::Packet,
    parse::TransportKind,
    run::Run,
    tables::{Tables, Tier},
};

/// What is known about a packet's flow; `flow` in the workspace holds it unless there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Known {
    /// There is none.
    No = 0,
    /// It stands, unless the rules have changed since.
    Yes = 1,
    /// Its other half has been displaced: it has to be decided about again.
    Half = 2,
}

/// Leaves the packet's flow in the workspace, notes the packet, and keeps the state in step in both entries.
///
/// A flow that has timed out, or has closed and is being opened again, is forgotten.
#[inline(always)]
pub fn lookup(run: &mut Run<'_, impl Packet, impl Tables>) -> Known {
    let (now, length) = (run.arrival.now, run.packet.length());
    let workspace = &mut *run.workspace;
    if !run.tables.observe_flow(Tier::Assured, &workspace.tuple, now, length, &mut workspace.flow) {
        return lookup_pending(run);
    }
    workspace.set_tier(Tier::Assured);
    follow(run)
}

/// The same among pending flows.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn lookup_pending(run: &mut Run<'_, impl Packet, impl Tables>) -> Known {
    let (now, length) = (run.arrival.now, run.packet.length());
    let workspace = &mut *run.workspace;
    if !run.tables.observe_flow(Tier::Pending, &workspace.tuple, now, length, &mut workspace.flow) {
        return Known::No;
    }
    workspace.set_tier(Tier::Pending);
    // Queries are never proved, so only pending ones can be mistaken.
    if !matches_query(workspace.transport.kind(), workspace.flow.direction()) {
        return Known::No;
    }
    let known = follow(run);
    if matches!(known, Known::Yes) { prove(run) } else { known }
}

/// Whether the flow in the workspace is alive; its state goes on with the packet.
#[inline(always)]
fn follow(run: &mut Run<'_, impl Packet, impl Tables>) -> Known {
    let transport = run.workspace.transport;
    let state = run.workspace.flow.state();
    let reopened = matches!(state, FlowState::Closed | FlowState::Reset) && transport.is_syn();
    if reopened || has_ended(run) {
        forget(run);
        return Known::No;
    }
    let next = next_state(state, run.workspace.flow.direction(), transport.kind(), transport.tcp_flags);
    if next as u8 != state as u8 {
        advance(run, next);
    }
    Known::Yes
}

/// Whether an ICMP query goes the way of its flow, and its answer the other: with the identifier zero both have one tuple.
#[inline(always)]
const fn matches_query(kind: TransportKind, direction: Direction) -> bool {
    match kind {
        TransportKind::EchoRequest => matches!(direction, Direction::Original),
        TransportKind::EchoReply => matches!(direction, Direction::Reply),
        TransportKind::Tcp
        | TransportKind::Udp
        | TransportKind::Sctp
        | TransportKind::Error
        | TransportKind::Generic => true,
    }
}

#[inline(always)]
fn advance<P>(run: &mut Run<'_, P, impl Tables>, state: FlowState) {
    let workspace = &mut *run.workspace;
    workspace.flow.set_state(state);
    if matches!(state, FlowState::Closed | FlowState::Reset) {
        workspace.set_turn(EventKind::FlowEnd);
    }
    workspace.other = counterpart(&workspace.tuple, &workspace.flow.translation);
    let tier = workspace.tier();
    run.tables.set_flow_state(tier, &workspace.tuple, state);
    run.tables.set_flow_state(tier, &workspace.other, state);
}

/// A pending flow moves to the assured ones once the side that began has answered the answer.
#[inline(always)]
fn prove(run: &mut Run<'_, impl Packet, impl Tables>) -> Known {
    let workspace = &mut *run.workspace;
    if !matches!(workspace.flow.direction(), Direction::Original) {
        return Known::Yes;
    }
    workspace.other = counterpart(&workspace.tuple, &workspace.flow.translation);
    if !run.tables.read_flow(Tier::Pending, &workspace.other, &mut workspace.entry)
        || counterpart(&workspace.other, &workspace.entry.translation) != workspace.tuple
    {
        // The half has been displaced, and another flow may have its tuple.
        return Known::Half;
    }
    let is_query =
        matches!(workspace.transport.kind(), TransportKind::EchoRequest | TransportKind::EchoReply);
    if matches!(workspace.flow.state(), FlowState::Established) && !is_query {
        promote(run);
    }
    Known::Yes
}

/// Writes both entries among the assured flows, then marks what stays behind as over. Whoever looks a packet up in between
/// finds the flow in one table or the other.
#[inline(always)]
fn promote(run: &mut Run<'_, impl Packet, impl Tables>) {
    let workspace = &mut *run.workspace;
    // The entry in the workspace is what it was before this packet.
    workspace.flow.last_seen = run.arrival.now;
    workspace.flow.packets = workspace.flow.packets.wrapping_add(1);
    workspace.flow.bytes = workspace.flow.bytes.wrapping_add(u64::from(run.packet.length()));
    if !run.tables.replace_flow(Tier::Assured, &workspace.other, &workspace.entry) {
        return;
    }
    if !run.tables.replace_flow(Tier::Assured, &workspace.tuple, &workspace.flow) {
        run.tables.remove_flow(Tier::Assured, &workspace.other);
        return;
    }
    run.tables.set_flow_state(Tier::Pending, &workspace.other, FlowState::Closed);
    run.tables.set_flow_state(Tier::Pending, &workspace.tuple, FlowState::Closed);
    workspace.set_tier(Tier::Assured);
}

/// Whether the packet's flow is over; see [`is_over`].
#[inline(always)]
fn has_ended<P>(run: &mut Run<'_, P, impl Tables>) -> bool {
    let workspace = &mut *run.workspace;
    let tier = workspace.tier();
    let find = || {
        workspace.other = counterpart(&workspace.tuple, &workspace.flow.translation);
        run.tables.flow(tier, &workspace.other)
    };
    is_over(&workspace.flow, workspace.tuple.protocol, find, &run.config.timeouts, run.arrival.now)
}

/// Removes both entries of the packet's flow.
#[inline(always)]
pub fn forget<P>(run: &mut Run<'_, P, impl Tables>) {
    let workspace = &mut *run.workspace;
    workspace.other = counterpart(&workspace.tuple, &workspace.flow.translation);
    remove(run.tables, workspace.tier(), &workspace.tuple, &workspace.other);
}

/// Removes a flow's entry, and its `other` one unless that belongs to another flow by now: of a pending flow one half may
/// have been displaced, and its tuple taken.
#[cfg_attr(target_arch = "bpf", inline(never))]
pub fn remove(tables: &mut impl Tables, tier: Tier, tuple: &Tuple, other: &Tuple) {
    let is_partner =
        tables.flow(tier, other).is_some_and(|entry| counterpart(other, &entry.translation) == *tuple);
    if is_partner {
        tables.remove_flow(tier, other);
    }
    tables.remove_flow(tier, tuple);
}

/// The key of a flow's other entry.
#[inline(always)]
#[must_use]
pub const fn counterpart(tuple: &Tuple, translation: &Translation) -> Tuple {
    Tuple {
        source: translation.destination,
        destination: translation.source,
        source_port: translation.destination_port,
        destination_port: translation.source_port,
        protocol: tuple.protocol,
    }
}

/// Whether both directions of a flow have been idle for too long; one that still passes packets keeps the other alive.
///
/// `find` looks the other entry up, and is asked only if this one is idle; `now` as in [`is_expired`].
#[inline(always)]
pub fn is_over<'a>(
    flow: &Flow,
    protocol: u32,
    find: impl FnOnce() -> Option<&'a Flow>,
    timeouts: &Timeouts,
    now: u64,
) -> bool {
    is_expired(flow, timeouts, protocol, now)
        && find().is_none_or(|other| is_expired(other, timeouts, protocol, now))
}
