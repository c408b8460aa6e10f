//! TCP (RFC 9293), UDP (RFC 768) and ICMP echo (RFC 792): what a flow is made of.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{
    abi::{Port, Tuple, protocol},
    packet::Packet,
    run::Run,
    verdict::DropReason,
};

const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
const TCP_LENGTH: u32 = 20;
const UDP_LENGTH: u32 = 8;
const ICMP_LENGTH: u32 = 8;

/// TCP flags, as bits of byte 13 of the header.
pub(crate) mod tcp_flag {
    pub(crate) const FIN: u8 = 1;
    pub(crate) const SYN: u8 = 2;
    pub(crate) const RST: u8 = 4;
    pub(crate) const ACK: u8 = 16;
}

/// A transport that has flows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum TransportKind {
    /// TCP.
    Tcp = 0,
    /// UDP.
    Udp = 1,
    /// An ICMP echo request.
    EchoRequest = 2,
    /// An ICMP echo reply.
    EchoReply = 3,
}

/// A packet's transport header, as far as decisions need it; the ports are in the workspace's tuple.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Transport {
    /// Offset from the start of the frame.
    pub offset: u32,
    kind: u8,
    /// TCP flags; zero for the others.
    pub tcp_flags: u8,
    reserved: [u8; 2],
}

/// Reads the transport header of a packet that may have to be translated, and its tuple, into the workspace.
#[inline(always)]
pub fn transport<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let frame = &run.workspace.frame;
    if frame.is_fragment() {
        return Err(DropReason::Fragment);
    }
    match frame.protocol {
        protocol::TCP => tcp(run),
        protocol::UDP => udp(run),
        protocol::ICMP => icmp(run),
        _ => Err(DropReason::UnsupportedProtocol),
    }
}

#[inline(always)]
fn tcp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let ([s0, s1, d0, d1, .., flags], offset) = header::<14, P, T>(run, TCP_LENGTH)?;
    set_tuple(run, wire_port(s0, s1), wire_port(d0, d1));
    run.workspace.transport = Transport::new(TransportKind::Tcp, offset, flags);
    Ok(())
}

#[inline(always)]
fn udp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let ([s0, s1, d0, d1, ..], offset) = header::<8, P, T>(run, UDP_LENGTH)?;
    set_tuple(run, wire_port(s0, s1), wire_port(d0, d1));
    run.workspace.transport = Transport::new(TransportKind::Udp, offset, 0);
    Ok(())
}

#[inline(always)]
fn icmp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<(), DropReason> {
    let ([kind, _, _, _, id0, id1, ..], offset) = header::<8, P, T>(run, ICMP_LENGTH)?;
    let (id, none) = (wire_port(id0, id1), Port::from_wire(0));
    let kind = match kind {
        ECHO_REQUEST => {
            set_tuple(run, id, none);
            TransportKind::EchoRequest
        }
        ECHO_REPLY => {
            set_tuple(run, none, id);
            TransportKind::EchoReply
        }
        _ => return Err(DropReason::UnsupportedProtocol),
    };
    run.workspace.transport = Transport::new(kind, offset, 0);
    Ok(())
}

/// The first bytes of a header of at least `minimum` bytes, and its offset.
#[inline(always)]
fn header<const N: usize, P: Packet, T>(
    run: &Run<'_, P, T>,
    minimum: u32,
) -> Result<([u8; N], u32), DropReason> {
    let frame = &run.workspace.frame;
    let offset = frame.transport_offset();
    let mut header = [0; N];
    if frame.payload_length() < minimum || !run.packet.read(offset, &mut header) {
        return Err(DropReason::Malformed);
    }
    Ok((header, offset))
}

#[inline(always)]
const fn wire_port(first: u8, second: u8) -> Port {
    Port::from_wire(u16::from_ne_bytes([first, second]))
}

#[inline(always)]
fn set_tuple<P, T>(run: &mut Run<'_, P, T>, source_port: Port, destination_port: Port) {
    let frame = &run.workspace.frame;
    run.workspace.tuple = Tuple {
        source: frame.source(),
        destination: frame.destination(),
        source_port,
        destination_port,
        protocol: u32::from(frame.protocol),
    };
}

impl Transport {
    #[inline(always)]
    const fn new(kind: TransportKind, offset: u32, tcp_flags: u8) -> Self {
        Self { offset, kind: kind as u8, tcp_flags, reserved: [0; 2] }
    }

    /// Which protocol.
    #[inline(always)]
    #[must_use]
    pub const fn kind(&self) -> TransportKind {
        match self.kind {
            0 => TransportKind::Tcp,
            1 => TransportKind::Udp,
            2 => TransportKind::EchoRequest,
            _ => TransportKind::EchoReply,
        }
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
