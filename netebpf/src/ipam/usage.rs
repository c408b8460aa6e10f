//! How full is a pool?

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use super::is_reserved;
use crate::model::Pool;

/// How full a pool is; numbers that are too great are the greatest that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Addresses that nobody can get any more: reserved, kept, or an endpoint's.
    pub in_use: u64,
    /// Addresses that endpoints can still get without naming one.
    pub available: u64,
}

/// How full a pool is whose endpoints have these addresses.
#[must_use]
pub fn usage(pool: &Pool, taken: impl Iterator<Item = IpAddr>) -> Usage {
    let edges = [pool.subnet.network(), pool.subnet.broadcast()];
    let reserved = edges.into_iter().filter(|edge| is_reserved(pool.subnet, *edge));
    let kept = pool.gateway.into_iter().chain(pool.auxiliary.values().copied());
    let used: BTreeSet<IpAddr> =
        reserved.chain(kept).chain(taken).filter(|address| pool.subnet.contains(address)).collect();
    let range = pool.ip_range.unwrap_or(pool.subnet);
    let in_range = used.iter().filter(|address| range.contains(*address)).count();
    Usage {
        in_use: u64::try_from(used.len()).unwrap_or(u64::MAX),
        available: saturated(size(range).saturating_sub(in_range as u128)),
    }
}

/// How many addresses a subnet has.
fn size(subnet: IpNet) -> u128 {
    let bits = subnet.max_prefix_len() - subnet.prefix_len();
    1_u128.checked_shl(bits.into()).unwrap_or(u128::MAX)
}

fn saturated(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().expect("the test gives a subnet")
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("the test gives an address")
    }

    #[test]
    fn what_is_reserved_kept_or_taken_is_in_use() {
        let kept = [("router".to_owned(), ip("10.0.0.9"))].into();
        let pool = Pool { auxiliary: kept, ..Pool::new(net("10.0.0.0/24"), Some(ip("10.0.0.1"))) };
        let taken = || ["10.0.0.2", "10.0.0.200"].map(ip).into_iter();
        assert_eq!(usage(&pool, taken()), Usage { in_use: 6, available: 250 });
        let ranged = Pool { ip_range: Some(net("10.0.0.128/25")), ..pool };
        assert_eq!(usage(&ranged, taken()), Usage { in_use: 6, available: 126 }, "its edge and one endpoint");
    }

    #[test]
    fn small_subnets_have_no_edges_and_great_ones_saturate() {
        let empty = std::iter::empty;
        let pair = Pool::new(net("10.0.0.0/31"), Some(ip("10.0.0.0")));
        assert_eq!(usage(&pair, empty()), Usage { in_use: 1, available: 1 });
        let wide = Pool::new(net("fd00::/64"), Some(ip("fd00::1")));
        assert_eq!(usage(&wide, empty()), Usage { in_use: 2, available: u64::MAX - 1 });
        let wider = Pool::new(net("fd00::/48"), None);
        assert_eq!(usage(&wider, empty()), Usage { in_use: 1, available: u64::MAX });
    }
}
