//! Configuration-only networks, what is made from them, and bridges without the host's address.

use std::collections::BTreeMap;

use netebpf_common::abi::Family;

use super::*;
use crate::model::Scope;

const INHIBIT: &str = "com.docker.network.bridge.inhibit_ipv4";

fn only(name: &str) -> NetworkRequest {
    NetworkRequest { config_only: true, ..network_request(name) }
}

fn from(name: &str, configuration: &str) -> NetworkRequest {
    let config_from = Name::of_network(configuration).ok();
    NetworkRequest { config_from, ..network_request(name) }
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A world with the configuration `base`.
fn configured() -> World {
    let mut world = World::default();
    let base = NetworkRequest {
        ipv6: Some(true),
        pools: vec![pool_request("10.7.0.0/24"), pool_request("fd00:7::/64")],
        options: pairs(&[("com.docker.network.bridge.enable_icc", "false"), ("parent", "eth0")]),
        ipam_options: Some(pairs(&[("a", "b")])),
        labels: pairs(&[("stage", "test")]),
        ..only("base")
    };
    world.make_network(base).expect("a configuration");
    world
}

#[test]
fn a_network_gets_all_that_its_configuration_says() {
    let mut world = configured();
    let id = world
        .make_network(NetworkRequest { internal: true, attachable: true, ..from("made", "base") })
        .expect("a network");
    let (made, base) = (&world.spec.networks[&id], find_network(&world.spec, "base").expect("it is there"));
    let subnets: Vec<_> = made.pools.iter().map(|pool| pool.subnet.to_string()).collect();
    assert_eq!(subnets, ["10.7.0.0/24", "fd00:7::/64"]);
    assert_eq!(
        (&made.options, &made.ipam_options, &made.labels),
        (&base.options, &base.ipam_options, &base.labels)
    );
    assert!(!made.bridge.icc && made.internal && made.attachable && made.has(Family::V6));
    assert_eq!(made.config_from.as_ref(), Some(&base.name));
    assert!(base.pools.is_empty() && base.has(Family::V6) && !base.has_bridge());

    let overlap = "invalid pool request: Pool overlaps with other one on this address space";
    refused(world.make_network(from("again", "base")), Kind::Forbidden, overlap);
}

#[test]
fn a_configuration_is_there_for_nothing_else() {
    let mut world = configured();
    world.network("front", None).expect("a network");
    world.sandbox("web", "front", &[]).expect("a sandbox");
    let join = "cannot create endpoint on configuration-only network";
    refused(world.connect("base", "web", None), Kind::Forbidden, join);
    refused(world.sandbox("db", "base", &[]), Kind::Forbidden, join);
    world.make_network(from("made", "base")).expect("a network");
    let in_use = "error while removing network: configuration network \"base\" is in use";
    refused(world.change(|spec, _| remove_network(spec, "base")), Kind::Forbidden, in_use);
    let pruned = prune_networks(&mut world.spec, &PruneChoice::default());
    assert_eq!(pruned.iter().map(Name::as_str).collect::<Vec<_>>(), ["made"], "configurations stay");
    world.change(|spec, _| remove_network(spec, "base")).expect("nobody uses it any more");
}

#[test]
fn what_does_not_go_with_configurations_is_refused() {
    let mut world = configured();
    world.network("front", None).expect("a network");
    let operator = "configuration network can only contain network specific fields. Network operator fields like \
                    [ ingress | internal | attachable | scope ] are not supported.";
    let twice =
        "user-specified configurations are not supported if the network depends on a configuration network";
    let options =
        "network driver options are not supported if the network depends on a configuration network";
    let nested = "a configuration network cannot depend on another configuration network";
    for (request, text) in [
        (NetworkRequest { internal: true, ..only("x") }, operator),
        (NetworkRequest { attachable: true, ..only("x") }, operator),
        (NetworkRequest { ingress: true, ..only("x") }, operator),
        (NetworkRequest { scope: Some(Scope::Local), ..only("x") }, operator),
        (NetworkRequest { config_only: true, ..from("x", "base") }, nested),
        (NetworkRequest { pools: vec![pool_request("10.8.0.0/24")], ..from("x", "base") }, twice),
        (NetworkRequest { ipv6: Some(true), ..from("x", "base") }, twice),
        (NetworkRequest { ipv4: Some(false), ..from("x", "base") }, twice),
        (NetworkRequest { labels: pairs(&[("a", "b")]), ..from("x", "base") }, twice),
        (NetworkRequest { ipam_options: Some(pairs(&[("a", "b")])), ..from("x", "base") }, twice),
        (NetworkRequest { options: pairs(&[("a", "b")]), ..from("x", "base") }, options),
    ] {
        refused(world.make_network(request), Kind::Forbidden, text);
    }
    for missing in ["nowhere", "front"] {
        let text = format!("configuration network \"{missing}\" does not exist");
        refused(world.make_network(from("x", missing)), Kind::NotFound, &text);
    }
}

#[test]
fn flags_take_the_place_of_options_that_mean_the_same() {
    let mut world = World::default();
    let options =
        pairs(&[("com.docker.network.enable_ipv6", "true"), ("com.docker.network.enable_ipv4", "no!")]);
    let request = NetworkRequest { ipv4: Some(true), options, ..network_request("dual") };
    let id = world.make_network(request).expect("the flag counts");
    let network = &world.spec.networks[&id];
    assert!(network.has(Family::V4) && network.has(Family::V6));
    assert_eq!(network.options, pairs(&[("com.docker.network.enable_ipv6", "true")]));
}

#[test]
fn a_bridge_goes_without_the_address_that_is_kept_for_it() {
    let mut world = World::default();
    let mut make = |name: &str, subnet, internal| {
        let options = pairs(&[(INHIBIT, "true")]);
        let pools = vec![pool_request(subnet)];
        let id = world
            .make_network(NetworkRequest { pools, internal, options, ..network_request(name) })
            .expect("a network");
        let network = &world.spec.networks[&id];
        (network.host_addresses().count(), network.pools[0].gateway, network.way_out(Family::V4))
    };
    assert_eq!(make("open", "10.1.0.0/24", false), (0, Some(ip("10.1.0.1")), Some(ip("10.1.0.1"))));
    assert_eq!(make("closed", "10.2.0.0/24", true), (0, None, None), "not even kept");
}

#[test]
fn sandboxes_leave_by_the_gateway_that_the_user_chose() {
    let mut world = World::default();
    let pool = |subnet: &str, name: &str, gateway: &str| PoolRequest {
        auxiliary: pairs(&[(name, gateway)]),
        ..pool_request(subnet)
    };
    let pools = vec![
        pool("10.1.0.0/24", "DefaultGatewayIPv4", "10.1.0.254"),
        pool("fd00:1::/64", "DefaultGatewayIPv6", "fd00:1::fe"),
    ];
    let id = world
        .make_network(NetworkRequest { ipv6: Some(true), pools, ..network_request("routed") })
        .expect("a network");
    let network = &world.spec.networks[&id];
    let addresses: Vec<_> = network.host_addresses().map(|address| address.to_string()).collect();
    assert_eq!(addresses, ["10.1.0.1/24", "fd00:1::1/64"]);
    assert_eq!(network.way_out(Family::V4), Some(ip("10.1.0.254")));
    assert_eq!(network.way_out(Family::V6), Some(ip("fd00:1::fe")));
}

#[test]
fn the_link_local_subnet_leads_nowhere() {
    let mut world = World::default();
    let pools = vec![pool_request("fe80::/64")];
    let id = world
        .make_network(NetworkRequest { ipv6: Some(true), pools, ..network_request("near") })
        .expect("a network");
    let network = &world.spec.networks[&id];
    assert_eq!(
        network.host_address(Family::V6).map(|address| address.to_string()).as_deref(),
        Some("fe80::1/64")
    );
    assert_eq!(network.way_out(Family::V6), None);
}
