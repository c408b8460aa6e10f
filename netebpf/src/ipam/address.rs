//! Which address of a subnet an endpoint gets.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::{IpAddrRange, IpNet, Ipv4AddrRange, Ipv6AddrRange};

use crate::model::Pool;

/// Whether an address of the subnet can belong to nobody: the IPv4 network and broadcast address (none in a /31 or
/// /32, RFC 3021), the IPv6 subnet-router anycast address (RFC 4291, 2.6.1).
#[must_use]
pub fn is_reserved(subnet: IpNet, address: IpAddr) -> bool {
    match subnet {
        IpNet::V4(v4) => {
            v4.prefix_len() < 31 && [v4.network(), v4.broadcast()].iter().any(|edge| *edge == address)
        }
        IpNet::V6(v6) => address == v6.network(),
    }
}

/// The first address of a subnet that is not reserved, in `range` if there is one: the gateway, unless the user names
/// another.
#[must_use]
pub fn first_address(subnet: IpNet, range: Option<IpNet>) -> Option<IpAddr> {
    hosts(subnet, range).next()
}

/// The lowest address of the pool's range that is neither kept nor taken; `None` when there is none.
#[must_use]
pub fn lowest_free(pool: &Pool, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    hosts(pool.subnet, pool.ip_range).find(|address| !pool.is_kept(*address) && !taken.contains(address))
}

/// Every address of the subnet's range that is not reserved, in order.
fn hosts(subnet: IpNet, range: Option<IpNet>) -> impl Iterator<Item = IpAddr> {
    // `hosts()` would leave out the edges of the range, which are none of the subnet's.
    let addresses = match range.unwrap_or(subnet) {
        IpNet::V4(v4) => IpAddrRange::V4(Ipv4AddrRange::new(v4.network(), v4.broadcast())),
        IpNet::V6(v6) => IpAddrRange::V6(Ipv6AddrRange::new(v6.network(), v6.broadcast())),
    };
    addresses.filter(move |address| !is_reserved(subnet, *address))
}

#[cfg(test)]
mod tests;
