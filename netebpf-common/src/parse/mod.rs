//! What is this packet? Reads the headers that decisions need, and refuses those that contradict themselves.

mod frame;
mod ipv4;
mod ipv6;
mod quoted;
#[cfg(test)]
mod tests;
mod transport;

pub use frame::{ETHERNET_LENGTH, Fragment, Frame};
pub use quoted::{Quoted, quoted};
pub(crate) use transport::tcp_flag;
pub use transport::{Transport, TransportKind, transport};

use crate::{packet::Packet, run::Run, verdict::DropReason};

const ETHERTYPE_IPV4: u16 = 0x0800_u16.to_be();
const ETHERTYPE_IPV6: u16 = 0x86dd_u16.to_be();
const ETHERTYPE_ARP: u16 = 0x0806_u16.to_be();

/// What a frame carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// IPv4 or IPv6; the workspace's frame and tuple hold what the headers say.
    Ip,
    /// ARP (RFC 826).
    Arp,
    /// Whatever else a segment carries.
    Other,
}

/// Reads the Ethernet and IP headers into the workspace, and the addresses and the protocol into its tuple.
#[inline(always)]
pub fn parse<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<Network, DropReason> {
    let bare = run.arrival.bare;
    let frame = &mut run.workspace.frame;
    if !frame.read(run.packet, bare) {
        return short_frame(run);
    }
    if bare {
        frame.ethertype = ethertype_of_bare(frame);
    }
    match run.workspace.frame.ethertype {
        ETHERTYPE_IPV4 => ipv4::parse(run).map(|()| Network::Ip),
        ETHERTYPE_IPV6 => ipv6::parse(run).map(|()| Network::Ip),
        ETHERTYPE_ARP => Ok(Network::Arp),
        _ => Ok(Network::Other),
    }
}

/// Without an Ethernet header the IP version is all there is.
#[inline(always)]
const fn ethertype_of_bare(frame: &Frame) -> u16 {
    let [version, ..] = frame.header[0].to_ne_bytes();
    match version >> 4 {
        4 => ETHERTYPE_IPV4,
        6 => ETHERTYPE_IPV6,
        _ => 0,
    }
}

/// A frame that is too short for IP may still carry something else.
#[inline(always)]
fn short_frame<P: Packet, T>(run: &mut Run<'_, P, T>) -> Result<Network, DropReason> {
    let frame = &mut run.workspace.frame;
    if run.arrival.bare || !frame.read_ethernet(run.packet) {
        return Err(DropReason::Malformed);
    }
    match frame.ethertype {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 | ETHERTYPE_ARP => Err(DropReason::Malformed),
        _ => Ok(Network::Other),
    }
}
