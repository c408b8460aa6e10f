//! How does a network's bridge behave? Its driver options, understood.

mod announcements;
mod error;
mod gateway_mode;
mod parse;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netebpf_common::abi::Family;

pub use announcements::Announcements;
pub use error::OptionError;
pub use gateway_mode::GatewayMode;
pub use parse::parse_bool;

/// The options of a network, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "Docker's switches")]
pub struct BridgeOptions {
    /// Whether it has IPv4 addresses; a request's own flag comes before it.
    pub ipv4: Option<bool>,
    /// Whether it has IPv6 addresses; a request's own flag comes before it.
    pub ipv6: Option<bool>,
    /// Whether endpoints may talk to each other.
    pub icc: bool,
    /// Whether what leaves the network comes as an address of the host.
    pub masquerade: bool,
    /// How the outside is reached, and reaches in, by IPv4.
    pub mode_v4: GatewayMode,
    /// The same by IPv6.
    pub mode_v6: GatewayMode,
    /// The host address of ports that are published without one; the IPv4 wildcard stands for both IP versions.
    pub host_binding: IpAddr,
    /// Names of the host's devices whose packets may go to endpoints directly.
    pub trusted_interfaces: Vec<String>,
    /// The host address that the network's IPv4 packets leave with.
    pub source_v4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub source_v6: Option<Ipv6Addr>,
    /// The longest packet, in bytes; `None` for the kernel's default.
    pub mtu: Option<u32>,
    /// The name of the bridge device, if the user chose one.
    pub device: Option<String>,
    /// Whether the bridge goes without an IPv4 address, although one is kept for it.
    pub inhibits_ipv4: bool,
    /// How its endpoints announce their addresses.
    pub announcements: Announcements,
    /// What interfaces in sandboxes are called before their number; `None` for `eth`.
    pub interface_prefix: Option<String>,
    /// Whether it is the network that sandboxes join when nobody says which.
    pub is_default: bool,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            ipv4: None,
            ipv6: None,
            icc: true,
            masquerade: true,
            mode_v4: GatewayMode::Nat,
            mode_v6: GatewayMode::Nat,
            host_binding: Ipv4Addr::UNSPECIFIED.into(),
            trusted_interfaces: Vec::new(),
            source_v4: None,
            source_v6: None,
            mtu: None,
            device: None,
            inhibits_ipv4: false,
            announcements: Announcements::default(),
            interface_prefix: None,
            is_default: false,
        }
    }
}

impl BridgeOptions {
    /// The gateway mode for an IP version.
    #[must_use]
    pub const fn mode(&self, family: Family) -> GatewayMode {
        match family {
            Family::V4 => self.mode_v4,
            Family::V6 => self.mode_v6,
        }
    }

    /// The fixed host address that packets of an IP version leave with.
    #[must_use]
    pub fn source(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.source_v4.map(IpAddr::V4),
            Family::V6 => self.source_v6.map(IpAddr::V6),
        }
    }

    /// What interfaces in sandboxes are called before their number.
    #[must_use]
    pub fn interface_prefix(&self) -> &str {
        self.interface_prefix.as_deref().unwrap_or("eth")
    }
}
