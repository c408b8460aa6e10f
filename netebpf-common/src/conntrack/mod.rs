//! Is this packet part of a flow that was decided before?

mod state;
#[cfg(test)]
mod tests;

pub use state::{is_expired, next_state};

use crate::{
    abi::{Flow, FlowState, Timeouts, Translation, Tuple},
    packet::Packet,
    run::Run,
    tables::Tables,
};

/// Leaves the packet's flow in the workspace, notes the packet, and keeps the state in step in both entries.
///
/// False if there is none. A flow that has timed out, or has closed and is being opened again, is forgotten.
#[inline(always)]
pub fn lookup(run: &mut Run<'_, impl Packet, impl Tables>) -> bool {
    let tuple = &run.workspace.tuple;
    let Some(flow) = run.tables.observe_flow(tuple, run.arrival.now, run.packet.length()) else {
        return false;
    };
    run.workspace.flow = flow;
    let transport = run.workspace.transport;
    let state = run.workspace.flow.state();
    let reopened = matches!(state, FlowState::Closed) && transport.is_syn();
    if reopened || is_over(run) {
        forget(run);
        return false;
    }
    let next = next_state(state, run.workspace.flow.direction(), transport.kind(), transport.tcp_flags);
    if next as u8 != state as u8 {
        advance(run, next);
    }
    true
}

#[inline(always)]
fn advance(run: &mut Run<'_, impl Packet, impl Tables>, state: FlowState) {
    let workspace = &mut *run.workspace;
    workspace.flow.set_state(state);
    workspace.other = counterpart(&workspace.tuple, &workspace.flow.translation);
    run.tables.set_flow_state(&workspace.tuple, state);
    run.tables.set_flow_state(&workspace.other, state);
}

/// Whether both directions have been idle for too long; one that still passes packets keeps the other alive.
#[inline(always)]
fn is_over(run: &mut Run<'_, impl Packet, impl Tables>) -> bool {
    let workspace = &mut *run.workspace;
    let (timeouts, protocol, now) = (&run.config.timeouts, workspace.tuple.protocol, run.arrival.now);
    if !is_expired(&workspace.flow, timeouts, protocol, now) {
        return false;
    }
    workspace.other = counterpart(&workspace.tuple, &workspace.flow.translation);
    run.tables.flow(&workspace.other).is_none_or(|other| is_expired(&other, timeouts, protocol, now))
}

/// Removes both entries of the packet's flow.
#[inline(always)]
pub fn forget(run: &mut Run<'_, impl Packet, impl Tables>) {
    let workspace = &mut *run.workspace;
    workspace.other = counterpart(&workspace.tuple, &workspace.flow.translation);
    run.tables.remove_flow(&workspace.other);
    run.tables.remove_flow(&workspace.tuple);
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

/// Whether a flow of which these are both entries is over: what garbage collection asks.
#[must_use]
pub fn is_pair_expired(
    tuple: &Tuple,
    flow: &Flow,
    other: Option<&Flow>,
    timeouts: &Timeouts,
    now: u64,
) -> bool {
    is_expired(flow, timeouts, tuple.protocol, now)
        && other.is_none_or(|other| is_expired(other, timeouts, tuple.protocol, now))
}
