//! Records a flow under a source port that nobody else uses.
//!
//! Keeps the sender's own port when it is free, otherwise tries a bounded number of others. The insertion of the
//! reply's entry is the arbiter between CPUs: whoever inserts first has the port. As in `nf_nat`, one port may serve
//! many remote addresses.

use super::{port_delta, translation};
use crate::{
    abi::{Direction, Flow, FlowState, Port, Tuple, protocol},
    conntrack,
    run::Run,
    tables::{Insert, Tables},
    verdict::DropReason,
};

/// How many source ports are tried before the packet is dropped.
pub const MAX_ATTEMPTS: u32 = 16;

/// Ports below this one belong to services (RFC 6335, system ports): they are kept, never chosen.
const FIRST_CHOSEN: u16 = 1024;

/// Records both directions of a new flow; its first packet's entry is left in the workspace.
#[inline(always)]
pub fn record<P>(run: &mut Run<'_, P, impl Tables>) -> Result<(), DropReason> {
    expect_reply(run);
    let mut attempt = 0;
    loop {
        match claim(run)? {
            Claim::Mine => break,
            Claim::OtherFlow if attempt == 0 && take_over(run) => break,
            Claim::OtherFlow | Claim::HostSocket => {}
        }
        attempt += 1;
        if attempt == MAX_ATTEMPTS {
            return Err(DropReason::NatPortsExhausted);
        }
        try_other_port(run, attempt);
    }
    complete(run)
}

/// Prepares the reply's entry under the sender's own port.
#[inline(always)]
fn expect_reply<P, T>(run: &mut Run<'_, P, T>) {
    let workspace = &mut *run.workspace;
    let (original, decision) = (&workspace.original, &workspace.decision);
    workspace.reply = Tuple {
        source: decision.destination,
        destination: decision.source,
        source_port: decision.destination_port,
        destination_port: original.source_port,
        protocol: original.protocol,
    };
    let back = translation(&workspace.reply, &original.mirrored());
    workspace.entry =
        Flow::new(Direction::Reply, back, workspace.backward, run.config.epoch, run.arrival.now);
}

/// Puts the reply's entry under another port.
#[inline(always)]
fn try_other_port<P, T>(run: &mut Run<'_, P, T>, attempt: u32) {
    let workspace = &mut *run.workspace;
    workspace.reply.destination_port = candidate(&workspace.original, run.config.seed, attempt);
    workspace.entry.translation.port_delta = port_delta(&workspace.reply, &workspace.original.mirrored());
}

/// Who has a reply's tuple.
enum Claim {
    /// This flow, from now on.
    Mine,
    /// Another flow.
    OtherFlow,
    /// A socket of the host.
    HostSocket,
}

/// Tries to take the reply's tuple.
#[inline(always)]
fn claim<P>(run: &mut Run<'_, P, impl Tables>) -> Result<Claim, DropReason> {
    let workspace = &mut *run.workspace;
    if workspace.decision.source_is_host() && run.tables.host_socket(&workspace.reply) {
        return Ok(Claim::HostSocket);
    }
    match run.tables.insert_flow(&workspace.reply, &workspace.entry) {
        Insert::Done => Ok(Claim::Mine),
        Insert::Full => Err(DropReason::FlowTableFull),
        Insert::Exists => Ok(Claim::OtherFlow),
    }
}

/// Takes a tuple whose flow is over; false if it is alive.
#[inline(always)]
fn take_over<P>(run: &mut Run<'_, P, impl Tables>) -> bool {
    let workspace = &mut *run.workspace;
    let Some(old) = run.tables.flow(&workspace.reply) else { return false };
    workspace.other = conntrack::counterpart(&workspace.reply, &old.translation);
    let find = || run.tables.flow(&workspace.other);
    let (timeouts, now) = (&run.config.timeouts, run.arrival.now);
    let over = matches!(old.state(), FlowState::Closed)
        || conntrack::is_over(&old, workspace.reply.protocol, find, timeouts, now);
    if !over {
        return false;
    }
    run.tables.remove_flow(&workspace.other);
    run.tables.remove_flow(&workspace.reply);
    matches!(run.tables.insert_flow(&workspace.reply, &workspace.entry), Insert::Done)
}

/// Adds the original direction's entry; takes the reply's back if that fails.
#[inline(always)]
fn complete<P>(run: &mut Run<'_, P, impl Tables>) -> Result<(), DropReason> {
    let workspace = &mut *run.workspace;
    let there = translation(&workspace.original, &workspace.reply.mirrored());
    workspace.flow =
        Flow::new(Direction::Original, there, workspace.forward, run.config.epoch, run.arrival.now);
    if run.tables.replace_flow(&workspace.original, &workspace.flow) {
        return Ok(());
    }
    run.tables.remove_flow(&workspace.reply);
    Err(DropReason::FlowTableFull)
}

/// Another source port to try, one that an outsider cannot guess (RFC 6056).
#[inline(always)]
fn candidate(original: &Tuple, seed: u32, attempt: u32) -> Port {
    let [a, b, c, d] = mix(original, seed).wrapping_add(attempt.wrapping_mul(0x9e37_79b9)).to_le_bytes();
    let number = u16::from_le_bytes([a ^ c, b ^ d]);
    let is_echo = original.protocol == u32::from(protocol::ICMP);
    Port::new(if is_echo || number >= FIRST_CHOSEN { number } else { number | FIRST_CHOSEN })
}

#[inline(always)]
fn mix(tuple: &Tuple, seed: u32) -> u32 {
    let ports = u32::from(tuple.source_port.wire()) << 16 | u32::from(tuple.destination_port.wire());
    let mut hash = seed;
    for word in [tuple.source.words()[3], tuple.destination.words()[3], ports] {
        hash = (hash ^ word).wrapping_mul(0x85eb_ca6b);
        hash ^= hash >> 13;
    }
    hash
}
