//! The addresses of a network: what a user wishes, and what the network has.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use netebpf_common::abi::Family;

use super::family_of;

/// A pool that a user wishes, and that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolWish {
    /// The subnet; an unspecified address stands for any subnet of this length.
    pub subnet: IpNet,
    /// The part of the subnet that addresses are chosen from; `None` for all of it.
    pub ip_range: Option<IpNet>,
    /// The host's address; `None` for the first one.
    pub gateway: Option<IpAddr>,
    /// Addresses that no endpoint is to get, by name.
    pub auxiliary: BTreeMap<String, IpAddr>,
}

/// A network's addresses of one IP version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The subnet, with host bits cleared.
    pub subnet: IpNet,
    /// The part of the subnet that addresses are chosen from; `None` for all of it.
    pub ip_range: Option<IpNet>,
    /// The address that is kept for the host; none where it is not to have one.
    pub gateway: Option<IpAddr>,
    /// Addresses that no endpoint gets, by name (`--aux-address`).
    pub auxiliary: BTreeMap<String, IpAddr>,
    /// Whether the user named the subnet, or its length.
    pub is_named: bool,
}

impl Pool {
    /// A pool that is all of a subnet.
    #[must_use]
    pub const fn new(subnet: IpNet, gateway: Option<IpAddr>) -> Self {
        Self { subnet, ip_range: None, gateway, auxiliary: BTreeMap::new(), is_named: false }
    }

    /// Whether an address is nobody's to have but the host's or whoever it is kept for.
    #[must_use]
    pub fn is_kept(&self, address: IpAddr) -> bool {
        self.gateway == Some(address) || self.auxiliary.values().any(|kept| *kept == address)
    }

    /// The IP version of the addresses.
    #[must_use]
    pub fn family(&self) -> Family {
        family_of(self.subnet.addr())
    }

    /// An address with the length of the subnet's prefix, as a link carries it.
    #[must_use]
    pub fn with_prefix(&self, address: IpAddr) -> IpNet {
        IpNet::new(address, self.subnet.prefix_len()).unwrap_or_else(|_| address.into())
    }

    /// The gateway that the user chose beside the host's address, by a name that Docker gave such addresses.
    #[must_use]
    pub fn chosen_gateway(&self) -> Option<IpAddr> {
        self.auxiliary.get(Self::chosen_gateway_name(self.family())).copied()
    }

    /// Docker's name for the auxiliary address that default routes lead to instead of the bridge's.
    #[must_use]
    pub const fn chosen_gateway_name(family: Family) -> &'static str {
        match family {
            Family::V4 => "DefaultGatewayIPv4",
            Family::V6 => "DefaultGatewayIPv6",
        }
    }

    /// Whether the addresses are link-local ones of IPv6.
    #[must_use]
    pub fn is_link_local_v6(&self) -> bool {
        matches!(self.subnet, IpNet::V6(v6) if v6.addr().is_unicast_link_local())
    }
}
