//! An endpoint's veth: what its sandbox sends, and what bridge and host stack deliver to it.

use super::{
    Step, arp, conclude,
    flow::{quotes_receiver, route},
    resolver, source,
};
use crate::{
    abi::{Address, Endpoint, EndpointFlags, Family, LinkKey, TrustKey},
    admission::is_linked,
    packet::Packet,
    parse::{Network, TransportKind, parse, transport},
    run::{Mark, Run},
    tables::Tables,
    verdict::{DropReason, Exit, Verdict},
};

/// A packet leaves a sandbox: checks its source, then takes the shortest way to where it may go.
#[inline(always)]
pub(super) fn from_container(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    let network = parse(run)?;
    let family = match network {
        Network::Ip => run.workspace.frame.family(),
        Network::Arp | Network::Other => Family::V4,
    };
    let link = LinkKey::new(run.arrival.ifindex, family);
    let speaks = if let Some(endpoint) = run.tables.endpoint_on_link(link) {
        run.workspace.source = *endpoint;
        true
    } else {
        find_other_family(run, family)?;
        false
    };
    match network {
        Network::Arp => return arp::from_container(run, speaks),
        Network::Ip if !speaks => return without_address(run, family),
        Network::Ip | Network::Other => {}
    }
    source::check(run, network)?;
    let (frame, tuple, endpoint) = (&run.workspace.frame, &run.workspace.tuple, &run.workspace.source);
    if !matches!(network, Network::Ip) || frame.destination_mac.is_group() {
        return Err(Exit::Pass);
    }
    if tuple.destination.is_link_local_v6() || tuple.source.is_link_local_v6() {
        return link_local(run);
    }
    if resolver::is_meant(tuple.destination) {
        return Ok(Step::Ask);
    }
    if is_neighbour(tuple.destination, endpoint) {
        return to_neighbour(run);
    }
    if frame.destination_mac != endpoint.bridge_mac {
        // Its router is somebody on the segment: the bridge carries the frame, and the gate at its other end decides.
        return over_segment(run);
    }
    route(run)
}

/// The link has no address of an IP version: its endpoint is found by the other's.
#[inline(always)]
fn find_other_family<P>(run: &mut Run<'_, P, impl Tables>, family: Family) -> Result<(), DropReason> {
    let other = match family {
        Family::V4 => Family::V6,
        Family::V6 => Family::V4,
    };
    let link = LinkKey::new(run.arrival.ifindex, other);
    run.workspace.source = *run.tables.endpoint_on_link(link).ok_or(DropReason::UnknownEndpoint)?;
    Ok(())
}

/// It may not speak the version that it has no address of, but to the name server.
#[inline(always)]
fn without_address<P, T>(run: &Run<'_, P, T>, family: Family) -> Result<Step, Exit> {
    let (frame, tuple) = (&run.workspace.frame, &run.workspace.tuple);
    match family {
        Family::V6 => Err(DropReason::Ipv6Disabled.into()),
        Family::V4
            if frame.source_mac == run.workspace.source.mac
                && resolver::is_asked_without_ipv4(tuple.source, tuple.destination) =>
        {
            Ok(Step::Ask)
        }
        Family::V4 => Err(DropReason::Ipv4Disabled.into()),
    }
}

/// Link-local addresses never leave their segment (RFC 4291, 2.5.6): either the host is meant, or another container.
#[inline(always)]
fn link_local<T>(run: &Run<'_, impl Packet, T>) -> Result<Step, Exit> {
    let to_host = run.workspace.frame.destination_mac == run.workspace.source.bridge_mac;
    if to_host { Err(Exit::Pass) } else { over_segment(run) }
}

/// To somebody on the segment whom no endpoint's address names: ICC is all that is to be asked.
#[inline(always)]
fn over_segment<T>(run: &Run<'_, impl Packet, T>) -> Result<Step, Exit> {
    if run.workspace.source.flags.contains(EndpointFlags::ICC) || source::finds_neighbours(run) {
        Err(Exit::Pass)
    } else {
        Err(DropReason::IccDisabled.into())
    }
}

/// Whether an address lies in the endpoint's own subnet, its gateway excepted.
#[inline(always)]
pub(super) fn is_neighbour(destination: Address, endpoint: &Endpoint) -> bool {
    destination.matches(endpoint.address, endpoint.mask) && destination != endpoint.gateway
}

/// Within a network nothing is tracked: one lookup says whether and where to.
#[inline(always)]
fn to_neighbour(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    let destination = &run.workspace.tuple.destination;
    let Some(target) = run.tables.endpoint(destination) else {
        return if run.tables.local(destination).is_some() { Err(Exit::Pass) } else { over_segment(run) };
    };
    let (frame, endpoint) = (&run.workspace.frame, &run.workspace.source);
    let (ifindex, direct) = (target.ifindex, target.mac == frame.destination_mac);
    let direct = direct && ifindex != endpoint.ifindex;
    if !endpoint.flags.contains(EndpointFlags::ICC) && !source::finds_neighbours(run) {
        by_link(run)?;
    }
    if direct { Ok(conclude(run, Verdict::ToSandbox { ifindex })) } else { Err(Exit::Pass) }
}

/// A packet enters a sandbox by the slow way: from the host, or over the bridge.
#[inline(always)]
pub(super) fn to_container(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Step, Exit> {
    if run.arrival.ingress == 0 || matches!(run.arrival.mark, Mark::Decided) {
        return Err(Exit::Pass);
    }
    if !matches!(parse(run)?, Network::Ip) {
        return Err(Exit::Pass);
    }
    let family = run.workspace.frame.family();
    let link = LinkKey::new(run.arrival.ifindex, family);
    let endpoint = run.tables.endpoint_on_link(link).ok_or(DropReason::UnknownEndpoint)?;
    let (bridge, flags) = (endpoint.bridge, endpoint.flags);
    match from_elsewhere(run, bridge, flags) {
        Err(Exit::Drop(DropReason::DirectAccess)) if is_machine(run, bridge) || is_on_link(run, bridge) => {
            within_network(run, flags)
        }
        step => step,
    }
}

/// Whether the packet came by a port of the bridge into which the user plugged something, and not in the host's name.
#[inline(always)]
fn is_machine<P>(run: &Run<'_, P, impl Tables>, bridge: u32) -> bool {
    let key = TrustKey { bridge, ingress: run.arrival.ingress };
    run.tables.trusted(&key) && run.tables.local(&run.workspace.tuple.source).is_none()
}

/// Whether the source is a link-local address, in the same network, of the sandbox that sent the packet.
#[inline(always)]
fn is_on_link<P>(run: &Run<'_, P, impl Tables>, bridge: u32) -> bool {
    let source = run.workspace.tuple.source;
    let sender = run.tables.endpoint(&source.on_link(run.arrival.ingress));
    sender.is_some_and(|sender| sender.bridge == bridge && sender.address == source)
}

/// A packet that the bridge or the host stack carries into the network `bridge`; `flags` are the network's.
#[inline(always)]
pub(super) fn from_elsewhere(
    run: &mut Run<'_, impl Packet, impl Tables>,
    bridge: u32,
    flags: EndpointFlags,
) -> Result<Step, Exit> {
    let (source, ingress) = (run.workspace.tuple.source, run.arrival.ingress);
    if source.is_unspecified() || source.is_link_local_v6() {
        // Nobody routes these, so the sender is in the same network.
        return within_network(run, flags);
    }
    match run.tables.endpoint(&source) {
        Some(source) if source.bridge == bridge => {
            let flags = source.flags;
            if ingress != source.ifindex && ingress != bridge {
                return Err(DropReason::Spoofed.into());
            }
            within_network(run, flags)
        }
        Some(_) => Err(DropReason::Isolated.into()),
        None => Err(DropReason::DirectAccess.into()),
    }
}

#[inline(always)]
fn within_network(run: &mut Run<'_, impl Packet, impl Tables>, flags: EndpointFlags) -> Result<Step, Exit> {
    if !flags.contains(EndpointFlags::ICC) && !source::finds_neighbours(run) {
        by_link(run)?;
    }
    Err(Exit::Pass)
}

/// Without ICC only what a link opens may pass, and errors about it.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn by_link(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<(), DropReason> {
    transport(run).map_err(|_| DropReason::IccDisabled)?;
    let linked = if matches!(run.workspace.transport.kind(), TransportKind::Error) {
        quotes_receiver(run)
            && run.workspace.quoted.reply.source == run.workspace.tuple.source
            && is_linked(run, &run.workspace.quoted.reply)
    } else {
        is_linked(run, &run.workspace.tuple)
    };
    if linked { Ok(()) } else { Err(DropReason::IccDisabled) }
}
