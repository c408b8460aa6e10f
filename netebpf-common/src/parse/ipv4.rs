//! The Ethernet and IPv4 headers (RFC 791), without options.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{
    abi::{Address, Mac},
    verdict::DropReason,
};

const ETHERNET_LENGTH: u32 = 14;
const MORE_FRAGMENTS_AND_OFFSET: u16 = 0x3fff_u16.to_be();

/// The headers as they lie in the packet, shifted by two bytes so that addresses are aligned.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Frame {
    shift: [u8; 2],
    /// To whom the frame goes.
    pub destination_mac: Mac,
    /// From whom it comes.
    pub source_mac: Mac,
    /// What it carries, in network byte order.
    pub ethertype: u16,
    version_and_length: u8,
    service: u8,
    total_length: u16,
    identification: u16,
    fragment: u16,
    /// Time to live.
    pub ttl: u8,
    /// IP protocol.
    pub protocol: u8,
    /// Header checksum, as it lies in memory.
    pub checksum: u16,
    source: u32,
    destination: u32,
}

impl Frame {
    /// The bytes as they lie in the packet, to read into.
    #[inline(always)]
    pub fn wire_mut(&mut self) -> &mut [u8] {
        match self.as_mut_bytes() {
            [_, _, wire @ ..] => wire,
            short => short,
        }
    }

    /// The bytes as they lie in the packet.
    #[inline(always)]
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        match self.as_bytes() {
            [_, _, wire @ ..] => wire,
            short => short,
        }
    }

    /// Refuses headers that contradict themselves or a frame of `length` bytes.
    #[inline(always)]
    pub(super) fn check(&self, length: u32) -> Result<(), DropReason> {
        let header = self.header_length();
        let total = u32::from(u16::from_be(self.total_length));
        let sound = self.version_and_length >> 4 == 4
            && header >= 20
            && total >= header
            && ETHERNET_LENGTH + total <= length;
        if sound { Ok(()) } else { Err(DropReason::Malformed) }
    }

    #[inline(always)]
    const fn header_length(&self) -> u32 {
        ((self.version_and_length & 0xf) as u32) << 2
    }

    /// Offset of the transport header from the start of the frame, at most 74.
    #[inline(always)]
    #[must_use]
    pub const fn transport_offset(&self) -> u32 {
        ETHERNET_LENGTH + self.header_length()
    }

    /// Bytes of the IP packet behind its header.
    #[inline(always)]
    #[must_use]
    pub const fn payload_length(&self) -> u32 {
        (u16::from_be(self.total_length) as u32).wrapping_sub(self.header_length())
    }

    /// Whether this is a part of a packet, the first one included.
    #[inline(always)]
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.fragment & MORE_FRAGMENTS_AND_OFFSET != 0
    }

    /// Source address.
    #[inline(always)]
    #[must_use]
    pub const fn source(&self) -> Address {
        Address::v4_from_wire(self.source)
    }

    /// Destination address.
    #[inline(always)]
    #[must_use]
    pub const fn destination(&self) -> Address {
        Address::v4_from_wire(self.destination)
    }

    /// Replaces both addresses; the checksum is the caller's to adjust.
    #[inline(always)]
    pub const fn set_addresses(&mut self, source: Address, destination: Address) {
        self.source = source.v4_wire();
        self.destination = destination.v4_wire();
    }
}
