//! ICMP errors: translated as the flow that they are about, outside and in the packet that they quote (RFC 5508, 4).

use zerocopy::IntoBytes as _;

use super::{Hop, field, replace, rewrite::pass_on};
use crate::{
    abi::{Family, Translation},
    checksum::{self, Change},
    packet::{ChecksumChange, Packet},
    parse::{Quoted, TransportKind},
    run::{Run, Workspace},
    verdict::DropReason,
};

const V4_ADDRESSES: u32 = 12;
const V4_CHECKSUM: u32 = 10;
const V6_ADDRESSES: u32 = 8;

/// Translates the ICMP error in the workspace as the flow there says.
///
/// The flow is that of the packets that answer the quoted one, so what it makes of a source happens to the quoted packet's
/// destination. The error's own source is replaced only where the flow hides it.
#[inline(always)]
pub fn translate_error<T>(run: &mut Run<'_, impl Packet, T>, hop: Hop) -> Result<(), DropReason> {
    let workspace = &mut *run.workspace;
    pass_on(&mut workspace.frame, &workspace.flow.way_out, hop);
    if quoted_packet(run) && envelope(run) { Ok(()) } else { Err(DropReason::RewriteFailed) }
}

/// The error's own addresses.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn envelope<T>(run: &mut Run<'_, impl Packet, T>) -> bool {
    let Workspace { frame, flow, quoted, tuple, transport, .. } = &mut *run.workspace;
    let translation = &flow.translation;
    let hidden = translation.source != quoted.reply.source;
    let source = if hidden { translation.source } else { tuple.source };
    let delta = replace(Change::NONE, tuple.source, source);
    let delta = replace(delta, tuple.destination, translation.destination).sum();
    frame.set_addresses(source, translation.destination, delta);
    let change = ChecksumChange { delta, pseudo_header: true, zero_is_none: false };
    frame.write(run.packet, run.arrival.bare)
        && (matches!(frame.family(), Family::V4)
            || run.packet.adjust_checksum(transport.offset + field::ICMP_CHECKSUM, change))
}

/// The packet that it quotes.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn quoted_packet<T>(run: &mut Run<'_, impl Packet, T>) -> bool {
    let Workspace { frame, flow, quoted, transport, .. } = &*run.workspace;
    let translation = &flow.translation;
    let changed = match frame.family() {
        Family::V4 => addresses_v4(run.packet, quoted, translation),
        Family::V6 => addresses_v6(run.packet, quoted, translation),
    };
    let Some(change) = changed else { return false };
    let Some(change) = ports(run.packet, quoted, translation, change) else { return false };
    let change = ChecksumChange { delta: change.sum(), pseudo_header: false, zero_is_none: false };
    run.packet.adjust_checksum(transport.offset + field::ICMP_CHECKSUM, change)
}

/// Rewrites the quoted addresses and the checksum over them, which together change nothing in a sum.
#[inline(always)]
fn addresses_v4(packet: &mut impl Packet, quoted: &Quoted, translation: &Translation) -> Option<Change> {
    let mut field = [0; 2];
    if !packet.read(quoted.offset + V4_CHECKSUM, &mut field) {
        return None;
    }
    let old = u16::from_ne_bytes(field);
    let new = checksum::adjust(old, addresses(quoted, translation).sum());
    let (source, destination) = (translation.destination.v4_wire(), translation.source.v4_wire());
    let [s0, s1, s2, s3] = source.to_ne_bytes();
    let [d0, d1, d2, d3] = destination.to_ne_bytes();
    let written = packet.write(quoted.offset + V4_ADDRESSES, &[s0, s1, s2, s3, d0, d1, d2, d3])
        && packet.write(quoted.offset + V4_CHECKSUM, &new.to_ne_bytes());
    written.then_some(addresses(quoted, translation).replace(u32::from(old), u32::from(new)))
}

#[inline(always)]
fn addresses_v6(packet: &mut impl Packet, quoted: &Quoted, translation: &Translation) -> Option<Change> {
    let words = [translation.destination.words(), translation.source.words()];
    let written = packet.write(quoted.offset + V6_ADDRESSES, words.as_bytes());
    written.then_some(addresses(quoted, translation))
}

/// Rewrites the quoted ports or identifier, and the transport's checksum where it is quoted and there is one.
#[inline(always)]
fn ports(
    packet: &mut impl Packet,
    quoted: &Quoted,
    translation: &Translation,
    change: Change,
) -> Option<Change> {
    let at = quoted.transport_offset;
    let (source, destination) = (translation.destination_port.wire(), translation.source_port.wire());
    let (old_source, old_destination) =
        (quoted.reply.destination_port.wire(), quoted.reply.source_port.wire());
    let [s0, s1] = source.to_ne_bytes();
    let [d0, d1] = destination.to_ne_bytes();
    match quoted.kind() {
        TransportKind::Tcp | TransportKind::Udp | TransportKind::Sctp => {
            let change = change
                .replace(u32::from(old_source), u32::from(source))
                .replace(u32::from(old_destination), u32::from(destination));
            if !packet.write(at, &[s0, s1, d0, d1]) {
                return None;
            }
            transport_checksum(packet, quoted, translation, change)
        }
        TransportKind::EchoRequest => {
            identifier(packet, quoted, covered(quoted, translation), (old_source, source), change)
        }
        TransportKind::EchoReply => {
            let replaced = (old_destination, destination);
            identifier(packet, quoted, covered(quoted, translation), replaced, change)
        }
        TransportKind::Error | TransportKind::Generic => Some(change),
    }
}

/// The change of the quoted addresses, as far as a query's checksum covers it (RFC 4443, 2.3).
#[inline(always)]
const fn covered(quoted: &Quoted, translation: &Translation) -> u32 {
    if quoted.reply.source.is_v4() { 0 } else { addresses(quoted, translation).sum() }
}

/// The quoted query's identifier and checksum.
#[inline(always)]
fn identifier(
    packet: &mut impl Packet,
    quoted: &Quoted,
    covered: u32,
    (old, new): (u16, u16),
    change: Change,
) -> Option<Change> {
    let at = quoted.transport_offset;
    let mut field = [0; 2];
    if !packet.read(at + field::ICMP_CHECKSUM, &mut field) {
        return None;
    }
    let was = u16::from_ne_bytes(field);
    let delta = checksum::add(covered, checksum::change(u32::from(old), u32::from(new)));
    let is = checksum::adjust(was, delta);
    let written = packet.write(at + field::ICMP_IDENTIFIER, &new.to_ne_bytes())
        && packet.write(at + field::ICMP_CHECKSUM, &is.to_ne_bytes());
    let change = change.replace(u32::from(old), u32::from(new)).replace(u32::from(was), u32::from(is));
    written.then_some(change)
}

#[inline(always)]
fn transport_checksum(
    packet: &mut impl Packet,
    quoted: &Quoted,
    translation: &Translation,
    change: Change,
) -> Option<Change> {
    let (offset, zero_is_none) = match quoted.kind() {
        TransportKind::Udp => (field::UDP_CHECKSUM, true),
        TransportKind::Tcp => (field::TCP_CHECKSUM, false),
        TransportKind::Sctp
        | TransportKind::EchoRequest
        | TransportKind::EchoReply
        | TransportKind::Error
        | TransportKind::Generic => return Some(change),
    };
    let place = quoted.transport_offset + offset;
    let mut field = [0; 2];
    if !packet.read(place, &mut field) {
        // Routers may quote no more than 8 bytes (RFC 792); what is not there needs no change.
        return Some(change);
    }
    let old = u16::from_ne_bytes(field);
    if zero_is_none && old == 0 {
        return Some(change);
    }
    let ports = Change::NONE
        .replace(
            u32::from(quoted.reply.destination_port.wire()),
            u32::from(translation.destination_port.wire()),
        )
        .replace(u32::from(quoted.reply.source_port.wire()), u32::from(translation.source_port.wire()));
    let delta = checksum::add(addresses(quoted, translation).sum(), ports.sum());
    let new = match checksum::adjust(old, delta) {
        0 if zero_is_none => u16::MAX,
        new => new,
    };
    packet.write(place, &new.to_ne_bytes()).then_some(change.replace(u32::from(old), u32::from(new)))
}

/// The change of the quoted addresses.
#[inline(always)]
const fn addresses(quoted: &Quoted, translation: &Translation) -> Change {
    let change = replace(Change::NONE, quoted.reply.destination, translation.destination);
    replace(change, quoted.reply.source, translation.source)
}
