//! Host devices that lead outside.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::Address;

/// A host device that is not ours, for one IP version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Uplink {
    /// The address that masqueraded packets leave with.
    pub address: Address,
    /// The device's MTU, in bytes.
    pub mtu: u32,
    /// Non-zero if the device carries IP packets without an Ethernet header (tun, WireGuard).
    pub bare: u32,
}
