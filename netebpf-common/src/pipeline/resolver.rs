//! What sandboxes send to the name server's address, and what comes back: no part of it ever meets the host's stack.
//!
//! Nothing is remembered of it. A packet gets a source address that is its endpoint's number, and so its answer finds back;
//! endpoints with the same address, or without one, are told apart by it as well.

use super::{Step, conclude, flow};
use crate::{
    abi::{Address, Family, LinkKey, Mac, Port},
    dns::{self, CLIENT_ADDRESS_WITHOUT_IPV4, PORT, RESOLVER_ADDRESS, Reply, client_address, client_link},
    nat::{self, Hop},
    packet::Packet,
    parse::{Fragment, Network, TransportKind, parse, transport},
    run::Run,
    tables::Tables,
    verdict::{DropReason, Exit, Verdict},
};

/// The MAC of the name server's end of its device, and that from which its answers come to sandboxes.
pub const RESOLVER_MAC: Mac = Mac([0x02, 0x4e, 0x45, 0x42, 0x00, 0x35]);

/// Whether a packet goes to the name server.
#[inline(always)]
pub(super) const fn is_meant(destination: Address) -> bool {
    destination.v4_wire() == RESOLVER_ADDRESS.v4_wire() && destination.is_v4()
}

/// A packet of the workspace's source endpoint to the name server: a query is answered if it can be, else it goes there.
#[inline(always)]
pub(super) fn ask(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, DropReason> {
    let ifindex = run.arrival.ifindex;
    run.tables.view(ifindex).ok_or(DropReason::NoResolver)?;
    let port = |run: &Run<'_, _, _>| run.workspace.tuple.destination_port;
    let kind = whole_transport(run, port)?;
    if matches!(kind, TransportKind::Udp) && dns::read(run) {
        match dns::answer(run) {
            Reply::Made => {
                if let Some(asker) = run.tables.asker(ifindex) {
                    asker.answered = asker.answered.wrapping_add(1);
                }
                return Ok(conclude(run, Verdict::Answered { ifindex }));
            }
            Reply::AskServer => {}
            Reply::Failed => return Err(DropReason::RewriteFailed),
        }
    }
    to_server(run)
}

/// Reads the transport header of a packet that must be whole, and UDP or TCP with the name server's port at one end.
#[inline(always)]
fn whole_transport<P: Packet, T: Tables>(
    run: &mut Run<'_, P, T>,
    port: impl FnOnce(&Run<'_, P, T>) -> Port,
) -> Result<TransportKind, DropReason> {
    if !matches!(run.workspace.frame.fragment(), Fragment::Whole) {
        return Err(DropReason::NotDns);
    }
    transport(run).map_err(|_| DropReason::NotDns)?;
    let kind = run.workspace.transport.kind();
    let is_dns = matches!(kind, TransportKind::Udp | TransportKind::Tcp) && port(run) == Port::new(PORT);
    if is_dns { Ok(kind) } else { Err(DropReason::NotDns) }
}

/// Sends the packet to the name server, as coming from its endpoint's number.
#[inline(always)]
fn to_server(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, DropReason> {
    let resolver = &run.config.resolver;
    let number = client_address(run.arrival.ifindex);
    let (Some(client), true) = (number, resolver.ifindex != 0) else { return Err(DropReason::NoResolver) };
    let (length, now) = (run.workspace.frame.payload_length, run.arrival.now);
    let asker = run.tables.asker(run.arrival.ifindex).ok_or(DropReason::QueriesLimited)?;
    if !asker.admit(resolver.limit, length, now) {
        return Err(DropReason::QueriesLimited);
    }
    let workspace = &mut *run.workspace;
    workspace.reply = workspace.tuple;
    workspace.reply.source = client;
    let flow = &mut workspace.flow;
    nat::set_translation(&mut flow.translation, &workspace.tuple, &workspace.reply);
    flow.way_out.set_resolver(resolver.ifindex, RESOLVER_MAC, workspace.source.mac);
    Ok(Step::Forward)
}

/// A packet from the name server: to the endpoint whose number it is addressed to.
#[inline(always)]
pub(super) fn from_resolver(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    if !matches!(parse(run), Ok(Network::Ip)) || run.workspace.tuple.source != RESOLVER_ADDRESS {
        return Err(DropReason::NotDns.into());
    }
    let ifindex = client_link(run.workspace.tuple.destination).ok_or(DropReason::NotDns)?;
    whole_transport(run, |run| run.workspace.tuple.source_port)?;
    let with_v4 = run.tables.endpoint_on_link(LinkKey::new(ifindex, Family::V4));
    let (endpoint, has_v4) = match with_v4 {
        Some(endpoint) => (endpoint, true),
        None => (
            run.tables
                .endpoint_on_link(LinkKey::new(ifindex, Family::V6))
                .ok_or(DropReason::UnknownEndpoint)?,
            false,
        ),
    };
    let workspace = &mut *run.workspace;
    workspace.reply = workspace.tuple;
    workspace.reply.destination = if has_v4 { endpoint.address } else { CLIENT_ADDRESS_WITHOUT_IPV4 };
    let flow = &mut workspace.flow;
    nat::set_translation(&mut flow.translation, &workspace.tuple, &workspace.reply);
    flow.way_out.set_sandbox(ifindex, endpoint.mac, RESOLVER_MAC);
    if let Some(asker) = run.tables.asker(ifindex) {
        asker.settle(run.config.resolver.limit);
    }
    Ok(Step::Forward)
}

/// The packet of the name server enters the sandbox.
#[inline(always)]
pub(super) fn inwards<T>(run: &mut Run<'_, impl Packet, T>) -> Result<Verdict, Exit> {
    let ifindex = run.workspace.flow.way_out.ifindex;
    flow::translate(run, Hop::IntoSandbox)?;
    Ok(Verdict::ToSandbox { ifindex })
}

/// Whether a packet on a link without IPv4 goes to the name server, from the address that is kept for this.
#[inline(always)]
pub(super) fn is_asked_without_ipv4(source: Address, destination: Address) -> bool {
    source == CLIENT_ADDRESS_WITHOUT_IPV4 && is_meant(destination)
}
