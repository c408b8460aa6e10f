//! Addresses, ports and MACs as they stand in packets and map keys.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::Family;

/// An IPv4 or IPv6 address: 16 bytes in network order, IPv4 as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2).
///
/// Kept as four words because the BPF target compares words, not byte arrays, cheaply.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Address {
    words: [u32; 4],
}

impl Address {
    const MAPPED: u32 = 0xffff_u32.to_be();

    /// `::ffff:0.0.0.0`, the IPv4 wildcard.
    pub const UNSPECIFIED_V4: Self = Self::v4_from_wire(0);

    /// `::`, the IPv6 wildcard.
    pub const UNSPECIFIED_V6: Self = Self { words: [0; 4] };

    /// `::1` (RFC 4291, 2.5.3).
    pub const LOOPBACK_V6: Self = Self { words: [0, 0, 0, 1_u32.to_be()] };

    /// Builds from the four bytes of an IPv4 header field, read as a native-endian word.
    #[inline(always)]
    #[must_use]
    pub const fn v4_from_wire(word: u32) -> Self {
        Self { words: [0, 0, Self::MAPPED, word] }
    }

    /// Returns the four bytes of the IPv4 header field as a native-endian word; for IPv6 the last four bytes.
    #[inline(always)]
    #[must_use]
    pub const fn v4_wire(self) -> u32 {
        self.words[3]
    }

    /// Whether this is an IPv4 address.
    #[inline(always)]
    #[must_use]
    pub const fn is_v4(self) -> bool {
        self.words[0] == 0 && self.words[1] == 0 && self.words[2] == Self::MAPPED
    }

    /// The IP version.
    #[inline(always)]
    #[must_use]
    pub const fn family(self) -> Family {
        if self.is_v4() { Family::V4 } else { Family::V6 }
    }

    /// The wildcard of an IP version.
    #[inline(always)]
    #[must_use]
    pub const fn unspecified(family: Family) -> Self {
        match family {
            Family::V4 => Self::UNSPECIFIED_V4,
            Family::V6 => Self::UNSPECIFIED_V6,
        }
    }

    /// Whether this is the wildcard of either IP version.
    #[inline(always)]
    #[must_use]
    pub const fn is_unspecified(self) -> bool {
        (self.words[0] | self.words[1] | self.words[3]) == 0
            && (self.words[2] == 0 || self.words[2] == Self::MAPPED)
    }

    /// The four words in network byte order, as they stand in memory.
    #[inline(always)]
    #[must_use]
    pub const fn words(self) -> [u32; 4] {
        self.words
    }

    /// Builds from four words in network byte order, as they stand in memory.
    #[inline(always)]
    #[must_use]
    pub const fn from_words(words: [u32; 4]) -> Self {
        Self { words }
    }

    /// Whether this is a loopback address: 127.0.0.0/8 or `::1`.
    #[inline(always)]
    #[must_use]
    pub const fn is_loopback(self) -> bool {
        let [a, b, c, d] = self.words;
        (a | b) == 0
            && (c == Self::MAPPED && d & 0xff00_0000_u32.to_be() == 0x7f00_0000_u32.to_be()
                || c == 0 && d == 1_u32.to_be())
    }

    /// Whether this is an IPv6 link-local address, `fe80::/10`.
    #[inline(always)]
    #[must_use]
    pub const fn is_link_local_v6(self) -> bool {
        self.words[0] & 0xffc0_0000_u32.to_be() == 0xfe80_0000_u32.to_be()
    }

    /// Whether this is an IPv4 link-local address, `169.254.0.0/16` (RFC 3927).
    #[inline(always)]
    #[must_use]
    pub const fn is_link_local_v4(self) -> bool {
        self.is_v4() && self.words[3] & 0xffff_0000_u32.to_be() == 0xa9fe_0000_u32.to_be()
    }

    /// What a link-local address of the sandbox behind a host-side link stands under in the table of endpoints: others may
    /// have the same address on other links.
    #[inline(always)]
    #[must_use]
    pub const fn on_link(self, ifindex: u32) -> Self {
        Self { words: [self.words[0], ifindex, self.words[2], self.words[3]] }
    }

    /// Whether packets to this address go to many: multicast of either IP version, or the limited broadcast address.
    #[inline(always)]
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        if self.is_v4() {
            self.words[3] & 0xf000_0000_u32.to_be() == 0xe000_0000_u32.to_be() || self.words[3] == u32::MAX
        } else {
            self.words[0] & 0xff00_0000_u32.to_be() == 0xff00_0000_u32.to_be()
        }
    }

    /// The link-local address that Linux gives an interface with this MAC by default (RFC 4291, appendix A).
    #[inline(always)]
    #[must_use]
    pub const fn link_local_of(mac: Mac) -> Self {
        let [first, second, third, rest @ ..] = mac.0;
        let upper = u32::from_ne_bytes([first ^ 2, second, third, 0xff]);
        let lower = u32::from_ne_bytes([0xfe, rest[0], rest[1], rest[2]]);
        Self { words: [0xfe80_0000_u32.to_be(), 0, upper, lower] }
    }

    /// Whether both addresses agree in every bit that `mask` sets.
    #[inline(always)]
    #[must_use]
    pub const fn matches(self, other: Self, mask: Self) -> bool {
        (self.words[0] ^ other.words[0]) & mask.words[0] == 0
            && (self.words[1] ^ other.words[1]) & mask.words[1] == 0
            && (self.words[2] ^ other.words[2]) & mask.words[2] == 0
            && (self.words[3] ^ other.words[3]) & mask.words[3] == 0
    }

    /// The mask of a subnet whose prefix has `bits` bits, counted as IPv6 does (IPv4 `/24` is 120).
    #[must_use]
    pub fn mask(bits: u8) -> Self {
        let ones = if bits == 0 { 0 } else { u128::MAX << (128 - u32::from(bits.min(128))) };
        Self::from(Ipv6Addr::from(ones))
    }
}

impl From<Ipv4Addr> for Address {
    fn from(address: Ipv4Addr) -> Self {
        Self::v4_from_wire(u32::from_ne_bytes(address.octets()))
    }
}

impl From<Ipv6Addr> for Address {
    fn from(address: Ipv6Addr) -> Self {
        let b = address.octets();
        let word = |i: usize| u32::from_ne_bytes([b[i], b[i + 1], b[i + 2], b[i + 3]]);
        Self { words: [word(0), word(4), word(8), word(12)] }
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => v6.into(),
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        if address.is_v4() {
            return Self::V4(Ipv4Addr::from(address.words[3].to_ne_bytes()));
        }
        let mut octets = [0; 16];
        for (chunk, word) in octets.chunks_exact_mut(4).zip(address.words) {
            chunk.copy_from_slice(&word.to_ne_bytes());
        }
        Self::V6(Ipv6Addr::from(octets))
    }
}

impl core::fmt::Debug for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        IpAddr::from(*self).fmt(f)
    }
}

/// A TCP or UDP port, or an ICMP echo identifier, in network byte order.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Port {
    wire: u16,
}

impl Port {
    /// Builds from a port number in host byte order.
    #[inline(always)]
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self { wire: number.to_be() }
    }

    /// Builds from the two bytes of a header field, read as a native-endian half-word.
    #[inline(always)]
    #[must_use]
    pub const fn from_wire(wire: u16) -> Self {
        Self { wire }
    }

    /// The two bytes of the header field, as a native-endian half-word.
    #[inline(always)]
    #[must_use]
    pub const fn wire(self) -> u16 {
        self.wire
    }

    /// The port number in host byte order.
    #[inline(always)]
    #[must_use]
    pub const fn number(self) -> u16 {
        u16::from_be(self.wire)
    }
}

impl core::fmt::Debug for Port {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.number().fmt(f)
    }
}

/// An Ethernet address.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether the frame is for a group: broadcast or multicast (IEEE 802.3, I/G bit).
    #[inline(always)]
    #[must_use]
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl core::fmt::Display for Mac {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

impl core::fmt::Debug for Mac {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}
