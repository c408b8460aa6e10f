//! Which pools may a user ask for? Docker's checks of a new network's addresses, all of them at once.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv6Net};
use netebpf_common::abi::Family;

use crate::model::{PoolWish, family_of, joined};

/// A pool as a client writes it; empty text stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolRequest {
    /// The subnet.
    pub subnet: String,
    /// The part of the subnet that addresses are chosen from.
    pub ip_range: String,
    /// The host's address in it.
    pub gateway: String,
    /// Addresses that no endpoint is to get, by name.
    pub auxiliary: BTreeMap<String, String>,
}

/// Everything that is wrong with the pools of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid network config:\n{}", joined(.0))]
pub struct InvalidPools(Vec<InvalidPool>);

/// One thing that is wrong with a pool, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {field}: {reason}")]
struct InvalidPool {
    field: String,
    reason: String,
}

impl InvalidPools {
    /// What is wrong, without the request that it is wrong with.
    #[must_use]
    pub fn reasons(&self) -> String {
        self.0.iter().map(|invalid| invalid.reason.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// IPv6 addresses that are reserved, among them loopback.
const UNUSABLE_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 8);

/// Reads the pools of a request. Those of IPv6 are passed over where the network is not to have it, as by Docker.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn read_pools(requests: &[PoolRequest], ipv6: bool) -> Result<Vec<PoolWish>, InvalidPools> {
    let mut faults = Vec::new();
    let mut wishes = Vec::new();
    for request in requests {
        let Ok(subnet) = request.subnet.parse::<IpNet>() else {
            fault(&mut faults, format!("subnet {}", request.subnet), "invalid CIDR block notation");
            continue;
        };
        if matches!(subnet, IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some()) {
            fault(&mut faults, format!("subnet {subnet}"), "write the IPv4 subnet that it stands for");
        } else if ipv6 || family_of(subnet.addr()) == Family::V4 {
            wishes.push(read_pool(request, subnet, &mut faults));
        }
    }
    if faults.is_empty() { Ok(wishes) } else { Err(InvalidPools(faults)) }
}

fn read_pool(request: &PoolRequest, subnet: IpNet, faults: &mut Vec<InvalidPool>) -> PoolWish {
    check_subnet(subnet, faults);
    let ip_range = read_range(&request.ip_range, subnet, faults);
    let gateway = read_address(&request.gateway, subnet, faults, || format!("gateway {}", request.gateway));
    let auxiliary = request.auxiliary.iter().filter_map(|(name, text)| {
        let address = read_address(text, subnet, faults, || format!("auxiliary address {name}"));
        Some((name.clone(), address?))
    });
    PoolWish { subnet, ip_range, gateway, auxiliary: auxiliary.collect() }
}

fn check_subnet(subnet: IpNet, faults: &mut Vec<InvalidPool>) {
    let field = || format!("subnet {subnet}");
    if subnet.trunc() != subnet {
        fault(faults, field(), format!("it should be {}", subnet.trunc()));
    } else if let Some(reason) = unusable(subnet) {
        fault(faults, field(), reason);
    }
}

/// Why no container can have an address of a subnet.
fn unusable(subnet: IpNet) -> Option<&'static str> {
    if is_any(subnet) {
        return None;
    }
    match subnet {
        IpNet::V4(v4) if v4.prefix_len() < 8 || v4.addr().octets()[0] == 0 => {
            Some("the first octet must not be 0 and the prefix not shorter than /8")
        }
        IpNet::V4(v4) if v4.addr().is_loopback() => Some("127.0.0.0/8 is for loopback only"),
        IpNet::V4(v4) if v4.addr().octets()[0] >= 224 => {
            Some("addresses from 224.0.0.0 on are no host addresses")
        }
        IpNet::V6(v6) if UNUSABLE_V6.contains(&v6) => Some("addresses up to ff:: are reserved"),
        IpNet::V4(_) | IpNet::V6(_) => None,
    }
}

fn read_range(text: &str, subnet: IpNet, faults: &mut Vec<InvalidPool>) -> Option<IpNet> {
    if text.is_empty() {
        return None;
    }
    let field = || format!("ip-range {text}");
    let Ok(range) = text.parse::<IpNet>() else {
        fault(faults, field(), "invalid CIDR block notation");
        return None;
    };
    if family_of(range.addr()) != family_of(subnet.addr()) {
        fault(faults, field(), format!("parent subnet is an {} block", version(subnet)));
        return None;
    }
    let before = faults.len();
    if range.prefix_len() < subnet.prefix_len() {
        fault(faults, field(), format!("CIDR block is bigger than its parent subnet {subnet}"));
    }
    if range.trunc() != range {
        fault(faults, field(), format!("it should be {}", range.trunc()));
    }
    if !(subnet.contains(&range) || range.contains(&subnet)) {
        fault(faults, field(), format!("parent subnet {subnet} doesn't contain ip-range"));
    }
    (faults.len() == before).then_some(range)
}

fn read_address(
    text: &str,
    subnet: IpNet,
    faults: &mut Vec<InvalidPool>,
    field: impl FnOnce() -> String,
) -> Option<IpAddr> {
    if text.is_empty() {
        return None;
    }
    match text.parse::<IpAddr>() {
        Err(_) => fault(faults, field(), "invalid address"),
        Ok(address) if family_of(address) != family_of(subnet.addr()) => {
            fault(faults, field(), format!("parent subnet is an {} block", version(subnet)));
        }
        Ok(address) if !subnet.contains(&address) => {
            fault(faults, field(), format!("parent subnet {subnet} doesn't contain this address"));
        }
        Ok(address) => return Some(address),
    }
    None
}

fn fault(faults: &mut Vec<InvalidPool>, field: String, reason: impl fmt::Display) {
    faults.push(InvalidPool { field, reason: reason.to_string() });
}

const fn version(subnet: IpNet) -> &'static str {
    match subnet {
        IpNet::V4(_) => "IPv4",
        IpNet::V6(_) => "IPv6",
    }
}

/// Whether a subnet stands for any of its length.
#[must_use]
pub fn is_any(subnet: IpNet) -> bool {
    subnet.addr().is_unspecified()
}

#[cfg(test)]
mod tests;
