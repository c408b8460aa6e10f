//! May this flow be, and what becomes of it? Decided once for each flow and each set of rules.

mod outside;
mod ports;
mod target;
#[cfg(test)]
mod tests;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub use ports::is_linked;

use crate::{
    abi::{Address, Direction, Flow, Port, Tuple, Way, WayOut},
    conntrack::{self, Known},
    nat,
    packet::Packet,
    parse::TransportKind,
    run::Run,
    tables::{Insert, Tables, Tier},
    verdict::{DropReason, Exit},
};

/// Who opened a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Origin {
    /// The sandbox behind the workspace's source endpoint.
    Sandbox = 0,
    /// Somebody behind a host device.
    Outside = 1,
    /// A process of the host, whose port another flow has.
    Host = 2,
}

/// What was decided about a flow, before a source port is chosen; the ways are beside it in the workspace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Decision {
    /// To whom the packets go.
    pub destination: Address,
    /// As whom they come.
    pub source: Address,
    /// To which port.
    pub destination_port: Port,
    source_is_host: u16,
}

impl Decision {
    #[inline(always)]
    const fn set_destination(&mut self, address: Address, port: Port) {
        self.destination = address;
        self.destination_port = port;
    }

    #[inline(always)]
    const fn set_source(&mut self, address: Address, is_host: bool) {
        self.source = address;
        self.source_is_host = is_host as u16;
    }

    /// Whether `source` is an address of the host, so that its ports are shared with the host's sockets.
    #[inline(always)]
    #[must_use]
    pub const fn source_is_host(&self) -> bool {
        self.source_is_host != 0
    }
}

/// Decides about a new flow, or again about a known one whose rules have changed, and leaves its entry in the workspace.
///
/// What is asked is in the workspace. A flow that would be decided differently now ends; none begins with a sandbox's
/// packet that `leaves` the host by a way that is not the flow's.
#[inline(always)]
pub fn admit(run: &mut Run<'_, impl Packet, impl Tables>, leaves: bool) -> Result<(), Exit> {
    let (origin, known) = (run.workspace.origin(), run.workspace.known());
    if run.config.abi == 0 {
        return Err(DropReason::NotConfigured.into());
    }
    run.workspace.ingress = run.arrival.ifindex;
    if matches!(known, Known::No) {
        run.workspace.original = run.workspace.tuple;
        decide(run, origin)?;
    } else {
        let origin = recall(run);
        let decided = decide(run, origin);
        if decided.is_ok() && renew(run) {
            return Ok(());
        }
        conntrack::forget(run);
        if matches!(run.workspace.flow.direction(), Direction::Reply) {
            return decided.and(Err(DropReason::UnknownFlow.into()));
        }
        decided?;
    }
    let transport = &run.workspace.transport;
    if matches!(transport.kind(), TransportKind::EchoReply) || transport.is_reset() {
        // Only an answer to nothing looks like this; recording it would let anybody open flows backwards.
        return Err(DropReason::UnknownFlow.into());
    }
    if leaves
        && matches!(run.workspace.origin(), Origin::Sandbox)
        && !matches!(run.workspace.forward.way(), Some(Way::Uplink))
    {
        return Err(DropReason::Untranslated.into());
    }
    nat::record(run)?;
    Ok(())
}

/// Finds out again how a known flow began, from either of its entries.
#[inline(always)]
fn recall<P>(run: &mut Run<'_, P, impl Tables>) -> Origin {
    let workspace = &mut *run.workspace;
    workspace.other = conntrack::counterpart(&workspace.tuple, &workspace.flow.translation);
    match workspace.flow.direction() {
        Direction::Original => {
            workspace.original = workspace.tuple;
            workspace.reply = workspace.other;
        }
        Direction::Reply => {
            workspace.original = workspace.other;
            workspace.reply = workspace.tuple;
            workspace.ingress = workspace.flow.way_out.ifindex;
        }
    }
    if let Some(endpoint) = run.tables.endpoint(&workspace.original.source) {
        workspace.source = *endpoint;
        return Origin::Sandbox;
    }
    if run.tables.local(&workspace.original.source).is_some() { Origin::Host } else { Origin::Outside }
}

/// Confirms a known flow under the rules that are in force now; false if it has to end.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn renew<P>(run: &mut Run<'_, P, impl Tables>) -> bool {
    still_holds(run) && confirm(run)
}

/// Whether the answers that were expected would be the same, and the sandboxes are still the same ones: an address may
/// have been given to another since.
#[inline(always)]
fn still_holds<P>(run: &Run<'_, P, impl Tables>) -> bool {
    let workspace = &*run.workspace;
    let (decision, reply) = (&workspace.decision, &workspace.reply);
    let same_answers = decision.destination == reply.source
        && decision.destination_port == reply.source_port
        && decision.source == reply.destination;
    let (this, other) = match workspace.flow.direction() {
        Direction::Original => (&workspace.forward, &workspace.backward),
        Direction::Reply => (&workspace.backward, &workspace.forward),
    };
    same_answers
        && is_same_sandbox(&workspace.flow.way_out, this)
        && run.tables.flow(workspace.tier(), &workspace.other).is_none_or(|entry| {
            // Its tuple may be another flow's by now, which is not to be confirmed unasked.
            conntrack::counterpart(&workspace.other, &entry.translation) == workspace.tuple
                && is_same_sandbox(&entry.way_out, other)
        })
}

#[inline(always)]
fn is_same_sandbox(recorded: &WayOut, decided: &WayOut) -> bool {
    !matches!(recorded.way(), Some(Way::Sandbox)) || recorded.ifindex == decided.ifindex
}

/// Writes the ways that were decided now into both entries of the flow, and makes the one anew that has been displaced;
/// false if somebody else has its tuple by now.
#[inline(always)]
fn confirm<P>(run: &mut Run<'_, P, impl Tables>) -> bool {
    let workspace = &mut *run.workspace;
    let (epoch, now, tier) = (run.config.epoch, run.arrival.now, workspace.tier());
    if !run.tables.renew_flow(tier, &workspace.original, &workspace.forward, epoch) {
        workspace.entry.begin(Direction::Original, &workspace.forward, epoch, now);
        let after = workspace.reply.mirrored();
        nat::set_translation(&mut workspace.entry.translation, &workspace.original, &after);
        if !put_back(run.tables, tier, &workspace.original, &workspace.entry) {
            return false;
        }
    }
    if !run.tables.renew_flow(tier, &workspace.reply, &workspace.backward, epoch) {
        workspace.entry.begin(Direction::Reply, &workspace.backward, epoch, now);
        let after = workspace.original.mirrored();
        nat::set_translation(&mut workspace.entry.translation, &workspace.reply, &after);
        if !put_back(run.tables, tier, &workspace.reply, &workspace.entry) {
            return false;
        }
    }
    workspace.flow.epoch = epoch;
    workspace.flow.way_out = match workspace.flow.direction() {
        Direction::Original => workspace.forward,
        Direction::Reply => workspace.backward,
    };
    true
}

/// Adds an entry that has been displaced; false if another flow has its tuple by now, in either table.
#[inline(always)]
fn put_back(tables: &mut impl Tables, tier: Tier, tuple: &Tuple, entry: &Flow) -> bool {
    let is_assured = matches!(tier, Tier::Pending) && tables.flow(Tier::Assured, tuple).is_some();
    !is_assured && matches!(tables.insert_flow(tier, tuple, entry), Insert::Done)
}

/// A process of the host keeps its address and its way; that it had to give way is remembered for its later packets.
#[inline(always)]
fn keep_to_stack<P>(run: &mut Run<'_, P, impl Tables>) {
    let workspace = &mut *run.workspace;
    workspace.forward.set_stack();
    workspace.backward.set_stack();
    workspace.decision.set_destination(workspace.original.destination, workspace.original.destination_port);
    workspace.decision.set_source(workspace.original.source, true);
    let longest = u64::from(run.config.timeouts.tcp_established) * conntrack::NANOS_PER_SECOND;
    run.tables.set_host_flows_until(run.arrival.now + longest);
}

/// The decision itself, left in the workspace: where to and as whom.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn decide<P>(run: &mut Run<'_, P, impl Tables>, origin: Origin) -> Result<(), Exit> {
    if matches!(origin, Origin::Host) {
        keep_to_stack(run);
        return Ok(());
    }
    let destination = &run.workspace.original.destination;
    let from_sandbox = matches!(origin, Origin::Sandbox);
    if from_sandbox && destination.is_loopback() {
        return Err(DropReason::Martian.into());
    }
    if run.tables.local(destination).is_some() {
        return target::behind_host_port(run, origin);
    }
    if let Some(endpoint) = run.tables.endpoint(destination) {
        run.workspace.target = *endpoint;
        return target::at_own_address(run, origin);
    }
    if from_sandbox { outside::reach(run) } else { Err(Exit::Pass) }
}
