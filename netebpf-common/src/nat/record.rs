//! Records a flow under a source port that nobody else uses.
//!
//! Keeps the sender's own port when it is free, otherwise tries a bounded number of others. The insertion of the
//! reply's entry among the pending flows is the arbiter between CPUs: whoever inserts first has the port, unless an
//! assured flow has it already. As in `nf_nat`, one port may serve many remote addresses.

use super::{port_delta, set_translation};
use crate::{
    abi::{Direction, EventKind, Flow, FlowState, Port, Tuple, protocol},
    conntrack,
    packet::Packet,
    run::Run,
    tables::{Insert, Tables, Tier},
    verdict::DropReason,
};

/// How many source ports are tried before the packet is dropped.
pub const MAX_ATTEMPTS: u32 = 16;

/// Ports below this one belong to services (RFC 6335, system ports): they are kept, never chosen.
const FIRST_CHOSEN: u16 = 1024;

/// Records both directions of a new flow; its first packet's entry is left in the workspace.
#[cfg_attr(target_arch = "bpf", inline(never))]
pub fn record(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<(), DropReason> {
    expect_reply(run);
    run.workspace.set_tier(Tier::Pending);
    match claim(run) {
        Claim::Mine => return complete(run),
        Claim::Taken | Claim::HostSocket if has_ports(run.workspace.original.protocol) => {}
        Claim::Taken | Claim::HostSocket => return Err(DropReason::NatPortsExhausted),
        Claim::Refused(reason) => return Err(reason),
    }
    for attempt in 1..MAX_ATTEMPTS {
        try_other_port(run, attempt);
        match claim_unused(run) {
            Claim::Mine => return complete(run),
            Claim::Taken | Claim::HostSocket => {}
            Claim::Refused(reason) => return Err(reason),
        }
    }
    Err(DropReason::NatPortsExhausted)
}

/// Whether packets of a protocol have a source port or an identifier, which may be replaced.
const fn has_ports(number: u32) -> bool {
    const NUMBERS: [u8; 5] = [protocol::TCP, protocol::UDP, protocol::ICMP, protocol::ICMPV6, protocol::SCTP];
    let mut found = false;
    let mut at = 0;
    while at < NUMBERS.len() {
        found |= number == NUMBERS[at] as u32;
        at += 1;
    }
    found
}

/// Prepares the reply's entry under the sender's own port.
#[cfg_attr(target_arch = "bpf", inline(never))]
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
    workspace.entry.begin(Direction::Reply, &workspace.backward, run.config.epoch, run.arrival.now);
    set_translation(&mut workspace.entry.translation, &workspace.reply, &original.mirrored());
}

/// Puts the reply's entry under another port.
#[inline(always)]
fn try_other_port<P, T>(run: &mut Run<'_, P, T>, attempt: u32) {
    let workspace = &mut *run.workspace;
    workspace.reply.destination_port = candidate(&workspace.original, run.config.seed, attempt);
    workspace.entry.translation.port_delta = port_delta(&workspace.reply, &workspace.original.mirrored());
}

/// What came of trying to take a reply's tuple.
#[derive(Clone, Copy)]
enum Claim {
    /// It is this flow's from now on.
    Mine,
    /// Another flow has it.
    Taken,
    /// A socket of the host has it.
    HostSocket,
    /// It cannot be had now, and neither can another one.
    Refused(DropReason),
}

/// Tries to take the reply's tuple, from a flow that is over if need be.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn claim<P>(run: &mut Run<'_, P, impl Tables>) -> Claim {
    match insert(run) {
        Claim::Mine if is_assured(run) => Claim::Taken,
        Claim::Taken if take_over(run) && !is_assured(run) => Claim::Mine,
        claim @ (Claim::Mine | Claim::Taken | Claim::HostSocket | Claim::Refused(_)) => claim,
    }
}

/// Tries to take a tuple that no flow has, or that is this flow's own with its first half displaced.
///
/// That flows are not asked here whether they are over keeps the loop around this short for the verifier.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn claim_unused<P>(run: &mut Run<'_, P, impl Tables>) -> Claim {
    let claim = insert(run);
    let workspace = &mut *run.workspace;
    match claim {
        Claim::Mine if run.tables.flow(Tier::Assured, &workspace.reply).is_some() => {
            run.tables.remove_flow(Tier::Pending, &workspace.reply);
            Claim::Taken
        }
        Claim::Taken => {
            let Some(old) = run.tables.flow(Tier::Pending, &workspace.reply) else { return Claim::Taken };
            workspace.other = conntrack::counterpart(&workspace.reply, &old.translation);
            let is_own = workspace.other == workspace.original;
            if is_own && run.tables.replace_flow(Tier::Pending, &workspace.reply, &workspace.entry) {
                Claim::Mine
            } else {
                Claim::Taken
            }
        }
        claim @ (Claim::Mine | Claim::HostSocket | Claim::Refused(_)) => claim,
    }
}

/// Inserts the reply's entry unless its tuple is in use.
#[inline(always)]
fn insert<P>(run: &mut Run<'_, P, impl Tables>) -> Claim {
    let workspace = &mut *run.workspace;
    if run.tables.is_collecting(&workspace.original, &workspace.reply) {
        return Claim::Refused(DropReason::FlowEnding);
    }
    if workspace.decision.source_is_host() && run.tables.host_socket(&workspace.reply) {
        return Claim::HostSocket;
    }
    match run.tables.insert_flow(Tier::Pending, &workspace.reply, &workspace.entry) {
        Insert::Done => Claim::Mine,
        Insert::Full => Claim::Refused(DropReason::FlowTableFull),
        Insert::Exists => Claim::Taken,
    }
}

/// Takes a tuple whose pending flow is over, or is this one with its first half displaced; false if it is another's.
#[inline(always)]
fn take_over<P>(run: &mut Run<'_, P, impl Tables>) -> bool {
    let workspace = &mut *run.workspace;
    let Some(old) = run.tables.flow(Tier::Pending, &workspace.reply) else { return false };
    workspace.other = conntrack::counterpart(&workspace.reply, &old.translation);
    let is_own = workspace.other == workspace.original;
    if !is_own && !is_free(run, old, Tier::Pending) {
        return false;
    }
    let workspace = &mut *run.workspace;
    if is_own {
        run.tables.remove_flow(Tier::Pending, &workspace.reply);
    } else {
        conntrack::remove(run.tables, Tier::Pending, &workspace.reply, &workspace.other);
    }
    !run.tables.is_collecting(&workspace.original, &workspace.reply)
        && matches!(run.tables.insert_flow(Tier::Pending, &workspace.reply, &workspace.entry), Insert::Done)
}

/// Whether an assured flow has the tuple that was just taken, which is then given back. One that is over gives way.
#[inline(always)]
fn is_assured<P>(run: &mut Run<'_, P, impl Tables>) -> bool {
    let workspace = &mut *run.workspace;
    let Some(old) = run.tables.flow(Tier::Assured, &workspace.reply) else { return false };
    workspace.other = conntrack::counterpart(&workspace.reply, &old.translation);
    let free = workspace.other == workspace.original || is_free(run, old, Tier::Assured);
    let workspace = &mut *run.workspace;
    if free {
        conntrack::remove(run.tables, Tier::Assured, &workspace.reply, &workspace.other);
        return false;
    }
    run.tables.remove_flow(Tier::Pending, &workspace.reply);
    true
}

/// Whether a live flow has the tuple that answers to the packet would have; one that is over gives it up.
#[cfg_attr(target_arch = "bpf", inline(never))]
pub fn is_taken<P>(run: &mut Run<'_, P, impl Tables>) -> bool {
    run.workspace.reply = run.workspace.tuple.mirrored();
    is_taken_in(run, Tier::Assured) || is_taken_in(run, Tier::Pending)
}

#[inline(always)]
fn is_taken_in<P>(run: &mut Run<'_, P, impl Tables>, tier: Tier) -> bool {
    let workspace = &mut *run.workspace;
    let Some(old) = run.tables.flow(tier, &workspace.reply) else { return false };
    workspace.other = conntrack::counterpart(&workspace.reply, &old.translation);
    if !is_free(run, old, tier) {
        return true;
    }
    let workspace = &mut *run.workspace;
    conntrack::remove(run.tables, tier, &workspace.reply, &workspace.other);
    false
}

/// Whether the flow with this entry under the reply's tuple is over.
#[inline(always)]
fn is_free<P>(run: &Run<'_, P, impl Tables>, old: &Flow, tier: Tier) -> bool {
    let workspace = &*run.workspace;
    let find = || run.tables.flow(tier, &workspace.other);
    let (timeouts, now) = (&run.config.timeouts, run.arrival.now);
    matches!(old.state(), FlowState::Closed | FlowState::Reset)
        || conntrack::is_over(old, workspace.reply.protocol, find, timeouts, now)
}

/// Adds the original direction's entry; takes the reply's back if that fails.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn complete(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<(), DropReason> {
    let workspace = &mut *run.workspace;
    workspace.flow.begin(Direction::Original, &workspace.forward, run.config.epoch, run.arrival.now);
    set_translation(&mut workspace.flow.translation, &workspace.original, &workspace.reply.mirrored());
    workspace.flow.packets = 1;
    workspace.flow.bytes = u64::from(run.packet.length());
    if run.tables.replace_flow(Tier::Pending, &workspace.original, &workspace.flow) {
        workspace.set_turn(EventKind::FlowNew);
        return Ok(());
    }
    run.tables.remove_flow(Tier::Pending, &workspace.reply);
    Err(DropReason::FlowTableFull)
}

/// Another source port to try, one that an outsider cannot guess (RFC 6056).
#[inline(always)]
fn candidate(original: &Tuple, seed: u32, attempt: u32) -> Port {
    let [a, b, c, d] = mix(original, seed).wrapping_add(attempt.wrapping_mul(0x9e37_79b9)).to_le_bytes();
    let number = u16::from_le_bytes([a ^ c, b ^ d]);
    let is_echo =
        original.protocol == u32::from(protocol::ICMP) || original.protocol == u32::from(protocol::ICMPV6);
    Port::new(if is_echo || number >= FIRST_CHOSEN { number } else { number | FIRST_CHOSEN })
}

#[inline(always)]
fn mix(tuple: &Tuple, seed: u32) -> u32 {
    let ports = u32::from(tuple.source_port.wire()) << 16 | u32::from(tuple.destination_port.wire());
    let (source, destination) = (tuple.source.words(), tuple.destination.words());
    let mut hash = seed;
    for word in [
        source[0] ^ source[3],
        source[1] ^ source[2],
        destination[0] ^ destination[3],
        destination[1] ^ destination[2],
        ports,
    ] {
        hash = (hash ^ word).wrapping_mul(0x85eb_ca6b);
        hash ^= hash >> 13;
    }
    hash
}
