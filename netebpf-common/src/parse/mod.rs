//! What is this packet? Reads the headers that decisions need, and refuses those that contradict themselves.

mod ipv4;
mod transport;

pub use ipv4::Frame;
pub(crate) use transport::tcp_flag;
pub use transport::{Transport, TransportKind, transport};

use crate::{packet::Packet, run::Run, verdict::DropReason};

const ETHERTYPE_IPV4: u16 = 0x0800_u16.to_be();
const ETHERTYPE_IPV6: u16 = 0x86dd_u16.to_be();

/// What a frame carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// IPv4; the workspace's frame holds the headers.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// ARP and whatever else a segment carries.
    Other,
}

/// Reads the Ethernet and IPv4 headers into the workspace.
#[inline(always)]
pub fn parse<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<Network, DropReason> {
    let frame = &mut run.workspace.frame;
    if !run.packet.read(0, frame.wire_mut()) {
        return short_frame(run.packet);
    }
    match frame.ethertype {
        ETHERTYPE_IPV4 => frame.check(run.packet.length()).map(|()| Network::Ipv4),
        ETHERTYPE_IPV6 => Ok(Network::Ipv6),
        _ => Ok(Network::Other),
    }
}

/// A frame that is too short for IPv4 may still carry something else.
#[inline(always)]
fn short_frame(packet: &impl Packet) -> Result<Network, DropReason> {
    let mut ethertype = [0; 2];
    if !packet.read(12, &mut ethertype) {
        return Err(DropReason::Malformed);
    }
    match u16::from_ne_bytes(ethertype) {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => Err(DropReason::Malformed),
        _ => Ok(Network::Other),
    }
}
