//! Builds frames with right checksums, and checks those of frames that have been through the pipeline.

use core::net::Ipv4Addr;
use std::{vec, vec::Vec};

use crate::abi::{Mac, protocol};

/// What an IPv4 packet carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Segment {
    /// TCP with these flags.
    Tcp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Flags, as in byte 13 of the header.
        flags: u8,
    },
    /// UDP, with a checksum or without.
    Udp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Whether there is a checksum.
        checksum: bool,
    },
    /// An ICMP message of a type and an identifier.
    Icmp {
        /// Type.
        kind: u8,
        /// Identifier, for echo.
        identifier: u16,
    },
    /// Another protocol.
    Other(u8),
}

/// A frame to build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameSpec {
    /// Source MAC.
    pub source_mac: Mac,
    /// Destination MAC.
    pub destination_mac: Mac,
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// Time to live.
    pub ttl: u8,
    /// Words of IP options, at most 10; all no-ops.
    pub option_words: u8,
    /// The flags and offset field.
    pub fragment: u16,
    /// What it carries.
    pub segment: Segment,
    /// Payload behind the transport header.
    pub payload: Vec<u8>,
}

impl FrameSpec {
    /// The frame's bytes.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut transport = self.transport_header();
        transport.extend_from_slice(&self.payload);
        self.seal(&mut transport);
        let mut frame = Vec::new();
        frame.extend_from_slice(&self.destination_mac.0);
        frame.extend_from_slice(&self.source_mac.0);
        frame.extend_from_slice(&0x0800_u16.to_be_bytes());
        frame.extend_from_slice(&self.ip_header(transport.len()));
        frame.extend_from_slice(&transport);
        frame
    }

    fn protocol(&self) -> u8 {
        match self.segment {
            Segment::Tcp { .. } => protocol::TCP,
            Segment::Udp { .. } => protocol::UDP,
            Segment::Icmp { .. } => protocol::ICMP,
            Segment::Other(number) => number,
        }
    }

    fn ip_header(&self, payload: usize) -> Vec<u8> {
        let words = 5 + usize::from(self.option_words.min(10));
        let total = u16::try_from(words * 4 + payload).unwrap_or(u16::MAX);
        let mut header = vec![0x40 | u8::try_from(words).unwrap_or(5), 0];
        header.extend_from_slice(&total.to_be_bytes());
        header.extend_from_slice(&[0x12, 0x34]);
        header.extend_from_slice(&self.fragment.to_be_bytes());
        header.extend_from_slice(&[self.ttl, self.protocol(), 0, 0]);
        header.extend_from_slice(&self.source.octets());
        header.extend_from_slice(&self.destination.octets());
        header.resize(words * 4, 1);
        let sum = (!sum(&header)).to_be_bytes();
        header[10..12].copy_from_slice(&sum);
        header
    }

    fn transport_header(&self) -> Vec<u8> {
        match &self.segment {
            Segment::Tcp { source, destination, flags } => {
                let mut header = vec![0; 20];
                header[..2].copy_from_slice(&source.to_be_bytes());
                header[2..4].copy_from_slice(&destination.to_be_bytes());
                header[12] = 0x50;
                header[13] = *flags;
                header
            }
            Segment::Udp { source, destination, .. } => {
                let length = u16::try_from(8 + self.payload.len()).unwrap_or(u16::MAX);
                let fields = [*source, *destination, length, 0];
                fields.iter().flat_map(|field| field.to_be_bytes()).collect()
            }
            Segment::Icmp { kind, identifier } => {
                let [high, low] = identifier.to_be_bytes();
                vec![*kind, 0, 0, 0, high, low, 0, 1]
            }
            Segment::Other(_) => Vec::new(),
        }
    }

    /// Writes the transport checksum.
    fn seal(&self, transport: &mut [u8]) {
        let (place, pseudo) = match self.segment {
            Segment::Tcp { .. } => (16, true),
            Segment::Udp { checksum: true, .. } => (6, true),
            Segment::Icmp { .. } => (2, false),
            Segment::Udp { checksum: false, .. } | Segment::Other(_) => return,
        };
        let mut covered = transport.to_vec();
        if pseudo {
            covered
                .splice(0..0, pseudo_header(self.source, self.destination, self.protocol(), transport.len()));
        }
        let sum = match !sum(&covered) {
            0 if matches!(self.segment, Segment::Udp { .. }) => u16::MAX,
            sum => sum,
        };
        transport[place..place + 2].copy_from_slice(&sum.to_be_bytes());
    }
}

fn pseudo_header(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, length: usize) -> Vec<u8> {
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    [&source.octets()[..], &destination.octets(), &[0, protocol, high, low]].concat()
}

/// One's complement sum over big-endian words (RFC 1071).
fn sum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
    let mut sum = bytes.chunks(2).map(word).sum::<u32>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(u16::MAX)
}

/// Whether the IPv4 header's and the transport's checksums of a whole, unfragmented frame are right.
#[must_use]
pub fn checksums_are_right(frame: &[u8]) -> bool {
    let header = usize::from(frame[14] & 0xf) * 4;
    let ip = &frame[14..14 + header];
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    let transport = &frame[14 + header..14 + total];
    if sum(ip) != u16::MAX {
        return false;
    }
    let address = |at: usize| Ipv4Addr::new(ip[at], ip[at + 1], ip[at + 2], ip[at + 3]);
    let with_pseudo = || {
        let mut covered = pseudo_header(address(12), address(16), ip[9], transport.len());
        covered.extend_from_slice(transport);
        sum(&covered) == u16::MAX
    };
    match ip[9] {
        protocol::TCP => with_pseudo(),
        protocol::UDP => transport[6..8] == [0, 0] || with_pseudo(),
        protocol::ICMP => sum(transport) == u16::MAX,
        _ => true,
    }
}
