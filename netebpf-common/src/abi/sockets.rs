//! Which namespaces have a resolver, and what translated host sockets believe their peer to be.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Port};

/// An address and port as a program sees it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct SocketAddress {
    /// The address.
    pub address: Address,
    /// The port.
    pub port: Port,
    reserved: u16,
}

impl SocketAddress {
    /// An address and port.
    #[inline(always)]
    #[must_use]
    pub const fn new(address: Address, port: Port) -> Self {
        Self { address, port, reserved: 0 }
    }
}

/// A network namespace, whose sockets' cookies and addresses are its own.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Netns {
    /// Its cookie (`SO_NETNS_COOKIE`, Linux 5.14), which is never given twice.
    pub cookie: u64,
}

/// A socket together with the endpoint it was translated to.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct PeerKey {
    /// The socket's cookie (`SO_COOKIE`).
    pub cookie: u64,
    /// The endpoint it really talks to.
    pub backend: SocketAddress,
    reserved: u32,
}

impl PeerKey {
    /// The key of a socket's translated peer.
    #[inline(always)]
    #[must_use]
    pub const fn new(cookie: u64, backend: SocketAddress) -> Self {
        Self { cookie, backend, reserved: 0 }
    }
}
