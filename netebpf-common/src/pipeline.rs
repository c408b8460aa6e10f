//! The whole path of a packet, hook by hook.
//!
//! What must never leak is enforced at the choke points (`from_bridge`, `to_bridge`, `from_netdev`, `to_netdev`), which
//! exist before any sandbox does. The hooks on an endpoint's veth take the fast way and add what only they can see.

use crate::{
    abi::{Address, Endpoint, EndpointFlags, Family, Hook, LinkKey},
    admission::{self, Origin},
    conntrack, nat,
    packet::Packet,
    parse::{Network, parse, transport},
    run::{Note, Run},
    tables::Tables,
    verdict::{DropReason, Verdict},
};

/// Decides what becomes of a packet at a hook, and rewrites it where that is part of the decision.
#[inline(always)]
pub fn decide(hook: Hook, run: &mut Run<'_, impl Packet, impl Tables>) -> Verdict {
    let verdict = match hook {
        Hook::FromContainer => from_container(run),
        Hook::ToContainer => to_container(run),
        Hook::FromBridge => from_bridge(run),
        Hook::ToBridge => to_bridge(run),
        Hook::FromNetdev => from_netdev(run),
        Hook::ToNetdev => to_netdev(run),
        Hook::Socket => Ok(Verdict::Pass),
    };
    let verdict = verdict.unwrap_or_else(Verdict::Drop);
    run.workspace.outcome = Note::of(verdict);
    verdict
}

/// A packet leaves a sandbox: checks its source, then takes the shortest way to where it may go.
#[inline(always)]
fn from_container(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    match parse(run)? {
        Network::Ipv4 => {}
        Network::Ipv6 => return Err(DropReason::Ipv6Disabled),
        Network::Other => return Ok(Verdict::Pass),
    }
    let link = LinkKey::new(run.arrival.ifindex, Family::V4);
    run.workspace.source = run.tables.endpoint_on_link(link).ok_or(DropReason::UnknownEndpoint)?;
    let (frame, endpoint) = (&run.workspace.frame, &run.workspace.source);
    if frame.source_mac != endpoint.mac {
        return Err(DropReason::Spoofed);
    }
    if frame.source() != endpoint.address {
        let asks_for_address = frame.source() == Address::UNSPECIFIED_V4 && frame.destination_mac.is_group();
        return if asks_for_address { Ok(Verdict::Pass) } else { Err(DropReason::Spoofed) };
    }
    if frame.destination_mac.is_group() {
        return Ok(Verdict::Pass);
    }
    if is_neighbour(frame.destination(), endpoint) {
        return to_neighbour(run);
    }
    if frame.destination_mac != endpoint.bridge_mac {
        // Another container is this one's router: the bridge carries the frame, and the gate at its other end decides.
        return Ok(Verdict::Pass);
    }
    route(run)
}

/// A packet reaches the host stack from a network: a sandbox sent it to the host, or its veth has no program yet.
#[inline(always)]
fn from_bridge(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    match parse(run)? {
        Network::Ipv4 => {}
        Network::Ipv6 => return Err(DropReason::Ipv6Disabled),
        Network::Other => return Ok(Verdict::Pass),
    }
    if run.workspace.frame.destination_mac.is_group() {
        return Ok(Verdict::Pass);
    }
    run.workspace.source = run.tables.endpoint(run.workspace.frame.source()).ok_or(DropReason::Spoofed)?;
    let (frame, endpoint) = (&run.workspace.frame, &run.workspace.source);
    if endpoint.bridge != run.arrival.ifindex || endpoint.mac != frame.source_mac {
        return Err(DropReason::Spoofed);
    }
    if is_neighbour(frame.destination(), endpoint) {
        // The host would send it back into the same network, where `to_bridge` looks at it again.
        return Ok(Verdict::Pass);
    }
    route(run)
}

/// A packet enters a sandbox by the slow way: from the host, or over the bridge.
#[inline(always)]
fn to_container(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    if run.arrival.ingress == 0 {
        return Ok(Verdict::Pass);
    }
    match parse(run)? {
        Network::Ipv4 => {}
        Network::Ipv6 => return Err(DropReason::Ipv6Disabled),
        Network::Other => return Ok(Verdict::Pass),
    }
    let link = LinkKey::new(run.arrival.ifindex, Family::V4);
    let endpoint = run.tables.endpoint_on_link(link).ok_or(DropReason::UnknownEndpoint)?;
    let source = run.workspace.frame.source();
    if source == Address::UNSPECIFIED_V4 {
        return within_network(endpoint.flags);
    }
    from_elsewhere(source, endpoint.bridge, run.tables)
}

/// The host stack sends into a network: its own packets pass, forwarded ones would go around every decision.
#[inline(always)]
fn to_bridge(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    if run.arrival.ingress == 0 {
        return Ok(Verdict::Pass);
    }
    match parse(run)? {
        Network::Ipv4 => from_elsewhere(run.workspace.frame.source(), run.arrival.ifindex, run.tables),
        Network::Ipv6 => Err(DropReason::Ipv6Disabled),
        Network::Other => Ok(Verdict::Pass),
    }
}

/// A packet comes in from outside: an answer, a client of a published port, or none of our business.
#[inline(always)]
fn from_netdev(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    let (Network::Ipv4, frame) = (parse(run)?, &run.workspace.frame) else { return Ok(Verdict::Pass) };
    if frame.destination_mac.is_group() {
        return Ok(Verdict::Pass);
    }
    if frame.destination().is_loopback_v4() || frame.source().is_loopback_v4() {
        return Err(DropReason::Martian);
    }
    match transport(run) {
        Ok(()) => {}
        Err(DropReason::Malformed) => return Err(DropReason::Malformed),
        Err(_) => return beside_flows(run),
    }
    if !find_flow(run, Origin::Outside)? {
        return beside_flows(run);
    }
    if run.workspace.frame.ttl <= 1 {
        return Err(DropReason::TtlExceeded);
    }
    nat::rewrite(run)
}

/// A packet leaves the host: whatever a sandbox sent must have been translated before.
#[inline(always)]
fn to_netdev(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    if run.arrival.decided || run.arrival.ingress == 0 {
        return Ok(Verdict::Pass);
    }
    let Network::Ipv4 = parse(run)? else { return Ok(Verdict::Pass) };
    match run.tables.endpoint(run.workspace.frame.source()) {
        Some(_) => Err(DropReason::Untranslated),
        None => Ok(Verdict::Pass),
    }
}

/// Whether an address lies in the endpoint's own subnet, its gateway excepted.
#[inline(always)]
fn is_neighbour(destination: Address, endpoint: &Endpoint) -> bool {
    destination.matches(endpoint.address, endpoint.mask) && destination != endpoint.gateway
}

/// Within a network nothing is tracked: one lookup says whether and where to.
#[inline(always)]
fn to_neighbour(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    let (frame, endpoint) = (&run.workspace.frame, &run.workspace.source);
    match run.tables.endpoint(frame.destination()) {
        Some(_) if !endpoint.flags.contains(EndpointFlags::ICC) => Err(DropReason::IccDisabled),
        Some(target) if target.mac == frame.destination_mac && target.ifindex != endpoint.ifindex => {
            Ok(Verdict::ToSandbox { ifindex: target.ifindex })
        }
        Some(_) | None => Ok(Verdict::Pass),
    }
}

/// A sandbox's packet to anywhere but its own network: to the host, or through a flow.
#[inline(always)]
fn route(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    if let Err(reason) = transport(run) {
        return without_flow(run, reason);
    }
    let ours = find_flow(run, Origin::Sandbox)?;
    if !ours || run.workspace.frame.ttl <= 1 {
        // To the host itself; or the host stack answers with "time exceeded" before it would forward anything.
        return Ok(Verdict::Pass);
    }
    nat::rewrite(run)
}

/// Leaves the packet's flow in the workspace; false if the packet is the host's own business.
#[inline(always)]
fn find_flow(run: &mut Run<'_, impl Packet, impl Tables>, origin: Origin) -> Result<bool, DropReason> {
    let known = conntrack::lookup(run);
    if known && run.workspace.flow.epoch == run.config.epoch {
        return Ok(true);
    }
    if run.config.abi == 0 {
        return Err(DropReason::NotConfigured);
    }
    admission::admit(run, origin, known)
}

/// A sandbox's packet that has no flow may go to the host itself and nowhere else.
#[inline(always)]
fn without_flow(
    run: &mut Run<'_, impl Packet, impl Tables>,
    reason: DropReason,
) -> Result<Verdict, DropReason> {
    if matches!(reason, DropReason::Malformed) {
        return Err(reason);
    }
    let destination = run.workspace.frame.destination();
    if run.tables.local(destination).is_some() {
        return Ok(Verdict::Pass);
    }
    match run.tables.endpoint(destination) {
        Some(_) => Err(DropReason::Isolated),
        None if run.workspace.source.flags.contains(EndpointFlags::INTERNAL) => Err(DropReason::Internal),
        None => Err(reason),
    }
}

/// A packet from outside that is no flow of ours passes, unless it goes to a container's own address.
#[inline(always)]
fn beside_flows(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<Verdict, DropReason> {
    match run.tables.endpoint(run.workspace.frame.destination()) {
        Some(_) => Err(DropReason::DirectAccess),
        None => Ok(Verdict::Pass),
    }
}

/// A packet from `source` that the bridge or the host stack carries into the network `bridge`.
#[inline(always)]
fn from_elsewhere(source: Address, bridge: u32, tables: &impl Tables) -> Result<Verdict, DropReason> {
    match tables.endpoint(source) {
        Some(source) if source.bridge == bridge => within_network(source.flags),
        Some(_) => Err(DropReason::Isolated),
        None => Err(DropReason::DirectAccess),
    }
}

#[inline(always)]
fn within_network(flags: EndpointFlags) -> Result<Verdict, DropReason> {
    if flags.contains(EndpointFlags::ICC) { Ok(Verdict::Pass) } else { Err(DropReason::IccDisabled) }
}

#[cfg(test)]
mod tests;
