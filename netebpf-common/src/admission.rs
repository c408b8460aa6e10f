//! May this flow be, and what becomes of it? Decided once for each flow and each set of rules.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{
    abi::{Address, Direction, EndpointFlags, Family, LinkKey, Port, PublishKey, WayOut},
    conntrack, nat,
    packet::Packet,
    parse::TransportKind,
    run::Run,
    tables::Tables,
    verdict::DropReason,
};

/// Who opened a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The sandbox behind the workspace's source endpoint.
    Sandbox,
    /// Somebody behind a host device.
    Outside,
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
    const fn new(
        destination: Address,
        destination_port: Port,
        source: Address,
        source_is_host: bool,
    ) -> Self {
        Self { destination, source, destination_port, source_is_host: source_is_host as u16 }
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
/// False if the packet is the host's own business. A flow that would be decided differently now ends.
#[inline(always)]
pub fn admit(
    run: &mut Run<'_, impl Packet, impl Tables>,
    origin: Origin,
    known: bool,
) -> Result<bool, DropReason> {
    let origin = if known { recall(run) } else { begin(run, origin) };
    let decided = decide(run, origin);
    if known {
        if decided == Ok(true) && still_holds(run) {
            confirm(run);
            return Ok(true);
        }
        conntrack::forget(run);
        if run.workspace.flow.direction() as u8 == Direction::Reply as u8 {
            return Err(decided.err().unwrap_or(DropReason::UnknownFlow));
        }
    }
    if !decided? {
        return Ok(false);
    }
    let transport = &run.workspace.transport;
    if matches!(transport.kind(), TransportKind::EchoReply) || transport.is_reset() {
        // Only an answer to nothing looks like this; recording it would let anybody open flows backwards.
        return Err(DropReason::UnknownFlow);
    }
    nat::record(run).map(|()| true)
}

/// A new flow begins with this packet.
#[inline(always)]
fn begin<P, T>(run: &mut Run<'_, P, T>, origin: Origin) -> Origin {
    run.workspace.original = run.workspace.tuple;
    origin
}

/// Finds out again how a known flow began, from either of its entries.
#[inline(always)]
fn recall<P>(run: &mut Run<'_, P, impl Tables>) -> Origin {
    let workspace = &mut *run.workspace;
    workspace.other = conntrack::counterpart(&workspace.tuple, &workspace.flow.translation);
    (workspace.original, workspace.reply) = match workspace.flow.direction() {
        Direction::Original => (workspace.tuple, workspace.other),
        Direction::Reply => (workspace.other, workspace.tuple),
    };
    match run.tables.endpoint(workspace.original.source) {
        Some(endpoint) => {
            workspace.source = endpoint;
            Origin::Sandbox
        }
        None => Origin::Outside,
    }
}

/// Whether the answers that were expected would be the same.
#[inline(always)]
fn still_holds<P, T>(run: &Run<'_, P, T>) -> bool {
    let (decision, reply) = (&run.workspace.decision, &run.workspace.reply);
    decision.destination == reply.source
        && decision.destination_port == reply.source_port
        && decision.source == reply.destination
}

/// Writes the ways that were decided now into both entries of the flow.
#[inline(always)]
fn confirm<P>(run: &mut Run<'_, P, impl Tables>) {
    let workspace = &mut *run.workspace;
    let epoch = run.config.epoch;
    run.tables.renew_flow(&workspace.original, &workspace.forward, epoch);
    run.tables.renew_flow(&workspace.reply, &workspace.backward, epoch);
    workspace.flow.epoch = epoch;
    workspace.flow.way_out = match workspace.flow.direction() {
        Direction::Original => workspace.forward,
        Direction::Reply => workspace.backward,
    };
}

/// The decision itself, left in the workspace: where to and as whom. False if the host stack is to have the packet.
#[inline(always)]
fn decide<P>(run: &mut Run<'_, P, impl Tables>, origin: Origin) -> Result<bool, DropReason> {
    let destination = run.workspace.original.destination;
    let from_sandbox = matches!(origin, Origin::Sandbox);
    if from_sandbox && destination.is_loopback_v4() {
        return Err(DropReason::Martian);
    }
    if run.tables.local(destination).is_some() {
        return to_published_port(run, from_sandbox);
    }
    if from_sandbox { to_outside(run) } else { Ok(false) }
}

/// To an address of the host: the endpoint that published the port, if any.
///
/// A container comes as the gateway of the endpoint's network, so that the answer finds its way; others as themselves.
#[inline(always)]
fn to_published_port<P>(run: &mut Run<'_, P, impl Tables>, from_sandbox: bool) -> Result<bool, DropReason> {
    let Some(destination_port) = find_target(run) else { return Ok(false) };
    let workspace = &mut *run.workspace;
    let (source, target) = (&workspace.source, &workspace.target);
    workspace.forward = WayOut::sandbox(target.ifindex, target.mac, target.bridge_mac);
    let client = workspace.original.source;
    if from_sandbox {
        if source.flags.contains(EndpointFlags::INTERNAL) {
            return Err(DropReason::Internal);
        }
        workspace.backward = WayOut::sandbox(source.ifindex, source.mac, source.bridge_mac);
    } else {
        let back = run.tables.route(target.bridge, workspace.original.destination, client);
        let back = back.ok_or(DropReason::NoRoute)?;
        if run.tables.uplink(LinkKey::new(back.ifindex, Family::V4)).is_none() {
            // A client outside that calls itself a container: the answer would go to that container.
            return Err(DropReason::Martian);
        }
        workspace.backward = WayOut::uplink(back.ifindex, back.next_hop);
    }
    let source = if from_sandbox { target.gateway } else { client };
    workspace.decision = Decision::new(target.address, destination_port, source, from_sandbox);
    Ok(true)
}

/// From a sandbox to the world outside: masqueraded as the host device by which the route leaves.
#[inline(always)]
fn to_outside<P>(run: &mut Run<'_, P, impl Tables>) -> Result<bool, DropReason> {
    let workspace = &mut *run.workspace;
    let (original, source) = (&workspace.original, &workspace.source);
    if run.tables.endpoint(original.destination).is_some() {
        return Err(DropReason::Isolated);
    }
    if source.flags.contains(EndpointFlags::INTERNAL) {
        return Err(DropReason::Internal);
    }
    let Some(route) = run.tables.route(source.bridge, original.source, original.destination) else {
        // The host stack answers with "network unreachable".
        return Ok(false);
    };
    let uplink =
        run.tables.uplink(LinkKey::new(route.ifindex, Family::V4)).ok_or(DropReason::NoUplinkAddress)?;
    workspace.backward = WayOut::sandbox(source.ifindex, source.mac, source.bridge_mac);
    workspace.forward = WayOut::uplink(route.ifindex, route.next_hop);
    workspace.decision = Decision::new(original.destination, original.destination_port, uplink.address, true);
    Ok(true)
}

/// Leaves the endpoint that answers for a port of the host in the workspace, and returns the port in its sandbox.
///
/// The address itself comes first, then the wildcard.
#[inline(always)]
fn find_target<P>(run: &mut Run<'_, P, impl Tables>) -> Option<Port> {
    let original = &run.workspace.original;
    let protocol = original.protocol.to_le_bytes()[0];
    let exact = PublishKey::new(original.destination, original.destination_port, protocol);
    let any = PublishKey::new(Address::UNSPECIFIED_V4, original.destination_port, protocol);
    let target = run.tables.published(&exact).or_else(|| run.tables.published(&any))?;
    run.workspace.target = run.tables.endpoint(target.address)?;
    Some(target.port)
}
