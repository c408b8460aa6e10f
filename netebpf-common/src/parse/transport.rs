//! TCP (RFC 9293), UDP (RFC 768) and ICMP echo (RFC 792): what a flow is made of.

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
pub enum TransportKind {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// An ICMP echo request.
    EchoRequest,
    /// An ICMP echo reply.
    EchoReply,
}

/// A packet's transport header, as far as decisions need it; the ports are in the workspace's tuple.
#[derive(Clone, Copy, Debug)]
pub struct Transport {
    /// Which protocol.
    pub kind: TransportKind,
    /// Offset from the start of the frame.
    pub offset: u32,
    /// TCP flags; zero for the others.
    pub tcp_flags: u8,
}

/// Reads the transport header of a packet that may have to be translated, and the packet's tuple into the workspace.
#[inline(always)]
pub fn transport<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<Transport, DropReason> {
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
fn tcp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<Transport, DropReason> {
    let ([s0, s1, d0, d1, .., flags], offset) = header::<14, P, T>(run, TCP_LENGTH)?;
    set_tuple(run, wire_port(s0, s1), wire_port(d0, d1));
    Ok(Transport { kind: TransportKind::Tcp, offset, tcp_flags: flags })
}

#[inline(always)]
fn udp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<Transport, DropReason> {
    let ([s0, s1, d0, d1, ..], offset) = header::<8, P, T>(run, UDP_LENGTH)?;
    set_tuple(run, wire_port(s0, s1), wire_port(d0, d1));
    Ok(Transport { kind: TransportKind::Udp, offset, tcp_flags: 0 })
}

#[inline(always)]
fn icmp<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<Transport, DropReason> {
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
    Ok(Transport { kind, offset, tcp_flags: 0 })
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
