//! Every text with which a network is refused, as Docker words it.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Driver, IpamDriver, Scope};

const OPTION: &str = "com.docker.network.";

fn with_options(options: &[(&str, &str)]) -> NetworkRequest {
    let options = options.iter().map(|(name, value)| (format!("{OPTION}{name}"), (*value).to_owned()));
    NetworkRequest { options: options.collect(), ..network_request("new") }
}

fn with_pool(pool: PoolRequest) -> NetworkRequest {
    NetworkRequest { ipv6: Some(true), pools: vec![pool], ..network_request("new") }
}

fn with_auxiliary(subnet: &str, name: &str, address: &str) -> NetworkRequest {
    let auxiliary = BTreeMap::from([(name.to_owned(), address.to_owned())]);
    with_pool(PoolRequest { auxiliary, ..pool_request(subnet) })
}

fn with_range(subnet: &str, ip_range: &str) -> NetworkRequest {
    with_pool(PoolRequest { ip_range: ip_range.to_owned(), ..pool_request(subnet) })
}

fn with_gateway(subnet: &str, gateway: &str) -> NetworkRequest {
    with_pool(PoolRequest { gateway: gateway.to_owned(), ..pool_request(subnet) })
}

/// A world with the network `front`, the configuration `base` and a link `lan1` that is no bridge.
fn world() -> World {
    let mut world = World { other_links: vec!["lan1"], ..World::default() };
    world.network("front", Some("10.1.0.0/16")).expect("a network");
    let base = NetworkRequest { config_only: true, ..network_request("base") };
    world.make_network(base).expect("a configuration");
    world
}

/// Fails unless each request is refused with its text, in which `NEW` and `FRONT` stand for identifiers.
#[track_caller]
fn all_refused<const N: usize>(kind: Kind, requests: [(NetworkRequest, &str); N]) {
    let mut world = world();
    for (request, text) in requests {
        let error = world.make_network(request).expect_err(text);
        let front = find_network(&world.spec, "front").expect("it is there").id;
        let mut told = error.to_string().replace(&front.to_string(), "FRONT");
        if let Error::Network(NetworkError::Conflict(conflict)) = &error {
            let new = conflict.network;
            told = told.replace(&new.to_string(), "NEW").replace(&new.short(), "NEW");
        }
        let told = told.replace(&front.short(), "FRONT");
        assert_eq!((error.kind(), told.as_str()), (kind, text));
    }
}

#[test]
fn options_are_refused() {
    all_refused(
        Kind::InvalidParameter,
        [
            (
                with_options(&[("enable_ipv4", "x")]),
                "driver-opt \"com.docker.network.enable_ipv4\" is not a valid bool",
            ),
            (
                with_options(&[("bridge.gateway_mode_ipv6", "x")]),
                "failed to parse com.docker.network.bridge.gateway_mode_ipv6 value: x (unknown gateway mode x)",
            ),
            (
                with_options(&[("bridge.gateway_mode_ipv4", "isolated")]),
                "gateway mode 'isolated' can only be used for an internal network",
            ),
            (
                with_options(&[("driver.mtu", "big")]),
                "failed to parse com.docker.network.driver.mtu value: big (strconv.Atoi: parsing \"big\": invalid syntax)",
            ),
            (with_options(&[("driver.mtu", "-1")]), "invalid MTU number: -1"),
            (
                NetworkRequest { ipv6: Some(true), ..with_options(&[("driver.mtu", "1000")]) },
                "invalid MTU number: 1000, a network with IPv6 needs at least 1280",
            ),
            (
                with_options(&[("advertise_addr_nmsgs", "4")]),
                "com.docker.network.advertise_addr_nmsgs must be in the range 0 to 3",
            ),
            (
                with_options(&[("advertise_addr_ms", "50")]),
                "com.docker.network.advertise_addr_ms must be in the range 100 to 2000",
            ),
            (with_options(&[("bridge.name", "lan1")]), "existing interface lan1 is not a bridge"),
            (with_options(&[("enable_ipv4", "false")]), "IPv4 or IPv6 must be enabled"),
            (NetworkRequest { ipam: IpamDriver::Null, ..network_request("new") }, "ipv4 pool is empty"),
            (
                NetworkRequest {
                    ipam: IpamDriver::Null,
                    ipv4: Some(false),
                    ipv6: Some(true),
                    ..network_request("new")
                },
                "ipv6 pool is empty",
            ),
            (
                NetworkRequest { ipam: IpamDriver::Null, ..with_pool(pool_request("10.9.0.0/24")) },
                "null ipam driver does not handle specific address pool requests",
            ),
        ],
    );
}

#[test]
fn addresses_that_make_no_sense_are_refused() {
    all_refused(
        Kind::InvalidParameter,
        [
            (
                with_pool(pool_request("10.9.0.1/24")),
                "invalid network config:\ninvalid subnet 10.9.0.1/24: it should be 10.9.0.0/24",
            ),
            (
                with_range("10.9.0.0/24", "10.9.0.0/16"),
                "invalid network config:\ninvalid ip-range 10.9.0.0/16: CIDR block is bigger than its parent subnet 10.9.0.0/24",
            ),
            (
                with_range("10.9.0.0/24", "10.8.0.0/24"),
                "invalid network config:\ninvalid ip-range 10.8.0.0/24: parent subnet 10.9.0.0/24 doesn't contain ip-range",
            ),
            (
                with_gateway("10.9.0.0/24", "10.8.0.1"),
                "invalid network config:\ninvalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address",
            ),
            (
                with_auxiliary("10.9.0.0/24", "DefaultGatewayIPv4", "10.8.0.1"),
                "invalid network config:\ninvalid auxiliary address DefaultGatewayIPv4: \
                 parent subnet 10.9.0.0/24 doesn't contain this address",
            ),
            (
                NetworkRequest {
                    internal: true,
                    ..with_auxiliary("10.9.0.0/24", "DefaultGatewayIPv4", "10.9.0.9")
                },
                "no gateway can be set on an internal bridge network",
            ),
            (with_pool(pool_request("0.0.0.0/8")), "invalid address pool"),
            (
                with_pool(pool_request("fe80::/80")),
                "'fe80::1/80' clashes with the Link-Local prefix 'fe80::/64'",
            ),
            (
                with_pool(pool_request("fe80::/10")),
                "'fe80::1/10' clashes with the Link-Local prefix 'fe80::/64'",
            ),
            (with_pool(pool_request("ff05::/64")), "multicast subnet 'ff05::1/64' is not allowed"),
            (
                with_pool(pool_request("::ffff:10.0.0.0/112")),
                "invalid network config:\ninvalid subnet ::ffff:10.0.0.0/112: write the IPv4 subnet that it stands for",
            ),
        ],
    );
    all_refused(
        Kind::Internal,
        [
            (
                with_range("0.0.0.0/24", "0.0.0.0/25"),
                "failed to parse pool request for address space \"LocalDefault\" pool \"\" subpool \"0.0.0.0/25\": \
                 invalid address subpool",
            ),
            (
                with_gateway("0.0.0.0/24", "0.0.0.1"),
                "failed to allocate gateway (0.0.0.1): requested address is out of range",
            ),
            (
                with_pool(pool_request("fd00:9::/128")),
                "failed to allocate gateway (): no available addresses on this pool",
            ),
            (
                with_gateway("10.9.0.0/24", "10.9.0.255"),
                "failed to allocate gateway (10.9.0.255): Address already in use",
            ),
            (
                with_auxiliary("10.9.0.0/24", "a", "10.9.0.1"),
                "failed to allocate secondary ip address (a:10.9.0.1): Address already in use",
            ),
        ],
    );
}

#[test]
fn what_contradicts_others_is_forbidden() {
    let (several, overlap) = (
        "bridge driver doesn't support multiple subnets",
        "invalid pool request: Pool overlaps with other one on this address space",
    );
    all_refused(
        Kind::Forbidden,
        [
            (
                NetworkRequest {
                    pools: ["10.8.0.0/24", "10.9.0.0/24"].map(pool_request).into(),
                    ..network_request("new")
                },
                several,
            ),
            (with_pool(pool_request("10.1.2.0/24")), overlap),
            (
                // A range keeps the pool from being asked.
                with_range("10.1.2.0/24", "10.1.2.128/25"),
                "cannot create network NEW (br-NEW): conflicts with network FRONT (br-FRONT): \
                 networks have overlapping IPv4",
            ),
            (
                with_auxiliary("0.0.0.0/24", "a", "0.0.0.5"),
                "auxiliary address: (a:0.0.0.5) must belong to the master pool: 172.17.0.0/24",
            ),
            (
                NetworkRequest { driver: Driver::Host, ..network_request("new") },
                "only one instance of \"host\" network is allowed",
            ),
            (
                NetworkRequest { ingress: true, ..network_request("new") },
                "Ingress network can only be global scope network",
            ),
            (
                NetworkRequest { scope: Some(Scope::Swarm), ..network_request("new") },
                "cannot create a swarm scoped network when swarm is not active",
            ),
        ],
    );
}
