//! Does a sandbox send as itself? MAC, IPv4, IPv6 and neighbour discovery; [`super::arp`] asks the same of ARP.

use crate::{
    abi::{Address, Endpoint, protocol},
    packet::Packet,
    parse::{Fragment, Network},
    run::Run,
    tables::Tables,
    verdict::DropReason,
};

const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const REDIRECT: u8 = 137;

/// Neighbour discovery options (RFC 4861, 4.6).
const SOURCE_LINK_ADDRESS: u8 = 1;
const TARGET_LINK_ADDRESS: u8 = 2;
/// Options that are looked through; Linux sends no more than two.
const MAX_OPTIONS: u32 = 4;

/// Refuses what is not sent by the workspace's source endpoint as itself.
#[inline(always)]
pub(super) fn check(run: &mut Run<'_, impl Packet, impl Tables>, network: Network) -> Result<(), DropReason> {
    if matches!(network, Network::Ip) {
        choose_address(run);
    }
    let (frame, endpoint) = (&run.workspace.frame, &run.workspace.source);
    let own = frame.source_mac == endpoint.mac
        && match network {
            Network::Ip => has_own_address(run) && discovers_as_itself(run),
            Network::Arp | Network::Other => true,
        };
    if own { Ok(()) } else { Err(DropReason::Spoofed) }
}

/// What is sent from a link-local address that the user gave the endpoint beside its own is that address's.
#[inline(always)]
fn choose_address<P>(run: &mut Run<'_, P, impl Tables>) {
    let (source, endpoint) = (run.workspace.tuple.source, &run.workspace.source);
    if source != endpoint.address
        && let Some(chosen) = run.tables.endpoint(&source.on_link(endpoint.ifindex))
    {
        run.workspace.source = *chosen;
    }
}

/// The endpoint's address; its link-local one; or none yet, to a group: DHCP, duplicate address detection.
#[inline(always)]
fn has_own_address<P, T>(run: &Run<'_, P, T>) -> bool {
    let (source, endpoint) = (run.workspace.tuple.source, &run.workspace.source);
    source == endpoint.address
        || source.is_link_local_v6() && source == Address::link_local_of(endpoint.mac)
        || source.is_unspecified() && run.workspace.frame.destination_mac.is_group()
}

#[inline(always)]
fn discovers_as_itself<T>(run: &mut Run<'_, impl Packet, T>) -> bool {
    run.workspace.frame.protocol != protocol::ICMPV6 || is_own_discovery(run)
}

/// Whether an ICMPv6 packet is none of neighbour discovery, or speaks for nobody but the endpoint (RFC 4861).
#[cfg_attr(target_arch = "bpf", inline(never))]
fn is_own_discovery<T>(run: &mut Run<'_, impl Packet, T>) -> bool {
    let offset = run.workspace.frame.transport_offset;
    let mut kind = [0_u8; 1];
    if matches!(run.workspace.frame.fragment(), Fragment::Later) || !run.packet.read(offset, &mut kind) {
        return true;
    }
    let options = match kind[0] {
        ROUTER_SOLICITATION => 8,
        ROUTER_ADVERTISEMENT => 16,
        NEIGHBOUR_SOLICITATION | NEIGHBOUR_ADVERTISEMENT => 24,
        REDIRECT => 40,
        _ => return true,
    };
    // Neighbour discovery is never fragmented (RFC 6980).
    let whole = matches!(run.workspace.frame.fragment(), Fragment::Whole);
    let target_is_own = kind[0] != NEIGHBOUR_ADVERTISEMENT || advertises_own_address(run, offset);
    whole && target_is_own && options_are_own(run, offset + options)
}

#[inline(always)]
fn advertises_own_address<T>(run: &Run<'_, impl Packet, T>, offset: u32) -> bool {
    let mut target = [0_u32; 4];
    if !run.packet.read(offset + 8, zerocopy::IntoBytes::as_mut_bytes(&mut target)) {
        return false;
    }
    let target = Address::from_words(target);
    let endpoint = &run.workspace.source;
    target == endpoint.address || target == Address::link_local_of(endpoint.mac)
}

/// Whether every link-layer address among the options is the endpoint's; of a redirect's target that cannot be asked.
#[inline(always)]
fn options_are_own<T>(run: &Run<'_, impl Packet, T>, offset: u32) -> bool {
    let frame = &run.workspace.frame;
    let end = frame.transport_offset.wrapping_add(frame.payload_length);
    let Endpoint { mac, .. } = &run.workspace.source;
    let mut at = offset;
    for _ in 0..MAX_OPTIONS {
        if at >= end {
            return true;
        }
        let mut option = [0_u8; 8];
        if !run.packet.read(at, &mut option) {
            return false;
        }
        let [kind, length, address @ ..] = option;
        if (kind == SOURCE_LINK_ADDRESS || kind == TARGET_LINK_ADDRESS) && address != mac.0 || length == 0 {
            return false;
        }
        at += u32::from(length) << 3;
    }
    at >= end
}

/// A packet of neighbour discovery has passed no router (RFC 4861, 7.1).
const UNROUTED: u8 = 255;

/// Whether a packet does no more than find neighbours, which everybody on a segment may, ICC or not.
#[inline(always)]
pub(super) fn finds_neighbours<T>(run: &Run<'_, impl Packet, T>) -> bool {
    let frame = &run.workspace.frame;
    let mut kind = [0_u8; 1];
    frame.protocol == protocol::ICMPV6
        && frame.hop_limit == UNROUTED
        && run.packet.read(frame.transport_offset, &mut kind)
        && (kind[0] == NEIGHBOUR_SOLICITATION || kind[0] == NEIGHBOUR_ADVERTISEMENT)
}
