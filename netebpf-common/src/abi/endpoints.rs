//! Endpoints: who is behind an address, and what a host-side link may send.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Mac};

/// IP version, as part of keys of things that exist once for each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u32)]
pub enum Family {
    /// IPv4.
    V4 = 4,
    /// IPv6.
    V6 = 6,
}

/// A link and an IP version.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct LinkKey {
    ifindex: u32,
    family: u32,
}

impl LinkKey {
    /// The key of a link for one IP version.
    #[inline(always)]
    #[must_use]
    pub const fn new(ifindex: u32, family: Family) -> Self {
        Self { ifindex, family: family as u32 }
    }

    /// The link's index.
    #[must_use]
    pub const fn ifindex(self) -> u32 {
        self.ifindex
    }
}

/// What a network allows, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct EndpointFlags(pub u32);

impl EndpointFlags {
    /// Endpoints of the network may talk to each other (Docker's `enable_icc`).
    pub const ICC: Self = Self(1);
    /// The network has no way out (`--internal`).
    pub const INTERNAL: Self = Self(2);
    /// What leaves the network comes as an address of the host (`enable_ip_masquerade`; never in gateway mode `routed`).
    pub const MASQUERADE: Self = Self(4);
    /// Gateway mode `routed`: published ports are open at the endpoint's own address.
    pub const ROUTED: Self = Self(8);
    /// Gateway mode `nat-unprotected`: every port is open at the endpoint's own address.
    pub const UNPROTECTED: Self = Self(16);

    /// Whether every bit of `other` is set.
    #[inline(always)]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One address of an endpoint with all that forwarding to it or from it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Endpoint {
    /// The endpoint's address.
    pub address: Address,
    /// Mask of the network's subnet.
    pub mask: Address,
    /// The network's gateway: the bridge's address; the wildcard if the bridge has none (gateway mode `isolated`).
    pub gateway: Address,
    /// Index of the host-side veth.
    pub ifindex: u32,
    /// Index of the network's bridge; tells networks apart.
    pub bridge: u32,
    /// What the network allows.
    pub flags: EndpointFlags,
    /// MAC of the sandbox side.
    pub mac: Mac,
    /// MAC of the bridge, which the sandbox knows as its gateway's.
    pub bridge_mac: Mac,
}
