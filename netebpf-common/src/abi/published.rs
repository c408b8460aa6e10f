//! Published ports: which endpoint answers for a port of the host.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Port};

/// A host address and port; the address is [`Address::UNSPECIFIED_V4`] for "any local address".
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct PublishKey {
    /// Host address.
    pub address: Address,
    /// Host port.
    pub port: Port,
    protocol: u8,
    reserved: u8,
}

impl PublishKey {
    /// The key of a host port.
    #[inline(always)]
    #[must_use]
    pub const fn new(address: Address, port: Port, protocol: u8) -> Self {
        Self { address, port, protocol, reserved: 0 }
    }

    /// The IP protocol.
    #[must_use]
    pub const fn protocol(self) -> u8 {
        self.protocol
    }
}

/// The endpoint's address and port behind a published port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PublishTarget {
    /// Address of the endpoint.
    pub address: Address,
    /// Port in the sandbox.
    pub port: Port,
    reserved: u16,
}

impl PublishTarget {
    /// The target of a published port.
    #[inline(always)]
    #[must_use]
    pub const fn new(address: Address, port: Port) -> Self {
        Self { address, port, reserved: 0 }
    }
}
