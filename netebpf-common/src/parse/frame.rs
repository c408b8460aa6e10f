//! The Ethernet and IP headers as they lie in the packet, and what of them every decision needs.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{
    abi::{Address, Family, Mac},
    checksum::{self, Change},
    packet::Packet,
};

/// Bytes of an Ethernet header.
pub const ETHERNET_LENGTH: u32 = 14;

/// The headers, shifted by two bytes so that addresses are aligned, and what parsing found out.
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
    pub(super) header: [u32; 10],
    /// Offset of the transport header from the start of the packet.
    pub transport_offset: u32,
    /// Bytes of the IP packet from there on.
    pub payload_length: u32,
    /// Bytes of the IP packet, header included.
    pub ip_length: u32,
    /// What the fragments of a packet have in common, as it lies in memory.
    pub identification: u32,
    /// Time to live, or hop limit.
    pub hop_limit: u8,
    /// IP protocol of the transport header.
    pub protocol: u8,
    pub(super) fragment: u8,
    pub(super) is_v6: u8,
}

/// How much of a packet this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Fragment {
    /// All of it.
    Whole = 0,
    /// Its beginning, with the transport header.
    First = 1,
    /// Some later part.
    Later = 2,
}

const SOURCE_V4: usize = 3;
const DESTINATION_V4: usize = 4;
const SOURCE_V6: usize = 2;
const DESTINATION_V6: usize = 6;
/// The word of an IPv4 header that holds time to live, protocol and header checksum.
const HOP_V4: usize = 2;
/// The word of an IPv6 header that holds the hop limit in its last byte.
const HOP_V6: usize = 1;

impl Frame {
    /// Reads the Ethernet header and the 20 bytes behind it; false if the packet ends before.
    #[inline(always)]
    pub(super) fn read(&mut self, packet: &impl Packet, bare: bool) -> bool {
        let wire = self.as_mut_bytes();
        if bare {
            let Some(header) = wire.get_mut(16..36) else { return false };
            return packet.read(0, header);
        }
        let Some(headers) = wire.get_mut(2..36) else { return false };
        packet.read(0, headers)
    }

    /// Reads the Ethernet header alone; false if the packet ends before.
    #[inline(always)]
    pub(super) fn read_ethernet(&mut self, packet: &impl Packet) -> bool {
        self.as_mut_bytes().get_mut(2..16).is_some_and(|header| packet.read(0, header))
    }

    /// Reads the second half of an IPv6 header, which begins at `start`; false if the packet ends before.
    #[inline(always)]
    pub(super) fn read_rest_of_v6(&mut self, packet: &impl Packet, start: u32) -> bool {
        let Some(rest) = self.as_mut_bytes().get_mut(36..56) else { return false };
        packet.read(start + 20, rest)
    }

    /// The IP version.
    #[inline(always)]
    #[must_use]
    pub const fn family(&self) -> Family {
        if self.is_v6 == 0 { Family::V4 } else { Family::V6 }
    }

    /// How much of a packet this is.
    #[inline(always)]
    #[must_use]
    pub const fn fragment(&self) -> Fragment {
        match self.fragment {
            0 => Fragment::Whole,
            1 => Fragment::First,
            _ => Fragment::Later,
        }
    }

    #[inline(always)]
    pub(super) const fn source_v4(&self) -> Address {
        Address::v4_from_wire(self.header[SOURCE_V4])
    }

    #[inline(always)]
    pub(super) const fn destination_v4(&self) -> Address {
        Address::v4_from_wire(self.header[DESTINATION_V4])
    }

    #[inline(always)]
    pub(super) const fn source_v6(&self) -> Address {
        self.address_v6(SOURCE_V6)
    }

    #[inline(always)]
    pub(super) const fn destination_v6(&self) -> Address {
        self.address_v6(DESTINATION_V6)
    }

    #[inline(always)]
    const fn address_v6(&self, at: usize) -> Address {
        Address::from_words([self.header[at], self.header[at + 1], self.header[at + 2], self.header[at + 3]])
    }

    /// Replaces both addresses, whose change sums up to `delta`, and keeps an IPv4 header's checksum right.
    #[inline(always)]
    pub const fn set_addresses(&mut self, source: Address, destination: Address, delta: u32) {
        match self.family() {
            Family::V4 => {
                self.header[SOURCE_V4] = source.v4_wire();
                self.header[DESTINATION_V4] = destination.v4_wire();
                self.adjust_header_checksum(delta);
            }
            Family::V6 => {
                let (s, d) = (source.words(), destination.words());
                self.header[SOURCE_V6] = s[0];
                self.header[SOURCE_V6 + 1] = s[1];
                self.header[SOURCE_V6 + 2] = s[2];
                self.header[SOURCE_V6 + 3] = s[3];
                self.header[DESTINATION_V6] = d[0];
                self.header[DESTINATION_V6 + 1] = d[1];
                self.header[DESTINATION_V6 + 2] = d[2];
                self.header[DESTINATION_V6 + 3] = d[3];
            }
        }
    }

    /// Whether there are IPv4 options, in which a router may have to enter itself (RFC 1812, 5.2.4).
    #[inline(always)]
    #[must_use]
    pub const fn has_options(&self) -> bool {
        const HEADER_WORDS: u8 = 5;
        let [version, ..] = self.header[0].to_ne_bytes();
        self.is_v6 == 0 && version & 0xf != HEADER_WORDS
    }

    /// Counts one hop.
    #[inline(always)]
    pub const fn count_hop(&mut self) {
        let at = if self.is_v6 == 0 { HOP_V4 } else { HOP_V6 };
        let old = self.header[at];
        let [a, b, c, d] = old.to_ne_bytes();
        let hop = self.hop_limit.wrapping_sub(1);
        match self.family() {
            Family::V4 => {
                self.header[HOP_V4] = u32::from_ne_bytes([hop, b, c, d]);
                let change =
                    checksum::change(u16::from_ne_bytes([a, b]) as u32, u16::from_ne_bytes([hop, b]) as u32);
                self.adjust_header_checksum(change);
            }
            Family::V6 => self.header[HOP_V6] = u32::from_ne_bytes([a, b, c, hop]),
        }
    }

    /// Makes the headers those of an IPv4 packet that answers this one, of `length` bytes, as a host sends it itself.
    #[inline(always)]
    pub const fn turn_round(&mut self, length: u32) {
        const WITHOUT_OPTIONS: u32 = 0x4500_0000;
        const UNFRAGMENTED: u32 = 0x4000;
        const HOPS: u32 = 64 << 24;
        (self.source_mac, self.destination_mac) = (self.destination_mac, self.source_mac);
        self.header[0] = (WITHOUT_OPTIONS | length).to_be();
        self.header[1] = UNFRAGMENTED.to_be();
        self.header[HOP_V4] = (HOPS | (self.protocol as u32) << 16).to_be();
        (self.header[SOURCE_V4], self.header[DESTINATION_V4]) =
            (self.header[DESTINATION_V4], self.header[SOURCE_V4]);
        let sum = Change::NONE.add(self.header[0]).add(self.header[1]).add(self.header[HOP_V4]);
        let sum = sum.add(self.header[SOURCE_V4]).add(self.header[DESTINATION_V4]).sum();
        let [ttl, protocol, ..] = self.header[HOP_V4].to_ne_bytes();
        let [high, low] = checksum::field(sum).to_ne_bytes();
        self.header[HOP_V4] = u32::from_ne_bytes([ttl, protocol, high, low]);
    }

    #[inline(always)]
    const fn adjust_header_checksum(&mut self, delta: u32) {
        let [ttl, protocol, high, low] = self.header[HOP_V4].to_ne_bytes();
        let [high, low] = checksum::adjust(u16::from_ne_bytes([high, low]), delta).to_ne_bytes();
        self.header[HOP_V4] = u32::from_ne_bytes([ttl, protocol, high, low]);
    }

    /// Writes the headers back as they are here; false if the packet cannot be written.
    #[inline(always)]
    pub fn write(&self, packet: &mut impl Packet, bare: bool) -> bool {
        let wire = self.as_bytes();
        match (self.family(), bare) {
            (Family::V4, false) => wire.get(2..36).is_some_and(|headers| packet.write(0, headers)),
            (Family::V4, true) => wire.get(16..36).is_some_and(|header| packet.write(0, header)),
            (Family::V6, false) => {
                wire.get(2..16).is_some_and(|macs| packet.write(0, macs))
                    && wire.get(16..56).is_some_and(|header| packet.write_covered(ETHERNET_LENGTH, header))
            }
            (Family::V6, true) => wire.get(16..56).is_some_and(|header| packet.write_covered(0, header)),
        }
    }
}
