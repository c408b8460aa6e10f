//! Is this packet part of a flow that was decided before?

mod state;
#[cfg(test)]
mod tests;

pub use state::{is_expired, next_state};

use crate::{
    abi::{Flow, FlowState, Timeouts, Translation, Tuple},
    packet::Packet,
    run::{Run, Workspace},
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
    if reopened || has_ended(run) {
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

/// Whether the packet's flow is over; see [`is_over`].
#[inline(always)]
fn has_ended(run: &mut Run<'_, impl Packet, impl Tables>) -> bool {
    let Workspace { flow, tuple, other, .. } = &mut *run.workspace;
    let find = || {
        *other = counterpart(tuple, &flow.translation);
        run.tables.flow(other)
    };
    is_over(flow, tuple.protocol, find, &run.config.timeouts, run.arrival.now)
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

/// Whether both directions of a flow have been idle for too long; one that still passes packets keeps the other alive.
///
/// `find` looks the other entry up, and is asked only if this one is idle; `now` as in [`is_expired`].
#[inline(always)]
pub fn is_over(
    flow: &Flow,
    protocol: u32,
    find: impl FnOnce() -> Option<Flow>,
    timeouts: &Timeouts,
    now: u64,
) -> bool {
    is_expired(flow, timeouts, protocol, now)
        && find().is_none_or(|other| is_expired(&other, timeouts, protocol, now))
}
