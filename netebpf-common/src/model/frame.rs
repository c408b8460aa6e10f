//! Builds frames with right checksums, cuts them into fragments, reads them back, answers and reports about them.

use core::net::IpAddr;
use std::{vec, vec::Vec};

use super::{Segment, sums};
use crate::abi::Mac;

/// Which part of a packet a frame carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Piece {
    /// Where the part begins, in units of 8 bytes.
    pub offset: u16,
    /// Whether another part follows.
    pub more: bool,
}

/// An extension header of IPv6 (RFC 8200).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extension {
    /// Hop-by-hop options, padding only.
    HopByHop,
    /// Destination options, padding only.
    Destination,
    /// A routing header with so many segments left.
    Routing(u8),
    /// An authentication header without data.
    Authentication,
    /// A fragment header around a whole packet (RFC 6946).
    Atomic,
}

impl Extension {
    const fn number(self) -> u8 {
        match self {
            Self::HopByHop => 0,
            Self::Destination => 60,
            Self::Routing(_) => 43,
            Self::Authentication => 51,
            Self::Atomic => 44,
        }
    }

    const fn bytes(self, next: u8) -> [u8; 8] {
        match self {
            Self::HopByHop | Self::Destination => [next, 0, 1, 4, 0, 0, 0, 0],
            Self::Routing(left) => [next, 0, 0, left, 0, 0, 0, 0],
            Self::Authentication | Self::Atomic => [next, 0, 0, 0, 0, 0, 0, 9],
        }
    }
}

/// A frame to build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameSpec {
    /// Source MAC.
    pub source_mac: Mac,
    /// Destination MAC.
    pub destination_mac: Mac,
    /// Source address.
    pub source: IpAddr,
    /// Destination address, of the same IP version.
    pub destination: IpAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// IPv4: words of options, at most 10; all no-ops.
    pub option_words: u8,
    /// IPv6: extension headers, in order.
    pub extensions: Vec<Extension>,
    /// What the fragments of a packet have in common; of IPv4 the lower half.
    pub identification: u32,
    /// Which part of the packet it is; one that begins later carries the payload alone.
    pub piece: Piece,
    /// What it carries.
    pub segment: Segment,
    /// Payload behind the transport header.
    pub payload: Vec<u8>,
}

impl FrameSpec {
    /// A whole packet from one address to another, without MACs.
    #[must_use]
    pub const fn new(source: IpAddr, destination: IpAddr, segment: Segment) -> Self {
        Self {
            source_mac: Mac([0; 6]),
            destination_mac: Mac([0; 6]),
            source,
            destination,
            ttl: 64,
            option_words: 0,
            extensions: Vec::new(),
            identification: 0x1234,
            piece: Piece { offset: 0, more: false },
            segment,
            payload: Vec::new(),
        }
    }

    /// The frame's bytes.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        self.around(&self.packet())
    }

    /// The IP packet's bytes.
    #[must_use]
    pub fn packet(&self) -> Vec<u8> {
        if self.piece.offset == 0 {
            return self.wrap(self.piece, &self.segment.build(self.source, self.destination, &self.payload));
        }
        self.wrap(self.piece, &self.payload)
    }

    /// The frames of the packet's fragments, each with up to `size` bytes of it, a multiple of 8.
    #[must_use]
    pub fn cut(&self, size: usize) -> Vec<Vec<u8>> {
        let whole = self.segment.build(self.source, self.destination, &self.payload);
        let parts = whole.chunks(size).enumerate();
        let frame = |(number, part): (usize, &[u8])| {
            let offset = u16::try_from(number * size / 8).unwrap_or(u16::MAX);
            let more = (number + 1) * size < whole.len();
            self.around(&self.wrap(Piece { offset, more }, part))
        };
        parts.map(frame).collect()
    }

    fn around(&self, packet: &[u8]) -> Vec<u8> {
        let ethertype: [u8; 2] = if self.source.is_ipv4() { [8, 0] } else { [0x86, 0xdd] };
        [&self.destination_mac.0[..], &self.source_mac.0, &ethertype, packet].concat()
    }

    /// The IP header and what it carries.
    fn wrap(&self, piece: Piece, content: &[u8]) -> Vec<u8> {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let header = self.v4_header(source.octets(), destination.octets(), piece, content.len());
                [&header, content].concat()
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let content = [&self.extension_headers(piece), content].concat();
                let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
                let head = [&[0x60, 0, 0, 0][..], &length, &[self.first_header(piece), self.ttl]].concat();
                [&head[..], &source.octets(), &destination.octets(), &content].concat()
            }
            _ => panic!("{} and {} are of two versions", self.source, self.destination),
        }
    }

    fn v4_header(&self, source: [u8; 4], destination: [u8; 4], piece: Piece, payload: usize) -> Vec<u8> {
        let words = 5 + usize::from(self.option_words.min(10));
        let total = u16::try_from(words * 4 + payload).unwrap_or(u16::MAX);
        let [_, _, id_high, id_low] = self.identification.to_be_bytes();
        let fragment = piece.offset & 0x1fff | if piece.more { 0x2000 } else { 0 };
        let mut header = vec![0x40 | u8::try_from(words).unwrap_or(5), 0];
        header.extend_from_slice(&total.to_be_bytes());
        header.extend_from_slice(&[id_high, id_low]);
        header.extend_from_slice(&fragment.to_be_bytes());
        header.extend_from_slice(&[self.ttl, self.segment.protocol(self.destination), 0, 0]);
        header.extend_from_slice(&source);
        header.extend_from_slice(&destination);
        header.resize(words * 4, 1);
        let sum = (!sums::sum(&header)).to_be_bytes();
        header[10..12].copy_from_slice(&sum);
        header
    }

    fn first_header(&self, piece: Piece) -> u8 {
        let own = self.segment.protocol(self.destination);
        let fragment = if piece == Piece::default() { own } else { 44 };
        self.extensions.first().map_or(fragment, |first| first.number())
    }

    fn extension_headers(&self, piece: Piece) -> Vec<u8> {
        let mut next = self.segment.protocol(self.destination);
        let mut headers = Vec::new();
        if piece != Piece::default() {
            let [high, low] = (piece.offset << 3 | u16::from(piece.more)).to_be_bytes();
            headers = [&[next, 0, high, low][..], &self.identification.to_be_bytes()].concat();
            next = 44;
        }
        for extension in self.extensions.iter().rev() {
            headers.splice(0..0, extension.bytes(next));
            next = extension.number();
        }
        headers
    }

    /// Reads a frame back; options and extension headers are not told of. `None` if a header is cut off.
    #[must_use]
    pub fn read(frame: &[u8]) -> Option<Self> {
        let mac = |at: usize| Some(Mac(<[u8; 6]>::try_from(frame.get(at..at + 6)?).ok()?));
        let (destination_mac, source_mac) = (mac(0)?, mac(6)?);
        Some(Self { source_mac, destination_mac, ..Self::read_packet(frame.get(14..)?)? })
    }

    /// Reads an IP packet back, as [`FrameSpec::read`] does.
    #[must_use]
    pub fn read_packet(packet: &[u8]) -> Option<Self> {
        let outline = sums::outline(packet)?;
        let rest = packet.get(outline.transport..)?;
        let (offset, more) = outline.piece;
        let (segment, length) = match offset {
            0 => Segment::read(outline.protocol, rest)?,
            _ => (Segment::Other(outline.protocol), 0),
        };
        Some(Self {
            ttl: outline.ttl,
            identification: outline.identification,
            piece: Piece { offset, more },
            payload: rest.get(length..)?.to_vec(),
            ..Self::new(outline.source, outline.destination, segment)
        })
    }

    /// Reads as much of the packet that an ICMP error quotes as 8 bytes of its transport header tell.
    #[must_use]
    pub fn read_quoted(packet: &[u8]) -> Option<Self> {
        let outline = sums::outline(packet)?;
        if outline.piece.0 != 0 {
            return None;
        }
        let mut header = [0; 20];
        header[..8].copy_from_slice(packet.get(outline.transport..outline.transport + 8)?);
        let (segment, _) = Segment::read(outline.protocol, &header)?;
        Some(Self::new(outline.source, outline.destination, segment))
    }

    /// What answers the packet: addresses and ports turned round, an echo request become a reply; `None` if nothing would.
    #[must_use]
    pub fn answer(&self) -> Option<Self> {
        let segment = self.segment.answer()?;
        let macs = (self.destination_mac, self.source_mac);
        let answer = Self::new(self.destination, self.source, segment);
        Some(Self { source_mac: macs.0, destination_mac: macs.1, payload: vec![7; 9], ..answer })
    }

    /// The ICMP error of a type that `reporter` sends about a frame, quoting so many bytes behind its IP header.
    #[must_use]
    pub fn error_about(frame: &[u8], reporter: IpAddr, kind: u8, quoted: usize) -> Option<Self> {
        let packet = frame.get(14..)?;
        let outline = sums::outline(packet)?;
        let end = packet.len().min(outline.transport + quoted);
        let segment = Segment::Icmp { kind, identifier: 0 };
        let error = Self::new(reporter, outline.source, segment);
        Some(Self { payload: packet.get(..end)?.to_vec(), ..error })
    }

    /// Addresses and ports, which is what translation changes.
    #[must_use]
    pub const fn ends(&self) -> ((IpAddr, u16), (IpAddr, u16)) {
        let (source, destination) = self.segment.ports();
        ((self.source, source), (self.destination, destination))
    }
}
