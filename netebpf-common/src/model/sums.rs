//! Checksums computed in full, by the book: what the pipeline's incremental ones are measured by.

use core::net::IpAddr;
use std::{vec, vec::Vec};

use crate::abi::protocol;

const ETHERNET: usize = 14;

/// One's complement sum over big-endian words (RFC 1071).
pub(super) fn sum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    let mut sum = bytes.chunks(2).map(word).sum::<u64>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(u16::MAX)
}

/// The sum of a transport segment, pseudo header included where the protocol has one.
pub(super) fn transport(source: IpAddr, destination: IpAddr, number: u8, segment: &[u8]) -> u16 {
    if number == protocol::ICMP {
        return sum(segment);
    }
    let octets = |address| match address {
        IpAddr::V4(address) => core::net::Ipv4Addr::octets(&address).to_vec(),
        IpAddr::V6(address) => core::net::Ipv6Addr::octets(&address).to_vec(),
    };
    let [.., a, b, c, d] = segment.len().to_be_bytes();
    let pseudo = [octets(source), octets(destination), vec![a, b, c, d, 0, 0, 0, number]].concat();
    sum(&[&pseudo, segment].concat())
}

/// SCTP's checksum over a packet whose checksum field is zero (RFC 9260, appendix A).
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| crc >> 1 ^ 0x82f6_3b78 & (crc & 1).wrapping_neg();
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

/// Whether every checksum of a frame is right that can be told from it: the IPv4 header's, the transport's of a packet that
/// is no fragment, and those of the packet that an ICMP error quotes as far as it is there.
#[must_use]
pub fn checksums_are_right(frame: &[u8]) -> bool {
    frame.get(ETHERNET..).is_some_and(packet_checksums_are_right)
}

/// The same for an IP packet without an Ethernet header.
#[must_use]
pub fn packet_checksums_are_right(packet: &[u8]) -> bool {
    check(packet, false).unwrap_or(false)
}

/// Where things are in an IP packet.
pub(super) struct Outline {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    /// Where the transport header begins.
    pub(super) transport: usize,
    /// Where the packet ends by its own account.
    pub(super) end: usize,
    /// Offset of the fragment, in units of 8 bytes, and whether more follow.
    pub(super) piece: (u16, bool),
    pub(super) identification: u32,
    pub(super) ttl: u8,
}

/// Finds out where things are; `None` if a header is cut off.
pub(super) fn outline(packet: &[u8]) -> Option<Outline> {
    let half = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    if *packet.first()? >> 4 == 4 {
        let address = |at: usize| Some(IpAddr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?));
        let fragment = half(6)?;
        return Some(Outline {
            source: address(12)?,
            destination: address(16)?,
            protocol: *packet.get(9)?,
            transport: usize::from(*packet.first()? & 0xf) * 4,
            end: usize::from(half(2)?),
            piece: (fragment & 0x1fff, fragment & 0x2000 != 0),
            identification: u32::from(half(4)?),
            ttl: *packet.get(8)?,
        });
    }
    let address = |at: usize| Some(IpAddr::from(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?));
    let mut outline = Outline {
        source: address(8)?,
        destination: address(24)?,
        protocol: *packet.get(6)?,
        transport: 40,
        end: 40 + usize::from(half(4)?),
        piece: (0, false),
        identification: 0,
        ttl: *packet.get(7)?,
    };
    while matches!(outline.protocol, 0 | 43 | 44 | 51 | 60 | 135) && outline.piece.0 == 0 {
        let at = outline.transport;
        let length = usize::from(*packet.get(at + 1)?);
        let length = match outline.protocol {
            44 => {
                outline.piece = (half(at + 2)? >> 3, half(at + 2)? & 1 != 0);
                outline.identification = u32::from(half(at + 4)?) << 16 | u32::from(half(at + 6)?);
                8
            }
            51 => (length + 2) * 4,
            _ => (length + 1) * 8,
        };
        outline.protocol = *packet.get(at)?;
        outline.transport += length;
    }
    Some(outline)
}

fn check(packet: &[u8], is_quoted: bool) -> Option<bool> {
    let outline = outline(packet)?;
    let is_v4 = outline.source.is_ipv4();
    if is_v4 && sum(packet.get(..usize::from(packet[0] & 0xf) * 4)?) != u16::MAX {
        return Some(false);
    }
    if outline.piece != (0, false) {
        return Some(true);
    }
    let Some(segment) = packet.get(outline.transport..outline.end) else {
        // A quoted packet may be cut off, and its transport checksum cannot be told then.
        return Some(is_quoted);
    };
    let with_pseudo =
        || transport(outline.source, outline.destination, outline.protocol, segment) == u16::MAX;
    Some(match outline.protocol {
        protocol::TCP => with_pseudo(),
        protocol::UDP => segment.get(6..8)? == [0, 0] || with_pseudo(),
        protocol::SCTP => sctp_is_right(segment)? || is_quoted,
        protocol::ICMP | protocol::ICMPV6 => {
            let is_error =
                if is_v4 { matches!(segment.first()?, 3 | 11 | 12) } else { *segment.first()? < 5 };
            with_pseudo() && (!is_error || is_quoted || check(segment.get(8..)?, true)?)
        }
        _ => true,
    })
}

/// A checksum of zero is one that the sending device has yet to fill in.
fn sctp_is_right(segment: &[u8]) -> Option<bool> {
    let field = u32::from_le_bytes(<[u8; 4]>::try_from(segment.get(8..12)?).ok()?);
    let mut covered: Vec<u8> = segment.to_vec();
    covered[8..12].fill(0);
    Some(field == 0 || field == crc32c(&covered))
}
