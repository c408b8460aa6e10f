//! Addresses are given once, none is lost, and a freed one comes back.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn pool(subnet: &str) -> Pool {
    let subnet: IpNet = subnet.parse().expect("the test gives a subnet");
    Pool::new(subnet, first_address(subnet, None))
}

#[track_caller]
fn check(subnet: &str, gateway: &str, lowest: Option<&str>) {
    let pool = pool(subnet);
    assert_eq!(pool.gateway.map(|gateway| gateway.to_string()).as_deref(), Some(gateway));
    assert_eq!(lowest_free(&pool, &BTreeSet::new()).map(|address| address.to_string()).as_deref(), lowest);
}

#[test]
fn the_gateway_comes_first_and_the_first_endpoint_next() {
    check("172.17.0.0/16", "172.17.0.1", Some("172.17.0.2"));
    check("10.0.0.0/30", "10.0.0.1", Some("10.0.0.2"));
    check("10.0.0.0/31", "10.0.0.0", Some("10.0.0.1"));
    check("10.0.0.0/32", "10.0.0.0", None);
    check("fd00::/64", "fd00::1", Some("fd00::2"));
    check("fd00::/126", "fd00::1", Some("fd00::2"));
    check("fd00::/127", "fd00::1", None);
    assert_eq!(first_address("fd00::/128".parse().expect("a subnet"), None), None);
}

#[test]
fn without_a_gateway_endpoints_begin_with_the_first_address() {
    for (subnet, first) in [("10.0.0.0/24", "10.0.0.1"), ("fd00::/64", "fd00::1")] {
        let pool = Pool { gateway: None, ..pool(subnet) };
        assert_eq!(
            lowest_free(&pool, &BTreeSet::new()).map(|address| address.to_string()).as_deref(),
            Some(first)
        );
    }
}

#[test]
fn addresses_come_from_the_range_with_its_edges_but_never_the_subnets() {
    let ranged = |range: &str| Pool { ip_range: range.parse().ok(), ..pool("172.28.0.0/16") };
    let lowest = |pool: &Pool| lowest_free(pool, &BTreeSet::new()).map(|address| address.to_string());
    assert_eq!(lowest(&ranged("172.28.5.0/24")).as_deref(), Some("172.28.5.0"));
    assert_eq!(lowest(&ranged("172.28.0.0/24")).as_deref(), Some("172.28.0.2"));
    assert_eq!(lowest(&ranged("172.28.255.254/31")).as_deref(), Some("172.28.255.254"));
    let last = BTreeSet::from(["172.28.255.254".parse().expect("an address")]);
    assert_eq!(lowest_free(&ranged("172.28.255.254/31"), &last), None, "the broadcast address");
    let range = "172.28.5.0/24".parse().ok();
    assert_eq!(first_address(pool("172.28.0.0/16").subnet, range), "172.28.5.0".parse().ok());
}

#[test]
fn what_is_kept_for_a_name_is_given_to_nobody() {
    let kept = ["10.0.0.2", "10.0.0.4"].map(|text| (text.to_owned(), text.parse().expect("an address")));
    let pool = Pool { auxiliary: BTreeMap::from(kept), ..pool("10.0.0.0/29") };
    let mut taken = BTreeSet::new();
    while let Some(address) = lowest_free(&pool, &taken) {
        taken.insert(address);
    }
    let last_octets: Vec<String> = taken.iter().map(ToString::to_string).collect();
    assert_eq!(last_octets, ["10.0.0.3", "10.0.0.5", "10.0.0.6"]);
}

#[test]
fn a_gateway_in_the_middle_is_skipped() {
    let pool = Pool { gateway: "10.0.0.2".parse().ok(), ..pool("10.0.0.0/29") };
    let mut taken = BTreeSet::new();
    while let Some(address) = lowest_free(&pool, &taken) {
        taken.insert(address);
    }
    let last_octets: Vec<String> = taken.iter().map(ToString::to_string).collect();
    assert_eq!(last_octets, ["10.0.0.1", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
}

proptest! {
    /// `true` takes an address, `false` with a position gives one back.
    #[test]
    fn no_address_is_doubled_or_lost(
        prefix in 0..=8_u8,
        is_v4: bool,
        steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..600),
    ) {
        let pool = if is_v4 { pool(&format!("10.9.8.0/{}", 24 + prefix)) } else { pool(&format!("fd00::/{}", 120 + prefix)) };
        let usable: BTreeSet<IpAddr> = hosts(pool.subnet, None).filter(|address| Some(*address) != pool.gateway).collect();
        let mut taken = BTreeSet::new();
        for (take, position) in steps {
            if take {
                if let Some(address) = lowest_free(&pool, &taken) {
                    prop_assert!(usable.contains(&address) && taken.insert(address));
                    prop_assert!(usable.range(..address).all(|lower| taken.contains(lower)));
                } else {
                    prop_assert_eq!(&taken, &usable);
                }
            } else if !taken.is_empty() {
                let freed = *position.get(&taken.iter().copied().collect::<Vec<_>>());
                taken.remove(&freed);
                prop_assert!(lowest_free(&pool, &taken).is_some_and(|address| address <= freed));
            }
        }
    }
}
