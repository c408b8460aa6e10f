//! Packets as they lie on a wire, made by hand: for what no socket would send.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A hardware address.
pub type Mac = [u8; 6];

/// Everybody on the link.
pub const BROADCAST: Mac = [0xff; 6];

/// `EtherType` values.
pub mod ethertype {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// Address resolution (RFC 826).
    pub const ARP: u16 = 0x0806;
    /// A VLAN tag (IEEE 802.1Q).
    pub const VLAN: u16 = 0x8100;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
    /// For experiments (IEEE 802): nothing that anybody would parse.
    pub const EXPERIMENT: u16 = 0x88b5;
}

/// IP protocol numbers.
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// The fragment header of IPv6 (RFC 8200).
    pub const FRAGMENT: u8 = 44;
    /// `ICMPv6`.
    pub const ICMPV6: u8 = 58;
}

/// TCP flags.
pub mod flag {
    /// Opens.
    pub const SYN: u8 = 2;
    /// Resets.
    pub const RST: u8 = 4;
    /// Acknowledges.
    pub const ACK: u8 = 16;
}

/// An Ethernet frame.
#[must_use]
pub fn ethernet(to: Mac, from: Mac, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&to[..], &from, &ethertype.to_be_bytes(), payload].concat()
}

/// An Ethernet frame around an IP packet, whose version tells the `EtherType`.
#[must_use]
pub fn around(to: Mac, from: Mac, packet: &[u8]) -> Vec<u8> {
    let is_ipv6 = packet.first().is_some_and(|first| first >> 4 == 6);
    ethernet(to, from, if is_ipv6 { ethertype::IPV6 } else { ethertype::IPV4 }, packet)
}

/// An IP packet with a time to live of 64.
///
/// # Panics
///
/// When the addresses are of two versions.
#[must_use]
pub fn ip(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ipv4(from, to, protocol, Piece::WHOLE, payload),
        (IpAddr::V6(from), IpAddr::V6(to)) => ipv6(from, to, protocol, payload),
        _ => panic!("{from} and {to} are of two versions"),
    }
}

/// Where a fragment's payload belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Identifies the packet.
    pub id: u16,
    /// Bytes before this fragment, a multiple of eight.
    pub offset: u16,
    /// Whether another one follows.
    pub more: bool,
}

impl Piece {
    const WHOLE: Self = Self { id: 0, offset: 0, more: false };
}

/// One fragment of an IP packet's payload.
///
/// # Panics
///
/// When the addresses are of two versions.
#[must_use]
pub fn fragment(from: IpAddr, to: IpAddr, protocol: u8, piece: Piece, payload: &[u8]) -> Vec<u8> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ipv4(from, to, protocol, piece, payload),
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let [offset_high, offset_low] = (piece.offset | u16::from(piece.more)).to_be_bytes();
            let [id_high, id_low] = piece.id.to_be_bytes();
            let header = [protocol, 0, offset_high, offset_low, 0, 0, id_high, id_low];
            ipv6(from, to, protocol::FRAGMENT, &[&header[..], payload].concat())
        }
        _ => panic!("{from} and {to} are of two versions"),
    }
}

/// Cuts a payload into fragments of `size` bytes, a multiple of eight.
///
/// # Panics
///
/// When the addresses are of two versions.
#[must_use]
pub fn fragments(
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    id: u16,
    payload: &[u8],
    size: usize,
) -> Vec<Vec<u8>> {
    let pieces = payload.chunks(size).enumerate().map(|(number, part)| {
        let offset = u16::from_be_bytes(length_of(number * size));
        let more = (number + 1) * size < payload.len();
        fragment(from, to, protocol, Piece { id, offset, more }, part)
    });
    pieces.collect()
}

/// A UDP datagram with its checksum.
#[must_use]
pub fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let length = length_of(8 + payload.len());
    let header = [from.port().to_be_bytes(), to.port().to_be_bytes(), length, [0, 0]];
    let mut datagram = [header.as_flattened(), payload].concat();
    seal(&mut datagram, 6, (from.ip(), to.ip()), protocol::UDP);
    datagram
}

/// A TCP segment without data, with its checksum.
#[must_use]
pub fn tcp(from: SocketAddr, to: SocketAddr, flags: u8, sequence: u32, acknowledged: u32) -> Vec<u8> {
    let mut segment = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledged.to_be_bytes());
    segment.extend([5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    seal(&mut segment, 16, (from.ip(), to.ip()), protocol::TCP);
    segment
}

/// An ICMP or `ICMPv6` message with its checksum, whichever belongs to the addresses.
#[must_use]
pub fn icmp(from: IpAddr, to: IpAddr, kind: u8, code: u8, body: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], body].concat();
    if from.is_ipv4() {
        let sum = checksum(&message);
        message.splice(2..4, sum.to_be_bytes());
    } else {
        seal(&mut message, 2, (from, to), protocol::ICMPV6);
    }
    message
}

/// An ARP request (1) or reply (2).
#[must_use]
pub fn arp(operation: u8, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, operation];
    [&head[..], &sender.0, &sender.1.octets(), &target.0, &target.1.octets()].concat()
}

/// A neighbour solicitation (135) or advertisement (136) about `target`, with hop limit 255 (RFC 4861).
#[must_use]
pub fn neighbour(kind: u8, from: Ipv6Addr, to: Ipv6Addr, target: Ipv6Addr, link: Mac) -> Vec<u8> {
    let (option, flags) = if kind == 136 { (2, 0x20) } else { (1, 0) };
    let body = [&[flags, 0, 0, 0], &target.octets()[..], &[option, 1], &link].concat();
    let message = icmp(from.into(), to.into(), kind, 0, &body);
    let mut packet = ipv6(from, to, protocol::ICMPV6, &message);
    packet.splice(7..8, [255]);
    packet
}

/// The Internet checksum (RFC 1071).
#[must_use]
pub fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|word| {
        let [high, low] = [word.first(), word.get(1)].map(|byte| byte.copied().unwrap_or(0));
        u32::from(u16::from_be_bytes([high, low]))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let [.., high, low] = sum.to_be_bytes();
    !u16::from_be_bytes([high, low])
}

fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, piece: Piece, payload: &[u8]) -> Vec<u8> {
    let place = (piece.offset / 8) | if piece.more { 0x2000 } else { 0 };
    let mut header = vec![0x45, 0];
    header.extend(length_of(20 + payload.len()));
    header.extend(piece.id.to_be_bytes());
    header.extend(place.to_be_bytes());
    header.extend([64, protocol, 0, 0]);
    header.extend(from.octets());
    header.extend(to.octets());
    let sum = checksum(&header);
    header.splice(10..12, sum.to_be_bytes());
    [&header, payload].concat()
}

fn ipv6(from: Ipv6Addr, to: Ipv6Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(length_of(payload.len()));
    header.extend([protocol, 64]);
    header.extend(from.octets());
    header.extend(to.octets());
    [&header, payload].concat()
}

/// Puts the checksum over the message and the pseudo header of its addresses at `place`.
fn seal(message: &mut Vec<u8>, place: usize, (from, to): (IpAddr, IpAddr), protocol: u8) {
    let octets = |address| match address {
        IpAddr::V4(address) => Ipv4Addr::octets(&address).to_vec(),
        IpAddr::V6(address) => Ipv6Addr::octets(&address).to_vec(),
    };
    let pseudo = [octets(from), octets(to), vec![0, protocol], length_of(message.len()).to_vec()].concat();
    let sum = checksum(&[&pseudo, message.as_slice()].concat());
    message.splice(place..place + 2, sum.to_be_bytes());
}

/// No packet is longer than its two bytes can tell.
fn length_of(length: usize) -> [u8; 2] {
    let [.., high, low] = length.to_be_bytes();
    [high, low]
}
