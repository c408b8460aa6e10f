//! What is refused, in Docker's words.

use super::*;

fn request(subnet: &str) -> PoolRequest {
    PoolRequest { subnet: subnet.to_owned(), ..PoolRequest::default() }
}

#[track_caller]
fn check(request: PoolRequest, complaint: &str) {
    let error = read_pools(&[request], true).expect_err(complaint).to_string();
    assert_eq!(error, format!("invalid network config:\n{complaint}"));
}

#[test]
fn a_pool_is_read_with_all_that_it_has() {
    let wanted = PoolRequest {
        ip_range: "172.28.5.0/24".to_owned(),
        gateway: "172.28.5.254".to_owned(),
        auxiliary: BTreeMap::from([("router".to_owned(), "172.28.1.5".to_owned())]),
        ..request("172.28.0.0/16")
    };
    let [pool] = &read_pools(&[wanted], false).expect("a pool")[..] else { panic!("one pool") };
    assert_eq!(pool.ip_range.map(|range| range.to_string()).as_deref(), Some("172.28.5.0/24"));
    assert_eq!(pool.gateway, "172.28.5.254".parse().ok());
    assert_eq!(pool.auxiliary.get("router").copied(), "172.28.1.5".parse().ok());
}

#[test]
fn ipv6_pools_are_passed_over_where_there_is_no_ipv6() {
    let requests = [request("172.28.0.0/16"), request("fd00:1::1/64")];
    assert_eq!(read_pools(&requests, false).expect("one pool").len(), 1);
    assert!(read_pools(&requests, true).is_err());
}

#[test]
fn subnets_are_refused_with_what_is_wrong() {
    check(request("172.18.0.1/24"), "invalid subnet 172.18.0.1/24: it should be 172.18.0.0/24");
    check(request("10.0.0.0"), "invalid subnet 10.0.0.0: invalid CIDR block notation");
    check(request(""), "invalid subnet : invalid CIDR block notation");
    check(request("127.0.0.0/16"), "invalid subnet 127.0.0.0/16: 127.0.0.0/8 is for loopback only");
    for subnet in ["0.1.0.0/16", "4.0.0.0/6", "224.0.0.0/24", "1::/8", "::1/128"] {
        assert!(read_pools(&[request(subnet)], true).is_err(), "{subnet}");
    }
    for any in ["0.0.0.0/24", "::/64", "0.0.0.0/0", "::/0"] {
        let wishes = read_pools(&[request(any)], true).expect("any subnet of this length");
        assert!(is_any(wishes[0].subnet));
    }
}

#[test]
fn ranges_are_refused_with_what_is_wrong() {
    let with_range = |range: &str| PoolRequest { ip_range: range.to_owned(), ..request("192.168.1.0/24") };
    check(with_range("x"), "invalid ip-range x: invalid CIDR block notation");
    check(with_range("fd00::/64"), "invalid ip-range fd00::/64: parent subnet is an IPv4 block");
    check(
        with_range("192.168.0.0/16"),
        "invalid ip-range 192.168.0.0/16: CIDR block is bigger than its parent subnet 192.168.1.0/24",
    );
    check(with_range("192.168.1.130/25"), "invalid ip-range 192.168.1.130/25: it should be 192.168.1.128/25");
    check(
        with_range("192.168.2.0/25"),
        "invalid ip-range 192.168.2.0/25: parent subnet 192.168.1.0/24 doesn't contain ip-range",
    );
}

#[test]
fn addresses_are_refused_and_all_faults_are_told_at_once() {
    let request = PoolRequest {
        gateway: "10.0.0.1".to_owned(),
        auxiliary: BTreeMap::from([
            ("a".to_owned(), "nonsense".to_owned()),
            ("b".to_owned(), "fd00::1".to_owned()),
            ("c".to_owned(), "192.168.2.1".to_owned()),
        ]),
        ..request("192.168.1.0/24")
    };
    check(
        request,
        "* invalid gateway 10.0.0.1: parent subnet 192.168.1.0/24 doesn't contain this address\n\
         * invalid auxiliary address a: invalid address\n\
         * invalid auxiliary address b: parent subnet is an IPv4 block\n\
         * invalid auxiliary address c: parent subnet 192.168.1.0/24 doesn't contain this address",
    );
}
