//! Which subnet a network gets.

use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv6Net};
use netebpf_common::abi::Family;

use crate::model::{DefaultPool, Pool};

/// The prefix length of the IPv6 subnets that are cut from the engine's own prefix (RFC 4291, 2.5.4).
pub const OWN_LENGTH: u8 = 64;

/// Why there is no subnet to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Another network has addresses of the wanted subnet.
    #[error("invalid pool request: Pool overlaps with other one on this address space")]
    Overlaps,
    /// Every default subnet overlaps with a network or a route of the host.
    #[error("all predefined address pools have been fully subnetted")]
    Exhausted,
    /// No block can be cut into subnets of the wanted length.
    #[error("invalid address pool")]
    Length,
}

/// Returns the subnet that the user named, if no other network has a part of it. Like Docker, it asks that only of a
/// subnet without range (moby#46756); what overlaps all the same is refused later.
///
/// Like Docker, it does not look at the host's routes: who names a subnet means it.
pub fn claim_subnet(subnet: IpNet, range: Option<IpNet>, used: &[&Pool]) -> Result<IpNet, PoolError> {
    let is_taken = |pool: &&Pool| match range {
        None => overlap(subnet, pool.subnet),
        Some(_) => (pool.subnet, pool.ip_range) == (subnet, range),
    };
    if used.iter().any(is_taken) { Err(PoolError::Overlaps) } else { Ok(subnet) }
}

/// Where subnets that nobody names come from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The blocks that they are cut from, the lowest first.
    pub pools: &'a [DefaultPool],
    /// The engine's own IPv6 prefix, which is cut into /64 if there is no block of IPv6.
    pub own_prefix: Ipv6Net,
    /// The host's on-link routes and name servers, with which no subnet may overlap. A default route says nothing.
    pub avoided: &'a [IpNet],
}

/// Returns the first subnet of an IP version, of the wanted prefix length if there is one, that overlaps neither with a
/// network nor with what the host has.
pub fn next_subnet(
    family: Family,
    length: Option<u8>,
    sources: &Sources<'_>,
    used: &[IpNet],
) -> Result<IpNet, PoolError> {
    let own = DefaultPool::new(sources.own_prefix.into(), OWN_LENGTH);
    let configured = || sources.pools.iter().copied().filter(|pool| pool.family() == family);
    let own = own.ok().filter(|_| family == Family::V6 && configured().next().is_none());
    let mut pools: Vec<_> = configured().chain(own).filter(|pool| fits(*pool, length)).collect();
    if pools.is_empty() {
        return Err(PoolError::Length);
    }
    pools.sort_by_key(|pool| pool.base());
    let subnets = pools.into_iter().flat_map(|pool| pool.subnets(length));
    let avoided = || used.iter().chain(sources.avoided.iter().filter(|route| route.prefix_len() > 0));
    let mut free = subnets.filter(|subnet| !avoided().any(|other| overlap(*subnet, *other)));
    free.next().ok_or(PoolError::Exhausted)
}

fn fits(pool: DefaultPool, length: Option<u8>) -> bool {
    let lengths = pool.base().prefix_len()..=pool.base().max_prefix_len();
    length.is_none_or(|length| lengths.contains(&length))
}

/// The unique local /48 of an engine whose random global identifier this is (RFC 4193, 3.1).
#[must_use]
pub fn ula(global_id: [u8; 5]) -> Ipv6Net {
    let mut octets = [0; 16];
    octets[0] = 0xfd;
    octets[1..6].copy_from_slice(&global_id);
    Ipv6Net::new_assert(Ipv6Addr::from(octets), 48)
}

/// Whether two subnets have an address in common.
#[must_use]
pub fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other) || other.contains(&one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().expect("the test gives a subnet")
    }

    fn next(
        family: Family,
        length: Option<u8>,
        used: &[IpNet],
        avoided: &[IpNet],
    ) -> Result<IpNet, PoolError> {
        let pools = DefaultPool::dockers();
        let own_prefix = ula([0x12, 0x34, 0x56, 0x78, 0x9a]);
        next_subnet(family, length, &Sources { pools: &pools, own_prefix, avoided }, used)
    }

    #[test]
    fn networks_and_what_the_host_has_are_avoided_but_not_the_default_route() {
        let used = [net("172.17.0.0/16"), net("172.18.5.0/24")];
        let avoided = [net("0.0.0.0/0"), net("172.19.1.0/24"), net("172.20.0.0/15")];
        assert_eq!(next(Family::V4, None, &used, &avoided), Ok(net("172.22.0.0/16")));
        let everything = [net("172.16.0.0/12"), net("192.168.0.0/16")];
        assert_eq!(next(Family::V4, None, &everything, &[]), Err(PoolError::Exhausted));
    }

    #[test]
    fn any_subnet_of_a_length_is_cut_from_the_default_pools() {
        let used = [net("172.17.0.0/24")];
        assert_eq!(next(Family::V4, Some(24), &used, &[]), Ok(net("172.17.1.0/24")));
        assert_eq!(next(Family::V4, Some(15), &used, &[]), Ok(net("172.20.0.0/15")), "where it fits");
        assert_eq!(next(Family::V4, Some(8), &used, &[]), Err(PoolError::Length));
        assert_eq!(next(Family::V6, Some(80), &used, &[]), Ok(net("fd12:3456:789a::/80")));
    }

    #[test]
    fn ipv6_networks_take_64s_of_the_engines_own_prefix() {
        let own = ula([0x12, 0x34, 0x56, 0x78, 0x9a]);
        assert_eq!(own.to_string(), "fd12:3456:789a::/48");
        assert_eq!(next(Family::V6, None, &[], &[net("::/0")]), Ok(net("fd12:3456:789a::/64")));
        let used = [net("fd12:3456:789a::/64"), net("fd12:3456:789a:1:1::/80"), net("10.0.0.0/8")];
        let avoided = [net("fd12:3456:789a:2::/63")];
        assert_eq!(next(Family::V6, None, &used, &avoided), Ok(net("fd12:3456:789a:4::/64")));
        assert_eq!(next(Family::V6, None, &[net("fd00::/8")], &[]), Err(PoolError::Exhausted));
    }

    #[test]
    fn configured_pools_replace_dockers_and_the_own_prefix() {
        let pools = ["base=10.10.0.0/23,size=24", "base=fd00:77::/48,size=56"];
        let pools = pools.map(|text| text.parse().expect("a pool"));
        let sources = Sources { pools: &pools, own_prefix: ula([1; 5]), avoided: &[] };
        let used = [net("10.10.0.0/24")];
        assert_eq!(next_subnet(Family::V4, None, &sources, &used), Ok(net("10.10.1.0/24")));
        assert_eq!(next_subnet(Family::V6, None, &sources, &used), Ok(net("fd00:77::/56")));
        let used = [net("10.10.0.0/23")];
        assert_eq!(next_subnet(Family::V4, None, &sources, &used), Err(PoolError::Exhausted));
    }

    #[test]
    fn blocks_are_taken_from_the_lowest_on() {
        let pools = ["base=10.20.0.0/16,size=24", "base=10.10.0.0/16,size=20"];
        let pools = pools.map(|text| text.parse().expect("a pool"));
        let sources = Sources { pools: &pools, own_prefix: ula([1; 5]), avoided: &[] };
        assert_eq!(next_subnet(Family::V4, None, &sources, &[]), Ok(net("10.10.0.0/20")));
    }

    #[test]
    fn a_named_subnet_must_not_overlap_with_another_network() {
        let other = Pool { ip_range: Some(net("10.1.5.0/24")), ..Pool::new(net("10.1.0.0/16"), None) };
        let claim = |subnet, range: Option<&str>| claim_subnet(net(subnet), range.map(net), &[&other]);
        assert_eq!(claim("10.2.0.0/16", None), Ok(net("10.2.0.0/16")));
        for overlapping in ["10.1.0.0/16", "10.1.5.0/24", "10.0.0.0/8"] {
            assert_eq!(claim(overlapping, None), Err(PoolError::Overlaps));
        }
        assert_eq!(claim("10.1.0.0/16", Some("10.1.5.0/24")), Err(PoolError::Overlaps));
        assert_eq!(claim("10.1.0.0/16", Some("10.1.6.0/24")), Ok(net("10.1.0.0/16")));
    }
}
