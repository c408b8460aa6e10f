//! Which networks are made and removed.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn networks_without_subnet_take_dockers_pools_around_host_routes() {
    let mut world = World { host_routes: vec![net("172.18.0.0/24")], ..World::default() };
    for name in ["one", "two"] {
        world.network(name, None).expect("a network");
    }
    let gateways: BTreeSet<_> =
        world.spec.networks.values().map(|network| network.pools[0].gateway).collect();
    assert_eq!(gateways, BTreeSet::from([Some(ip("172.17.0.1")), Some(ip("172.19.0.1"))]));
}

#[test]
fn bad_networks_are_refused() {
    let mut world = small_world();
    refused(world.network("front", None), Kind::Conflict, "network with name front already exists");
    let overlap = "invalid pool request: Pool overlaps with other one on this address space";
    refused(world.network("back", Some("10.0.0.0/8")), Kind::Forbidden, overlap);
    let host_bits = "invalid network config: invalid subnet 10.9.0.5/24: it should be 10.9.0.0/24";
    refused(world.network("back", Some("10.9.0.5/24")), Kind::InvalidParameter, host_bits);
    for unusable in ["0.0.0.0/0", "127.1.0.0/16", "224.0.0.0/24", "255.255.255.0/24", "0.0.0.0/24"] {
        let error = world.network("back", Some(unusable)).expect_err(unusable);
        assert!(matches!(error, Error::SubnetUnusable { .. }), "{error}");
    }
    let mut with_gateway = |subnet: &str, gateway| {
        let subnet = SubnetRequest { gateway: Some(ip(gateway)), ..subnet_request(subnet) };
        world.make_network(NetworkRequest { subnets: vec![subnet], ..network_request("back") })
    };
    let outside = "invalid network config: invalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address";
    refused(with_gateway("10.9.0.0/24", "10.8.0.1"), Kind::InvalidParameter, outside);
    let reserved = "failed to allocate gateway (10.9.0.255): Address already in use";
    refused(with_gateway("10.9.0.0/24", "10.9.0.255"), Kind::Conflict, reserved);
}

#[test]
fn options_are_read_and_kept_and_what_is_not_understood_is_refused() {
    let mut world = World::default();
    let mut with_option = |name: &str, option: &str, value: &str| {
        let options = BTreeMap::from([(option.to_owned(), value.to_owned())]);
        let request = NetworkRequest { options: options.clone(), ..network_request(name) };
        let id = world.make_network(request)?;
        let network = &world.spec.networks[&id];
        assert_eq!(network.options, options);
        Ok::<_, Error>(network.bridge.icc)
    };
    assert_eq!(with_option("quiet", "com.docker.network.bridge.enable_icc", "false"), Ok(false));
    assert_eq!(with_option("loud", "com.docker.network.bridge.enable_icc", "1"), Ok(true));
    assert_eq!(with_option("theirs", "org.example.key", "any"), Ok(true));
    let error = with_option("x", "com.docker.network.bridge.enable_icc", "no").expect_err("no truth value");
    assert_eq!(error.kind(), Kind::InvalidParameter);
    refused(
        with_option("x", "com.docker.network.bridge.gateway_mode_ipv4", "isolated"),
        Kind::InvalidParameter,
        "gateway mode 'isolated' can only be used for an internal network",
    );
}

#[test]
fn networks_have_one_subnet_of_each_ip_version_that_they_are_given() {
    let mut world = World::default();
    let mut subnets = |name: &str, ipv4, ipv6, subnets: &[&str]| {
        let subnets = subnets.iter().map(|subnet| subnet_request(subnet)).collect();
        let id = world.make_network(NetworkRequest { ipv4, ipv6, subnets, ..network_request(name) })?;
        let pools = world.spec.networks[&id].pools.iter();
        Ok(pools.map(|pool| pool.subnet.to_string()).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(subnets("a", None, Some(true), &[]), Ok("172.17.0.0/16 fd01:203:405::/64".to_owned()));
    assert_eq!(subnets("b", Some(false), Some(true), &[]), Ok("fd01:203:405:1::/64".to_owned()));
    assert_eq!(
        subnets("c", None, Some(true), &["fd00:c::/80", "10.3.0.0/24"]),
        Ok("10.3.0.0/24 fd00:c::/80".to_owned())
    );
    assert_eq!(subnets("d", None, None, &["fd00:d::/64"]), Ok("172.18.0.0/16".to_owned()));
    refused(subnets("x", Some(false), None, &[]), Kind::InvalidParameter, "IPv4 or IPv6 must be enabled");
    let several = "bridge driver doesn't support multiple subnets";
    refused(subnets("x", None, None, &["10.8.0.0/24", "10.9.0.0/24"]), Kind::InvalidParameter, several);
    let overlap = "invalid pool request: Pool overlaps with other one on this address space";
    refused(subnets("x", None, Some(true), &["fd00:c::/64"]), Kind::Forbidden, overlap);
    for unusable in ["::ffff:10.0.0.0/112", "fe80::/64", "ff05::/64", "::/0", "::1/128"] {
        let error = subnets("x", None, Some(true), &[unusable]).expect_err(unusable);
        assert!(matches!(error, Error::SubnetUnusable { .. }), "{error}");
    }
}

#[test]
fn an_isolated_network_has_no_gateway_and_so_one_more_address() {
    let mut world = World::default();
    let mode = "com.docker.network.bridge.gateway_mode_ipv4".to_owned();
    let options = BTreeMap::from([(mode, "isolated".to_owned())]);
    let request = NetworkRequest { options, internal: true, ..network_request("cell") };
    world
        .make_network(NetworkRequest { subnets: vec![subnet_request("10.1.0.0/24")], ..request })
        .expect("a network");
    world.sandbox("monk", "cell", &["8080:80"]).expect("a sandbox");
    assert_eq!(world.endpoints("monk"), ["eth0 10.1.0.1"]);
}

#[test]
fn a_network_goes_only_when_nothing_active_is_on_it() {
    let mut world = small_world();
    let web = world.named("web").id;
    let in_use = format!(
        "error while removing network: network front has active endpoints (name:\"web\" id:\"{}\")",
        web.short()
    );
    refused(world.change(|spec, _| remove_network(spec, "front")), Kind::Forbidden, &in_use);
    mark_exited(&mut world.spec, web, 0).expect("it is there");
    world.change(|spec, _| remove_network(spec, "front")).expect("nothing is active");
    assert_eq!(world.named("web").endpoints, []);
    refused(world.change(|spec, _| remove_network(spec, "front")), Kind::NotFound, "network front not found");
}
