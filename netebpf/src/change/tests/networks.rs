//! Which networks are made and removed.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{DefaultBridge, Driver, EngineOptions};

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
    let host_bits = "invalid network config:\ninvalid subnet 10.9.0.5/24: it should be 10.9.0.0/24";
    refused(world.network("back", Some("10.9.0.5/24")), Kind::InvalidParameter, host_bits);
    for unusable in ["127.1.0.0/16", "224.0.0.0/24", "255.255.255.0/24", "0.1.0.0/24"] {
        let error = world.network("back", Some(unusable)).expect_err(unusable);
        assert!(matches!(error, Error::InvalidPools(_)), "{error}");
    }
    let mut with_gateway = |subnet: &str, gateway| {
        let pool = PoolRequest { gateway: String::from(gateway), ..pool_request(subnet) };
        world.make_network(NetworkRequest { pools: vec![pool], ..network_request("back") })
    };
    let outside = "invalid network config:\ninvalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address";
    refused(with_gateway("10.9.0.0/24", "10.8.0.1"), Kind::InvalidParameter, outside);
    let reserved = "failed to allocate gateway (10.9.0.255): Address already in use";
    refused(with_gateway("10.9.0.0/24", "10.9.0.255"), Kind::Internal, reserved);
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
        let pools = subnets.iter().map(|subnet| pool_request(subnet)).collect();
        let id = world.make_network(NetworkRequest { ipv4, ipv6, pools, ..network_request(name) })?;
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
    refused(subnets("x", None, None, &["10.8.0.0/24", "10.9.0.0/24"]), Kind::Forbidden, several);
    let overlap = "invalid pool request: Pool overlaps with other one on this address space";
    refused(subnets("x", None, Some(true), &["fd00:c::/64"]), Kind::Forbidden, overlap);
    let reserved = "invalid network config:\ninvalid subnet ::1/128: addresses up to ff:: are reserved";
    refused(subnets("x", None, Some(true), &["::1/128"]), Kind::InvalidParameter, reserved);
}

#[test]
fn an_isolated_network_has_no_gateway_and_so_one_more_address() {
    let mut world = World::default();
    let mode = "com.docker.network.bridge.gateway_mode_ipv4".to_owned();
    let options = BTreeMap::from([(mode, "isolated".to_owned())]);
    let request = NetworkRequest { options, internal: true, ..network_request("cell") };
    world
        .make_network(NetworkRequest { pools: vec![pool_request("10.1.0.0/24")], ..request })
        .expect("a network");
    world.sandbox("monk", "cell", &["8080:80"]).expect("a sandbox");
    assert_eq!(world.endpoints("monk"), ["eth0 10.1.0.1"]);
}

#[test]
fn a_network_goes_only_when_nothing_active_is_on_it() {
    let mut world = small_world();
    let endpoint = world.named("web").endpoints().next().expect("its endpoint").id;
    let in_use = format!(
        "error while removing network: network front has active endpoints (name:\"web\" id:\"{}\")",
        endpoint.short()
    );
    refused(world.change(|spec, _| remove_network(spec, "front")), Kind::Forbidden, &in_use);
    world.stop("web", 0);
    world.change(|spec, _| remove_network(spec, "front")).expect("nothing is active");
    refused(world.change(|spec, _| remove_network(spec, "front")), Kind::NotFound, "network front not found");
}

#[test]
fn addresses_come_from_the_range_and_kept_ones_go_to_nobody() {
    let mut world = World::default();
    let auxiliary = [("a", "172.28.5.1"), ("b", "172.28.5.3")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let pool = PoolRequest {
        ip_range: "172.28.5.0/24".to_owned(),
        auxiliary: auxiliary.into(),
        ..pool_request("172.28.0.0/16")
    };
    let request =
        |pool: &PoolRequest| NetworkRequest { pools: vec![pool.clone()], ..network_request("ranged") };
    let id = world.make_network(request(&pool)).expect("a network");
    assert_eq!(world.spec.networks[&id].pools[0].gateway, Some(ip("172.28.5.0")), "the first of the range");
    world.sandbox("one", "ranged", &[]).expect("a sandbox");
    world.sandbox("two", "ranged", &[]).expect("a sandbox");
    assert_eq!(world.endpoints("one"), ["eth0 172.28.5.2"]);
    assert_eq!(world.endpoints("two"), ["eth0 172.28.5.4"]);
    world.network("other", None).expect("a network");
    world.sandbox("three", "other", &[]).expect("a sandbox");
    let kept = world.connect("ranged", "three", Some("172.28.5.3"));
    refused(kept, Kind::Forbidden, "Address already in use");
    world.connect("ranged", "three", Some("172.28.9.9")).expect("any address of the subnet may be named");

    for (name, address) in [("x", "10.1.0.1"), ("y", "10.1.0.255")] {
        let auxiliary = BTreeMap::from([(name.to_owned(), address.to_owned())]);
        let pool = PoolRequest { auxiliary, ..pool_request("10.1.0.0/24") };
        let text =
            format!("failed to allocate secondary ip address ({name}:{address}): Address already in use");
        let request = NetworkRequest { pools: vec![pool], ..network_request("again") };
        refused(world.make_network(request), Kind::Internal, &text);
    }
}

#[test]
fn an_unspecified_subnet_stands_for_any_of_its_length() {
    let mut world = World::default();
    for (name, subnet) in [("one", "172.17.0.0/24"), ("two", "172.17.1.0/24")] {
        let id = world.network(name, Some("0.0.0.0/24")).expect("a network");
        assert_eq!(world.spec.networks[&id].pools[0].subnet, net(subnet));
    }
}

/// A world in which the engine has made its own networks, with this device for the default one.
fn with_predefined(device: Option<&str>) -> World {
    let mut world = World::default();
    ensure(&mut world, device).expect("there is room");
    world
}

fn ensure(world: &mut World, device: Option<&str>) -> Result<(), Error> {
    let options = EngineOptions { default_bridge: device.map(DefaultBridge::on), ..EngineOptions::default() };
    world.change(|spec, context| ensure_predefined(spec, &options, context)).map(drop)
}

#[test]
fn the_engine_has_three_networks_that_nobody_makes_or_removes() {
    let mut world = with_predefined(Some("netebpf0"));
    let names = |world: &World| {
        let networks = world.spec.networks.values();
        let mut names: Vec<_> = networks.map(|n| format!("{} {}", n.name, n.driver)).collect();
        names.sort();
        names
    };
    assert_eq!(names(&world), ["bridge bridge", "host host", "none null"]);
    let bridge = find_network(&world.spec, "bridge").expect("it is there");
    assert_eq!((bridge.bridge_name(), bridge.pools[0].subnet), ("netebpf0".to_owned(), net("172.17.0.0/16")));
    let before = world.spec.clone();
    ensure(&mut world, Some("netebpf0")).expect("all are there");
    assert_eq!(world.spec, before, "again and again");

    for name in ["bridge", "host", "none"] {
        let made = format!("operation is not permitted on predefined {name} network");
        refused(world.network(name, None), Kind::Forbidden, &made);
        let removed = format!("{name} is a pre-defined network and cannot be removed");
        refused(world.change(|spec, _| remove_network(spec, name)), Kind::Forbidden, &removed);
    }
    for driver in [Driver::Host, Driver::Null] {
        let text = format!("only one instance of \"{driver}\" network is allowed");
        let request = NetworkRequest { driver, ..network_request("mine") };
        refused(world.make_network(request), Kind::Forbidden, &text);
    }
    world.sandbox("web", "bridge", &[]).expect("a sandbox");
    let host = "cannot connect container to host network - container must be created in host network mode";
    refused(world.connect("host", "web", None), Kind::InvalidParameter, host);
    let none =
        "container cannot be connected to multiple networks with one of the networks in private (none) mode";
    refused(world.connect("none", "web", None), Kind::InvalidParameter, none);
}

#[test]
fn the_default_bridge_can_be_switched_off_and_goes_once_nobody_is_on_it() {
    let mut world = with_predefined(Some("netebpf0"));
    world.sandbox("web", "bridge", &[]).expect("a sandbox");
    ensure(&mut world, None).expect("nothing is wrong");
    assert!(find_network(&world.spec, "bridge").is_ok(), "web is on it");
    world.change(|spec, _| remove_sandbox(spec, "web", true)).expect("it is there");
    ensure(&mut world, None).expect("nothing is wrong");
    assert!(find_network(&world.spec, "bridge").is_err());
    assert_eq!(world.spec.networks.len(), 2);
}

#[test]
fn two_networks_do_not_share_a_bridge_device() {
    let mut world = World::default();
    let option = ("com.docker.network.bridge.name".to_owned(), "lan0".to_owned());
    let request = |name| NetworkRequest { options: [option.clone()].into(), ..network_request(name) };
    world.make_network(request("one")).expect("a network");
    let error = world.make_network(request("two")).expect_err("the device is taken");
    assert!(error.to_string().contains("(lan0): networks have same bridge name"), "{error}");
    assert_eq!(error.kind(), Kind::Forbidden);
}

#[test]
fn interfaces_are_called_as_their_network_says() {
    let mut world = World::default();
    let option = ("com.docker.network.container_iface_prefix".to_owned(), "net".to_owned());
    world
        .make_network(NetworkRequest { options: [option].into(), ..network_request("one") })
        .expect("a network");
    world.network("two", None).expect("a network");
    world.sandbox("web", "one", &[]).expect("a sandbox");
    world.connect("two", "web", None).expect("a second network");
    assert_eq!(world.endpoints("web"), ["net0 172.17.0.2", "eth0 172.18.0.2"]);
}

#[test]
fn pruning_takes_the_unused_networks_that_are_meant() {
    let mut world = with_predefined(Some("netebpf0"));
    for (name, label) in [("one", "stage=test"), ("two", "stage=live"), ("used", "stage=test")] {
        let (key, value) = label.split_once('=').expect("a pair");
        let labels = [(key.to_owned(), value.to_owned())].into();
        world.make_network(NetworkRequest { labels, ..network_request(name) }).expect("a network");
    }
    world.sandbox("web", "used", &[]).expect("a sandbox");
    let mut prune = |choice: PruneChoice| {
        let names = world.change(|spec, _| Ok(prune_networks(spec, &choice))).expect("pruning never fails");
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let none = PruneChoice::default;
    assert_eq!(prune(PruneChoice { until: Some(0), ..none() }), "", "they were created at 1");
    assert_eq!(prune(PruneChoice { labels: vec!["stage=prod".to_owned()], ..none() }), "");
    assert_eq!(prune(PruneChoice { labels_without: vec!["stage=live".to_owned()], ..none() }), "one");
    assert_eq!(prune(PruneChoice { until: Some(1), labels: vec!["stage".to_owned()], ..none() }), "two");
    assert_eq!(prune(none()), "");
    assert_eq!(world.spec.networks.len(), 4, "the engine's own and the used one");
}
