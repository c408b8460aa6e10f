//! Transport headers: what a flow is made of.
//!
//! TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP queries and errors (RFC 792, RFC 4443); of any other protocol the
//! addresses alone make a flow, as in `nf_conntrack`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::Fragment;
use crate::{
    abi::{Family, FragmentKey, FragmentPorts, Port, protocol},
    packet::Packet,
    run::Run,
    tables::Tables,
    verdict::DropReason,
};

const TCP_LENGTH: u32 = 20;
const UDP_LENGTH: u32 = 8;
const SCTP_LENGTH: u32 = 12;
const ICMP_LENGTH: u32 = 8;

/// How long the later fragments of a packet may take, in nanoseconds; Linux waits as long (`ipfrag_time`).
const FRAGMENT_TIMEOUT: u64 = 30_000_000_000;

/// Protocols whose checksum covers the addresses at a place that is not known here (DCCP, UDP-Lite).
const COVERING_ADDRESSES: [u8; 2] = [33, 136];

/// TCP flags, as bits of byte 13 of the header.
pub(crate) mod tcp_flag {
    pub(crate) const FIN: u8 = 1;
    pub(crate) const SYN: u8 = 2;
    pub(crate) const RST: u8 = 4;
    pub(crate) const ACK: u8 = 16;
}

/// What a packet is to its flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum TransportKind {
    /// TCP.
    Tcp = 0,
    /// UDP.
    Udp = 1,
    /// SCTP.
    Sctp = 2,
    /// An ICMP query with an identifier: echo, timestamp.
    EchoRequest = 3,
    /// The answer to one.
    EchoReply = 4,
    /// An ICMP error about a packet that went the other way.
    Error = 5,
    /// A protocol without ports.
    Generic = 6,
}

impl TransportKind {
    /// The kind with this number; anything unknown counts as without ports.
    #[inline(always)]
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        match code {
            0 => Self::Tcp,
            1 => Self::Udp,
            2 => Self::Sctp,
            3 => Self::EchoRequest,
            4 => Self::EchoReply,
            5 => Self::Error,
            _ => Self::Generic,
        }
    }
}

/// A packet's transport header, as far as decisions need it; the ports are in the workspace's tuple.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Transport {
    /// Offset from the start of the packet.
    pub offset: u32,
    /// Bytes of the header, options included; what GSO repeats in each segment.
    pub length: u32,
    kind: u8,
    /// TCP flags; zero for the others.
    pub tcp_flags: u8,
    /// The header is not in this packet, but was in the first fragment.
    is_elsewhere: u8,
    reserved: u8,
}

/// Reads the transport header of a packet that may have to be routed, and its tuple's ports, into the workspace.
#[inline(always)]
pub fn transport(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<(), DropReason> {
    match run.workspace.frame.fragment() {
        Fragment::Whole => header(run),
        Fragment::First | Fragment::Later => fragment(run),
    }
}

/// The first fragment says what the later ones belong to.
#[cfg_attr(target_arch = "bpf", inline(never))]
fn fragment(run: &mut Run<'_, impl Packet, impl Tables>) -> Result<(), DropReason> {
    let (frame, tuple) = (&run.workspace.frame, &run.workspace.tuple);
    let key = FragmentKey {
        source: tuple.source,
        destination: tuple.destination,
        identification: frame.identification,
        protocol: tuple.protocol,
    };
    if let Fragment::First = frame.fragment() {
        header(run)?;
        let workspace = &mut *run.workspace;
        if matches!(workspace.transport.kind(), TransportKind::Error) {
            return Err(DropReason::Fragment);
        }
        let ports = FragmentPorts {
            seen: run.arrival.now,
            source: workspace.tuple.source_port,
            destination: workspace.tuple.destination_port,
            kind: workspace.transport.kind() as u32,
        };
        return if run.tables.remember_fragment(&key, &ports) { Ok(()) } else { Err(DropReason::Fragment) };
    }
    let ports = *run.tables.fragment(&key).ok_or(DropReason::Fragment)?;
    if run.arrival.now.saturating_sub(ports.seen) > FRAGMENT_TIMEOUT {
        return Err(DropReason::Fragment);
    }
    run.workspace.tuple.source_port = ports.source;
    run.workspace.tuple.destination_port = ports.destination;
    let offset = run.workspace.frame.transport_offset;
    let kind = TransportKind::from_code(ports.kind);
    run.workspace.transport = Transport { is_elsewhere: 1, ..Transport::new(kind, offset, 0) };
    Ok(())
}

#[inline(always)]
fn header<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    match run.workspace.frame.protocol {
        protocol::TCP => tcp(run),
        protocol::UDP => udp(run),
        protocol::SCTP => sctp(run),
        protocol::ICMP | protocol::ICMPV6 => icmp(run),
        number => generic(run, number),
    }
}

#[inline(always)]
fn tcp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let ([s0, s1, d0, d1, .., offset, flags], at) = first_bytes::<14, P, T>(run, TCP_LENGTH)?;
    let length = u32::from(offset >> 4) << 2;
    if length < TCP_LENGTH || length > run.workspace.frame.payload_length {
        return Err(DropReason::Malformed);
    }
    set_ports(run, wire_port(s0, s1), wire_port(d0, d1));
    run.workspace.transport =
        Transport { tcp_flags: flags, ..Transport::new(TransportKind::Tcp, at, length) };
    Ok(())
}

#[inline(always)]
fn udp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let ([s0, s1, d0, d1], at) = first_bytes::<4, P, T>(run, UDP_LENGTH)?;
    set_ports(run, wire_port(s0, s1), wire_port(d0, d1));
    run.workspace.transport = Transport::new(TransportKind::Udp, at, UDP_LENGTH);
    Ok(())
}

#[inline(always)]
fn sctp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let ([s0, s1, d0, d1], at) = first_bytes::<4, P, T>(run, SCTP_LENGTH)?;
    set_ports(run, wire_port(s0, s1), wire_port(d0, d1));
    run.workspace.transport = Transport::new(TransportKind::Sctp, at, SCTP_LENGTH);
    Ok(())
}

#[inline(always)]
fn icmp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let ([kind, _, _, _, id0, id1], at) = first_bytes::<6, P, T>(run, ICMP_LENGTH)?;
    let (id, none) = (wire_port(id0, id1), Port::from_wire(0));
    let frame = &run.workspace.frame;
    let kind = icmp_kind(frame.family(), frame.protocol, kind).ok_or(DropReason::UnsupportedProtocol)?;
    if matches!(kind, TransportKind::EchoReply) {
        set_ports(run, none, id);
    } else {
        set_ports(run, id, none);
    }
    run.workspace.transport = Transport::new(kind, at, ICMP_LENGTH);
    Ok(())
}

/// What an ICMP type is to a flow; `None` if it is the link's business (RFC 792, RFC 4443, RFC 4861).
#[inline(always)]
pub(super) const fn icmp_kind(family: Family, number: u8, kind: u8) -> Option<TransportKind> {
    match (family, number) {
        (Family::V4, protocol::ICMP) => match kind {
            8 | 13 => Some(TransportKind::EchoRequest),
            0 | 14 => Some(TransportKind::EchoReply),
            3 | 11 | 12 => Some(TransportKind::Error),
            _ => None,
        },
        (Family::V6, protocol::ICMPV6) => match kind {
            128 => Some(TransportKind::EchoRequest),
            129 => Some(TransportKind::EchoReply),
            1..=4 => Some(TransportKind::Error),
            _ => None,
        },
        _ => None,
    }
}

#[inline(always)]
fn generic<P, T>(run: &mut Run<'_, P, T>, number: u8) -> Result<(), DropReason> {
    if number == COVERING_ADDRESSES[0] || number == COVERING_ADDRESSES[1] {
        return Err(DropReason::UnsupportedProtocol);
    }
    let none = Port::from_wire(0);
    set_ports(run, none, none);
    let offset = run.workspace.frame.transport_offset;
    run.workspace.transport = Transport::new(TransportKind::Generic, offset, 0);
    Ok(())
}

/// The first bytes of a header of at least `minimum` bytes, and its offset.
#[inline(always)]
fn first_bytes<const N: usize, P: Packet, T>(
    run: &Run<'_, P, T>,
    minimum: u32,
) -> Result<([u8; N], u32), DropReason> {
    let frame = &run.workspace.frame;
    let offset = frame.transport_offset;
    let mut header = [0; N];
    if frame.payload_length < minimum || !run.packet.read(offset, &mut header) {
        return Err(DropReason::Malformed);
    }
    Ok((header, offset))
}

#[inline(always)]
pub(super) const fn wire_port(first: u8, second: u8) -> Port {
    Port::from_wire(u16::from_ne_bytes([first, second]))
}

#[inline(always)]
const fn set_ports<P, T>(run: &mut Run<'_, P, T>, source_port: Port, destination_port: Port) {
    run.workspace.tuple.source_port = source_port;
    run.workspace.tuple.destination_port = destination_port;
}

impl Transport {
    #[inline(always)]
    const fn new(kind: TransportKind, offset: u32, length: u32) -> Self {
        Self { offset, length, kind: kind as u8, tcp_flags: 0, is_elsewhere: 0, reserved: 0 }
    }

    /// What the packet is to its flow.
    #[inline(always)]
    #[must_use]
    pub const fn kind(&self) -> TransportKind {
        TransportKind::from_code(self.kind as u32)
    }

    /// Whether the header itself is in this packet; a later fragment has none.
    #[inline(always)]
    #[must_use]
    pub const fn is_here(&self) -> bool {
        self.is_elsewhere == 0
    }

    /// Whether the packet opens a TCP connection.
    #[inline(always)]
    #[must_use]
    pub const fn is_syn(&self) -> bool {
        self.tcp_flags & (tcp_flag::SYN | tcp_flag::ACK) == tcp_flag::SYN
    }

    /// Whether the packet ends a TCP connection at once.
    #[inline(always)]
    #[must_use]
    pub const fn is_reset(&self) -> bool {
        self.tcp_flags & tcp_flag::RST != 0
    }
}
