//! The network that sandboxes join when nobody says which, as the daemon's configuration describes it.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// What the default network is to be like. Options are named after Docker's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultBridge {
    /// Name of its bridge device (`bridge`).
    pub device: String,
    /// Its IPv4 addresses.
    pub v4: AddressChoice,
    /// Its IPv6 addresses; `None` for none (`ipv6`).
    pub v6: Option<AddressChoice>,
    /// The longest packet, in bytes; 0 for the kernel's default (`mtu`).
    pub mtu: u32,
    /// Whether its sandboxes may talk to each other (`icc`).
    pub icc: bool,
    /// Whether what leaves it comes as an address of the host (`ip-masq`).
    pub masquerade: bool,
    /// The host address of ports that are published without one; the IPv4 wildcard stands for both IP versions (`ip`).
    pub host_binding: IpAddr,
}

/// What is said about the default network's addresses of one IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AddressChoice {
    /// The bridge's address, which also says what the subnet is (`bip`, `bip6`).
    pub address: Option<IpNet>,
    /// What sandboxes' addresses are chosen from, with host bits cleared; without `address` the subnet as well
    /// (`fixed-cidr`, `fixed-cidr-v6`).
    pub range: Option<IpNet>,
    /// Where sandboxes' default routes lead, if not to the bridge (`default-gateway`, `default-gateway-v6`).
    pub gateway: Option<IpAddr>,
}

impl DefaultBridge {
    /// As Docker's is when nothing is configured, on a device with this name.
    #[must_use]
    pub fn on(device: impl Into<String>) -> Self {
        Self {
            device: device.into(),
            v4: AddressChoice::default(),
            v6: None,
            mtu: 1500,
            icc: true,
            masquerade: true,
            host_binding: Ipv4Addr::UNSPECIFIED.into(),
        }
    }
}

impl AddressChoice {
    /// The subnet, if it is configured.
    #[must_use]
    pub fn subnet(&self) -> Option<IpNet> {
        self.address.or(self.range).map(|net| net.trunc())
    }
}
