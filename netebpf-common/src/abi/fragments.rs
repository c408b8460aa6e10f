//! The ports of fragmented packets: only their first fragment carries them.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Port};

/// What all fragments of a packet have in common (RFC 791, 3.2; RFC 8200, 4.5).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FragmentKey {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// The identification field, as it lies in memory.
    pub identification: u32,
    /// IP protocol; a word, so that the key has no padding.
    pub protocol: u32,
}

/// What the first fragment said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FragmentPorts {
    /// When it passed, in nanoseconds of `CLOCK_MONOTONIC`.
    pub seen: u64,
    /// Source port, or the identifier of an echo request.
    pub source: Port,
    /// Destination port, or the identifier of an echo reply.
    pub destination: Port,
    /// The transport, as [`crate::parse::TransportKind`] counts.
    pub kind: u32,
}
