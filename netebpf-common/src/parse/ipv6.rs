//! IPv6 headers and their extensions (RFC 8200).

use super::{Fragment, Frame};
use crate::{packet::Packet, run::Run, verdict::DropReason};

const HEADER_LENGTH: u32 = 40;

/// Extension headers that are looked behind; Linux itself takes no more than a handful (RFC 9098 tells of the rest).
const MAX_EXTENSIONS: u32 = 6;

/// Protocol numbers of extension headers (IANA).
mod extension {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const DESTINATION: u8 = 60;
    pub(super) const MOBILITY: u8 = 135;
}

/// Checks the header against itself and the packet, and takes from it what decisions need.
#[inline(always)]
pub(super) fn parse<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let start = run.arrival.ip_offset();
    let length = run.packet.length();
    let frame = &mut run.workspace.frame;
    if !frame.read_rest_of_v6(run.packet, start) {
        return Err(DropReason::Malformed);
    }
    let [version, ..] = frame.header[0].to_ne_bytes();
    let [payload_high, payload_low, next, hop_limit] = frame.header[1].to_ne_bytes();
    let payload = u32::from(u16::from_be_bytes([payload_high, payload_low]));
    // A payload length of zero announces a jumbogram (RFC 2675), which no device here carries; GSO packets have it too
    // while they are on their way through the kernel.
    let total = if payload == 0 { length.wrapping_sub(start) } else { HEADER_LENGTH + payload };
    if version >> 4 != 6 || total < HEADER_LENGTH || start + total > length {
        return Err(DropReason::Malformed);
    }
    let (source, destination) = (frame.source_v6(), frame.destination_v6());
    if source.is_v4() || destination.is_v4() {
        // An IPv4-mapped address is an IPv4 address in our tables, and must never come over a wire (RFC 4291, 2.5.5.2).
        return Err(DropReason::Martian);
    }
    frame.fragment = Fragment::Whole as u8;
    frame.is_v6 = 1;
    frame.hop_limit = hop_limit;
    frame.protocol = next;
    frame.identification = 0;
    frame.transport_offset = start + HEADER_LENGTH;
    frame.payload_length = total - HEADER_LENGTH;
    frame.ip_length = total;
    run.workspace.tuple.source = source;
    run.workspace.tuple.destination = destination;
    if is_extension(next) {
        skip_extensions(run)?;
    }
    run.workspace.tuple.protocol = u32::from(run.workspace.frame.protocol);
    Ok(())
}

const fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        extension::HOP_BY_HOP
            | extension::ROUTING
            | extension::FRAGMENT
            | extension::AUTHENTICATION
            | extension::DESTINATION
            | extension::MOBILITY
    )
}

/// Moves on to the transport header.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn skip_extensions<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    for _ in 0..MAX_EXTENSIONS {
        let frame = &mut run.workspace.frame;
        if !is_extension(frame.protocol) || matches!(frame.fragment(), Fragment::Later) {
            return Ok(());
        }
        let mut header = [0_u8; 8];
        if !run.packet.read(frame.transport_offset, &mut header) {
            return Err(DropReason::Malformed);
        }
        let [next, ..] = header;
        let length = length_of(frame, header)?;
        if length > frame.payload_length {
            return Err(DropReason::Malformed);
        }
        frame.protocol = next;
        frame.transport_offset += length;
        frame.payload_length -= length;
    }
    if is_extension(run.workspace.frame.protocol) { Err(DropReason::UnsupportedProtocol) } else { Ok(()) }
}

/// The length of an extension header that begins with these bytes; a fragment header's content is noted.
#[inline(always)]
fn length_of(
    frame: &mut Frame,
    [_, length, offset_high, offset_low, rest @ ..]: [u8; 8],
) -> Result<u32, DropReason> {
    match frame.protocol {
        extension::FRAGMENT => {
            let offset = u16::from_be_bytes([offset_high, offset_low]);
            frame.identification = u32::from_ne_bytes(rest);
            frame.fragment = match (offset >> 3, offset & 1) {
                (0, 0) => Fragment::Whole as u8,
                (0, _) => Fragment::First as u8,
                (_, _) => Fragment::Later as u8,
            };
            Ok(8)
        }
        // The destination address is not the last one: translation would get both wrong (RFC 8200, 4.4).
        extension::ROUTING if offset_low != 0 => Err(DropReason::UnsupportedProtocol),
        extension::AUTHENTICATION => Ok((u32::from(length) + 2) << 2),
        _ => Ok((u32::from(length) + 1) << 3),
    }
}
