//! Which address of a subnet an endpoint gets.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use crate::model::Pool;

/// Whether an address of the subnet can belong to nobody: the IPv4 network and broadcast address (none in a /31 or
/// /32, RFC 3021), the IPv6 subnet-router anycast address (RFC 4291, 2.6.1).
#[must_use]
pub fn is_reserved(subnet: IpNet, address: IpAddr) -> bool {
    let edge = address == subnet.network() || (subnet.addr().is_ipv4() && address == subnet.broadcast());
    edge && subnet.max_prefix_len() - subnet.prefix_len() >= 2
}

/// The subnet's first address that is not reserved: the gateway, unless the user names another.
#[must_use]
pub fn first_address(subnet: IpNet) -> IpAddr {
    hosts(subnet).next().unwrap_or_else(|| subnet.network())
}

/// The lowest address of the pool that is neither the gateway nor taken; `None` when there is none.
#[must_use]
pub fn lowest_free(pool: &Pool, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    hosts(pool.subnet).find(|address| Some(*address) != pool.gateway && !taken.contains(address))
}

/// Every address of the subnet that is not reserved, in order.
fn hosts(subnet: IpNet) -> impl Iterator<Item = IpAddr> {
    subnet.hosts().filter(move |address| !is_reserved(subnet, *address))
}

#[cfg(test)]
mod tests;
