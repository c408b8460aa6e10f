//! The packet that an ICMP error quotes: whose flow is the error about?

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::transport::{TransportKind, icmp_kind, wire_port};
use crate::{
    abi::{Address, Family, Port, Tuple, protocol},
    packet::Packet,
    run::Run,
};

/// Behind the error's own header, which is 8 bytes in both versions.
const OFFSET: u32 = 8;
const V4_LENGTH: u32 = 20;
const V6_LENGTH: u32 = 40;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// A quoted packet's headers; at least its addresses and the first 8 bytes behind the IP header are there (RFC 792).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Quoted {
    /// The tuple of the packets that answer the quoted one, as they arrive where the error arrives.
    pub reply: Tuple,
    /// Offset of the quoted IP header from the start of the packet.
    pub offset: u32,
    /// Offset of the quoted transport header.
    pub transport_offset: u32,
    /// Where in the transport header a port or identifier of the quoted packet's source and destination stand.
    kind: u32,
}

impl Quoted {
    /// What the quoted packet was to its flow.
    #[inline(always)]
    #[must_use]
    pub const fn kind(&self) -> TransportKind {
        TransportKind::from_code(self.kind)
    }
}

/// Reads what the ICMP error in the workspace quotes; false if no flow can be told from it.
#[inline(always)]
pub fn quoted<P: Packet, T>(run: &mut Run<'_, P, T>) -> bool {
    let offset = run.workspace.transport.offset + OFFSET;
    let found = match run.workspace.frame.family() {
        Family::V4 => quoted_v4(run, offset),
        Family::V6 => quoted_v6(run, offset),
    };
    found.is_some_and(|transport| ports(run, offset, transport).is_some())
}

/// Leaves the quoted addresses, turned round, in the workspace, and returns where the transport header is.
#[inline(always)]
fn quoted_v4<P: Packet, T>(run: &mut Run<'_, P, T>, offset: u32) -> Option<u32> {
    let mut header = [0_u32; V4_LENGTH as usize / 4];
    if !run.packet.read(offset, header.as_mut_bytes()) {
        return None;
    }
    let [first, second, third, source, destination] = header;
    let [version, ..] = first.to_ne_bytes();
    let [_, _, fragment_high, fragment_low] = second.to_ne_bytes();
    let [_, number, ..] = third.to_ne_bytes();
    let length = u32::from(version & 0xf) << 2;
    let is_later = u16::from_be_bytes([fragment_high, fragment_low]) & FRAGMENT_OFFSET != 0;
    if version >> 4 != 4 || length < V4_LENGTH || is_later {
        return None;
    }
    let reply = &mut run.workspace.quoted.reply;
    reply.source = Address::v4_from_wire(destination);
    reply.destination = Address::v4_from_wire(source);
    reply.protocol = u32::from(number);
    Some(offset + length)
}

/// The same for IPv6; extension headers in a quoted packet are not looked behind.
#[inline(always)]
fn quoted_v6<P: Packet, T>(run: &mut Run<'_, P, T>, offset: u32) -> Option<u32> {
    let mut header = [0_u32; V6_LENGTH as usize / 4];
    if !run.packet.read(offset, header.as_mut_bytes()) {
        return None;
    }
    let [first, second, s0, s1, s2, s3, d0, d1, d2, d3] = header;
    let [version, ..] = first.to_ne_bytes();
    let [_, _, number, _] = second.to_ne_bytes();
    if version >> 4 != 6 {
        return None;
    }
    let reply = &mut run.workspace.quoted.reply;
    reply.source = Address::from_words([d0, d1, d2, d3]);
    reply.destination = Address::from_words([s0, s1, s2, s3]);
    reply.protocol = u32::from(number);
    let mapped = reply.source.is_v4() || reply.destination.is_v4();
    (!mapped).then_some(offset + V6_LENGTH)
}

/// Completes the quoted tuple.
#[inline(always)]
fn ports<P: Packet, T>(run: &mut Run<'_, P, T>, offset: u32, transport: u32) -> Option<()> {
    let family = run.workspace.frame.family();
    let mut header = [0_u8; 8];
    if !run.packet.read(transport, &mut header) {
        return None;
    }
    let [a0, a1, b0, b1, id0, id1, ..] = header;
    let none = Port::from_wire(0);
    let quoted = &mut run.workspace.quoted;
    let [number, ..] = quoted.reply.protocol.to_le_bytes();
    let (kind, source, destination) = match number {
        protocol::TCP => (TransportKind::Tcp, wire_port(a0, a1), wire_port(b0, b1)),
        protocol::UDP => (TransportKind::Udp, wire_port(a0, a1), wire_port(b0, b1)),
        protocol::SCTP => (TransportKind::Sctp, wire_port(a0, a1), wire_port(b0, b1)),
        protocol::ICMP | protocol::ICMPV6 => match icmp_kind(family, number, a0)? {
            TransportKind::EchoRequest => (TransportKind::EchoRequest, wire_port(id0, id1), none),
            TransportKind::EchoReply => (TransportKind::EchoReply, none, wire_port(id0, id1)),
            // An error about an error is never sent (RFC 1122, 3.2.2).
            TransportKind::Error
            | TransportKind::Tcp
            | TransportKind::Udp
            | TransportKind::Sctp
            | TransportKind::Generic => return None,
        },
        _ => (TransportKind::Generic, none, none),
    };
    quoted.reply.source_port = destination;
    quoted.reply.destination_port = source;
    quoted.kind = kind as u32;
    quoted.offset = offset;
    quoted.transport_offset = transport;
    Some(())
}
