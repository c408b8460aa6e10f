//! The engine's settings, read by every program.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::QueryLimit;

/// Settings of one engine; the only value of the `CONFIG` array.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Config {
    /// [`super::ABI_VERSION`] of the daemon that made the maps; must stay the first field for ever.
    pub abi: u32,
    /// Number of the rules in force; a flow decided under another number is decided again.
    pub epoch: u32,
    /// Cookie of the host's network namespace (`SO_NETNS_COOKIE`); socket hooks ignore all others.
    pub netns_cookie: u64,
    /// Random number that makes the choice of masquerade ports hard to guess (RFC 6056).
    pub seed: u32,
    /// What holds for all networks.
    pub flags: ConfigFlags,
    /// Digest of the host's routing tables under which the epoch's flows were decided; the pipeline does not read it.
    pub routes: u32,
    /// Idle times after which a flow is forgotten.
    pub timeouts: Timeouts,
    /// The way to the name server.
    pub resolver: Resolver,
}

/// What holds for all networks, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ConfigFlags(pub u32);

impl ConfigFlags {
    /// Containers may be reached at their own addresses, at published ports (Docker's `allow-direct-routing`).
    pub const DIRECT_ROUTING: Self = Self(1);

    /// Whether every bit of `other` is set.
    #[inline(always)]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The way to the name server. All zeroes: there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Resolver {
    /// Index of the device that leads to it; zero if there is none.
    pub ifindex: u32,
    /// How much each endpoint may ask.
    pub limit: QueryLimit,
    reserved: u32,
}

impl Resolver {
    /// The way by a device.
    #[must_use]
    pub const fn new(ifindex: u32, limit: QueryLimit) -> Self {
        Self { ifindex, limit, reserved: 0 }
    }
}

/// Idle times of flows, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timeouts {
    /// TCP without an answer yet.
    pub tcp_unreplied: u32,
    /// TCP in use.
    pub tcp_established: u32,
    /// TCP after the first FIN.
    pub tcp_closing: u32,
    /// TCP after both FINs or a RST.
    pub tcp_closed: u32,
    /// UDP without an answer yet.
    pub udp_unreplied: u32,
    /// UDP in use.
    pub udp_stream: u32,
    /// ICMP echo and timestamp.
    pub icmp: u32,
    /// SCTP.
    pub sctp: u32,
    /// Every other protocol.
    pub generic: u32,
}

impl Default for Timeouts {
    /// The values of Linux' `nf_conntrack`, so that long-idle connections live as long as users are used to.
    fn default() -> Self {
        Self {
            tcp_unreplied: 120,
            tcp_established: 432_000,
            tcp_closing: 120,
            tcp_closed: 10,
            udp_unreplied: 30,
            udp_stream: 120,
            icmp: 30,
            sctp: 210,
            generic: 600,
        }
    }
}
