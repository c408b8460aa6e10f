//! The network that sandboxes join when nobody says which, as the daemon's configuration describes it.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// What the default network is to be like. Options are named after Docker's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultBridge {
    /// Name of its bridge device (`bridge`).
    pub device: String,
    /// Whether the device is one that the user made, with addresses of its own.
    pub is_users: bool,
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

/// A range of addresses that the user's bridge has no part in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{directive}={range} is outside any subnet implied by addresses on the user-managed default bridge")]
pub struct RangeOutside {
    directive: &'static str,
    range: IpNet,
}

impl DefaultBridge {
    /// The engine's own device. Docker's is `docker0`, which may be there as well.
    pub const OWN_DEVICE: &str = "netebpf0";

    /// As Docker's is when nothing is configured, on a device with this name.
    #[must_use]
    pub fn on(device: impl Into<String>) -> Self {
        Self {
            device: device.into(),
            is_users: false,
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
    /// Makes one of the addresses that a bridge has the chosen one: one whose subnet has the range, else one that is in
    /// the range, else any.
    ///
    /// # Errors
    ///
    /// When the range is not part of the subnet then; it is dropped.
    pub fn take_from(&mut self, addresses: impl IntoIterator<Item = IpNet>) -> Result<(), RangeOutside> {
        let is_own = |address: &IpNet| match address {
            IpNet::V4(_) => true,
            // The kernel's, not the user's.
            IpNet::V6(v6) => !v6.addr().is_unicast_link_local(),
        };
        let addresses: Vec<_> = addresses.into_iter().filter(is_own).collect();
        let around = |range: IpNet| addresses.iter().find(move |address| address.contains(&range.addr()));
        let within = |range: IpNet| addresses.iter().find(move |address| range.contains(&address.addr()));
        let fitting = self.range.and_then(|range| around(range).or_else(|| within(range)));
        let Some(&address) = fitting.or_else(|| addresses.first()) else { return Ok(()) };
        self.address = Some(address);
        match self.range.take_if(|range| !address.trunc().contains(&*range)) {
            None => Ok(()),
            Some(range) => {
                let directive = if range.addr().is_ipv4() { "fixed-cidr" } else { "fixed-cidr-v6" };
                Err(RangeOutside { directive, range })
            }
        }
    }

    /// The subnet, if it is configured.
    #[must_use]
    pub fn subnet(&self) -> Option<IpNet> {
        self.address.or(self.range).map(|net| net.trunc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().expect("the test gives a subnet")
    }

    /// What is chosen of these addresses with this range, and which range is left.
    fn taken(addresses: &[&str], range: Option<&str>) -> (Option<IpNet>, Option<IpNet>, Option<String>) {
        let mut choice = AddressChoice { range: range.map(net), ..AddressChoice::default() };
        let refusal = choice.take_from(addresses.iter().map(|address| net(address))).err();
        (choice.address, choice.range, refusal.map(|refusal| refusal.to_string()))
    }

    #[test]
    fn an_address_of_the_users_bridge_is_chosen_as_docker_chooses() {
        assert_eq!(taken(&[], Some("10.1.0.0/24")), (None, Some(net("10.1.0.0/24")), None));
        let both = ["10.1.0.1/24", "10.2.0.1/16"];
        assert_eq!(taken(&both, None), (Some(net("10.1.0.1/24")), None, None), "any");
        let range = Some(net("10.2.5.0/24"));
        assert_eq!(
            taken(&both, Some("10.2.5.0/24")),
            (Some(net("10.2.0.1/16")), range, None),
            "around the range"
        );
        let v6 = ["fe80::1/64", "fd00::1/64"];
        assert_eq!(taken(&v6, None), (Some(net("fd00::1/64")), None, None), "the kernel's does not count");
    }

    #[test]
    fn a_range_outside_the_users_bridge_is_dropped_and_named() {
        for (address, range, directive) in [
            ("10.1.0.1/24", "10.2.0.0/25", "fixed-cidr"),
            ("10.1.0.1/24", "10.1.0.0/16", "fixed-cidr"),
            ("fd00::1/64", "fd01::/80", "fixed-cidr-v6"),
        ] {
            let text = format!(
                "{directive}={range} is outside any subnet implied by addresses on the user-managed default bridge"
            );
            assert_eq!(taken(&[address], Some(range)), (Some(net(address)), None, Some(text)));
        }
    }
}
