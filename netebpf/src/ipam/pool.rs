//! Which subnet a network gets.

use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Docker's default pools for networks of one host, in order: where blocks are cut from, and how long their prefix is.
const DEFAULT_POOLS: [(&str, u8); 7] = [
    ("172.17.0.0/16", 16),
    ("172.18.0.0/16", 16),
    ("172.19.0.0/16", 16),
    ("172.20.0.0/14", 16),
    ("172.24.0.0/14", 16),
    ("172.28.0.0/14", 16),
    ("192.168.0.0/16", 20),
];

/// Why there is no subnet to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Another network has addresses of the wanted subnet.
    #[error("invalid pool request: Pool overlaps with other one on this address space")]
    Overlaps,
    /// Every default subnet overlaps with a network or a route of the host.
    #[error("all predefined address pools have been fully subnetted")]
    Exhausted,
}

/// Returns the subnet that the user named, if no other network has a part of it.
///
/// Like Docker, it does not look at the host's routes: who names a subnet means it.
pub fn claim_subnet(subnet: IpNet, used: &[IpNet]) -> Result<IpNet, PoolError> {
    if used.iter().any(|other| overlap(subnet, *other)) { Err(PoolError::Overlaps) } else { Ok(subnet) }
}

/// Returns the first default subnet that overlaps neither with a network nor with a route of the host.
pub fn next_subnet(used: &[IpNet], host_routes: &[IpNet]) -> Result<IpNet, PoolError> {
    first_free(default_subnets().map(IpNet::V4), used, host_routes)
}

/// Returns the first /64 of the engine's own prefix that overlaps neither with a network nor with a route of the host.
pub fn next_subnet_v6(own: Ipv6Net, used: &[IpNet], host_routes: &[IpNet]) -> Result<IpNet, PoolError> {
    let blocks = own.subnets(64).into_iter().flatten().map(IpNet::V6);
    first_free(blocks, used, host_routes)
}

/// The unique local /48 of an engine whose random global identifier this is (RFC 4193, 3.1).
#[must_use]
pub fn ula(global_id: [u8; 5]) -> Ipv6Net {
    let mut octets = [0; 16];
    octets[0] = 0xfd;
    octets[1..6].copy_from_slice(&global_id);
    Ipv6Net::new_assert(Ipv6Addr::from(octets), 48)
}

fn default_subnets() -> impl Iterator<Item = Ipv4Net> {
    DEFAULT_POOLS.into_iter().flat_map(|(base, prefix)| {
        let base: Ipv4Net = base.parse().expect("a constant");
        base.subnets(prefix).expect("a constant")
    })
}

fn first_free(
    mut subnets: impl Iterator<Item = IpNet>,
    used: &[IpNet],
    host_routes: &[IpNet],
) -> Result<IpNet, PoolError> {
    // The default route contains every subnet and says nothing about any.
    let routes = host_routes.iter().filter(|route| route.prefix_len() > 0);
    let avoid: Vec<IpNet> = used.iter().chain(routes).copied().collect();
    subnets.find(|subnet| !avoid.iter().any(|other| overlap(*subnet, *other))).ok_or(PoolError::Exhausted)
}

fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other) || other.contains(&one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().expect("the test gives a subnet")
    }

    #[test]
    fn default_pools_are_dockers_in_dockers_order() {
        let subnets: Vec<String> = default_subnets().map(|subnet| subnet.to_string()).collect();
        assert_eq!(subnets.len(), 31);
        assert_eq!(subnets[0], "172.17.0.0/16");
        assert_eq!(subnets[3], "172.20.0.0/16");
        assert_eq!(subnets[14], "172.31.0.0/16");
        assert_eq!(subnets[15], "192.168.0.0/20");
        assert_eq!(subnets[30], "192.168.240.0/20");
    }

    #[test]
    fn networks_and_host_routes_are_avoided_but_not_the_default_route() {
        let used = [net("172.17.0.0/16"), net("172.18.5.0/24")];
        let routes = [net("0.0.0.0/0"), net("172.19.1.0/24"), net("172.20.0.0/15")];
        assert_eq!(next_subnet(&used, &routes), Ok(net("172.22.0.0/16")));
        assert_eq!(
            next_subnet(&[net("172.16.0.0/12"), net("192.168.0.0/16")], &[]),
            Err(PoolError::Exhausted)
        );
    }

    #[test]
    fn ipv6_networks_take_64s_of_the_engines_own_prefix() {
        let own = ula([0x12, 0x34, 0x56, 0x78, 0x9a]);
        assert_eq!(own.to_string(), "fd12:3456:789a::/48");
        assert_eq!(next_subnet_v6(own, &[], &[net("::/0")]), Ok(net("fd12:3456:789a::/64")));
        let used = [net("fd12:3456:789a::/64"), net("fd12:3456:789a:1:1::/80"), net("10.0.0.0/8")];
        let routes = [net("fd12:3456:789a:2::/63")];
        assert_eq!(next_subnet_v6(own, &used, &routes), Ok(net("fd12:3456:789a:4::/64")));
        assert_eq!(next_subnet_v6(own, &[net("fd00::/8")], &[]), Err(PoolError::Exhausted));
    }

    #[test]
    fn a_named_subnet_must_not_overlap_with_another_network() {
        let used = [net("10.1.0.0/16")];
        assert_eq!(claim_subnet(net("10.2.0.0/16"), &used), Ok(net("10.2.0.0/16")));
        for overlapping in ["10.1.0.0/16", "10.1.5.0/24", "10.0.0.0/8"] {
            assert_eq!(claim_subnet(net(overlapping), &used), Err(PoolError::Overlaps));
        }
    }
}
