//! What new flows of a network are decided by, beyond what stands at each endpoint.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Port};

/// A network, for one IP version; found by the [`super::LinkKey`] of its bridge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Network {
    /// The host address that the network's packets leave with (`com.docker.network.host_ipv4`, `host_ipv6`); the wildcard
    /// for that of the device by which they leave.
    pub snat: Address,
}

/// A host device whose packets may go to the endpoints of a network directly: one of its `trusted_host_interfaces`, for
/// what is published; a port of its bridge into which the user plugged something, for all; and as soon as there is such a
/// port, the bridge itself, for what these machines send to the host.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct TrustKey {
    /// Index of the network's bridge.
    pub bridge: u32,
    /// Index of the device.
    pub ingress: u32,
}

/// A port that one endpoint may reach at another though their network has ICC off: what a legacy link opens.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct AllowKey {
    /// Address of the endpoint that linked.
    pub client: Address,
    /// Address of the endpoint that it linked to.
    pub server: Address,
    /// The exposed port.
    pub port: Port,
    protocol: u8,
    reserved: u8,
}

impl AllowKey {
    /// The key of an exposed port.
    #[inline(always)]
    #[must_use]
    pub const fn new(client: Address, server: Address, port: Port, protocol: u8) -> Self {
        Self { client, server, port, protocol, reserved: 0 }
    }
}
