//! The default network as it is configured, and as it is configured anew.

use super::*;
use crate::model::{AddressChoice, DefaultBridge, EngineOptions, FAMILIES};

fn ensure(world: &mut World, wanted: Option<&DefaultBridge>) -> Result<Option<String>, Error> {
    let options = EngineOptions { default_bridge: wanted.cloned(), ..EngineOptions::default() };
    let postponed = world.change(|spec, context| ensure_predefined(spec, &options, context))?;
    Ok(postponed.map(|postponed| postponed.to_string()))
}

#[track_caller]
fn configured(world: &mut World, wanted: &DefaultBridge) {
    assert_eq!(ensure(world, Some(wanted)), Ok(None));
}

fn own() -> DefaultBridge {
    DefaultBridge::on("netebpf0")
}

fn with_addresses(address: &str, range: &str, gateway: &str) -> AddressChoice {
    let parse = |text: &str| text.parse().ok();
    AddressChoice { address: parse(address), range: parse(range), gateway: gateway.parse().ok() }
}

/// Subnet, bridge, range and kept addresses of each pool.
fn pools(world: &World) -> Vec<String> {
    let network = find_network(&world.spec, "bridge").expect("it is there");
    let pools = FAMILIES.into_iter().filter_map(|family| network.pool(family));
    let describe = |pool: &crate::model::Pool| {
        let gateway = pool.gateway.map(|gateway| gateway.to_string()).unwrap_or_default();
        let range = pool.ip_range.map(|range| range.to_string()).unwrap_or_default();
        let kept: Vec<_> = pool.auxiliary.iter().map(|(name, address)| format!("{name}={address}")).collect();
        format!("{} {gateway} {range} {}", pool.subnet, kept.join(","))
    };
    pools.map(describe).collect()
}

#[test]
fn its_addresses_are_those_of_the_directives() {
    for (v4, v6, wanted) in [
        (with_addresses("", "", ""), None, vec!["172.17.0.0/16 172.17.0.1  "]),
        (with_addresses("10.1.0.9/24", "", ""), None, vec!["10.1.0.0/24 10.1.0.9  "]),
        (with_addresses("", "10.1.0.128/25", ""), None, vec!["10.1.0.128/25 10.1.0.129 10.1.0.128/25 "]),
        (
            with_addresses("10.1.0.1/16", "10.1.5.0/24", "10.1.0.2"),
            Some(with_addresses("", "", "")),
            vec![
                "10.1.0.0/16 10.1.0.1 10.1.5.0/24 DefaultGatewayIPv4=10.1.0.2",
                "fd01:203:405::/64 fd01:203:405::1  ",
            ],
        ),
        (
            with_addresses("", "", "172.17.0.254"),
            Some(with_addresses("fd00:1::9/64", "fd00:1::/80", "fd00:1::fe")),
            vec![
                "172.17.0.0/16 172.17.0.1  DefaultGatewayIPv4=172.17.0.254",
                "fd00:1::/64 fd00:1::9 fd00:1::/80 DefaultGatewayIPv6=fd00:1::fe",
            ],
        ),
    ] {
        let mut world = World::default();
        configured(&mut world, &DefaultBridge { v4, v6, ..own() });
        assert_eq!(pools(&world), wanted);
    }
}

#[test]
fn its_options_are_those_that_docker_shows() {
    let mut world = World::default();
    let wanted = DefaultBridge {
        icc: false,
        masquerade: false,
        mtu: 1400,
        host_binding: ip("127.0.0.1"),
        ..DefaultBridge::on("lan0")
    };
    configured(&mut world, &wanted);
    let network = find_network(&world.spec, "bridge").expect("it is there");
    let options: Vec<_> = network.options.iter().map(|(option, value)| format!("{option}={value}")).collect();
    let prefix = "com.docker.network";
    assert_eq!(
        options,
        [
            format!("{prefix}.bridge.default_bridge=true"),
            format!("{prefix}.bridge.enable_icc=false"),
            format!("{prefix}.bridge.enable_ip_masquerade=false"),
            format!("{prefix}.bridge.host_binding_ipv4=127.0.0.1"),
            format!("{prefix}.bridge.name=lan0"),
            format!("{prefix}.driver.mtu=1400"),
        ]
    );
    assert!(!network.bridge.icc && !network.bridge.masquerade && network.bridge.is_default);
    assert_eq!((network.bridge.mtu, network.bridge.host_binding), (Some(1400), ip("127.0.0.1")));
}

#[test]
fn another_configuration_is_in_force_once_nobody_is_on_it() {
    let mut world = World::default();
    configured(&mut world, &own());
    world.sandbox("web", "bridge", &[]).expect("a sandbox");
    let before = world.spec.clone();
    let next = DefaultBridge { icc: false, v4: with_addresses("10.1.0.1/24", "", ""), ..own() };
    let postponed = ensure(&mut world, Some(&next)).expect("nothing is wrong").expect("web is on it");
    assert_eq!(
        postponed,
        "the default network stays as it is until the daemon starts without a sandbox on it; then \
         com.docker.network.bridge.enable_icc is false, the subnet is 10.1.0.0/24, the bridge has 10.1.0.1 \
         (on it now: web)"
    );
    assert_eq!(world.spec, before);
    world.stop("web", 0);
    configured(&mut world, &next);
    assert_eq!(pools(&world), ["10.1.0.0/24 10.1.0.1  "]);
    let network = find_network(&world.spec, "bridge").expect("it is there").id;
    assert!(
        world.named("web").attachment_to(network).is_some(),
        "what has ended is still on the default network"
    );

    let before = world.spec.clone();
    configured(&mut world, &next);
    assert_eq!(world.spec, before, "again and again");
    configured(&mut world, &own());
    assert_eq!(pools(&world), ["172.17.0.0/16 172.17.0.1  "], "nothing is left of the old configuration");
}

#[test]
fn what_is_left_to_the_engine_stays() {
    let mut world = World { host_routes: vec![net("172.17.0.0/16")], ..World::default() };
    configured(&mut world, &own());
    // By now the host has the network's own route; another one is gone.
    world.host_routes = vec![net("172.18.0.0/16")];
    let before = world.spec.clone();
    configured(&mut world, &own());
    assert_eq!(world.spec, before);
    configured(&mut world, &DefaultBridge { mtu: 1400, v6: Some(AddressChoice::default()), ..own() });
    assert_eq!(pools(&world), ["172.18.0.0/16 172.18.0.1  ", "fd01:203:405::/64 fd01:203:405::1  "]);
    configured(&mut world, &own());
    assert_eq!(pools(&world), ["172.18.0.0/16 172.18.0.1  "]);
}

#[test]
fn what_cannot_be_leaves_it_as_it_was() {
    let mut world = World::default();
    configured(&mut world, &own());
    world.network("lan", Some("10.1.0.0/16")).expect("a network");
    let overlapping = DefaultBridge { v4: with_addresses("10.1.0.1/24", "", ""), ..own() };
    let text = "invalid pool request: Pool overlaps with other one on this address space";
    assert_eq!(
        ensure(&mut world, Some(&overlapping)).map_err(|error| error.to_string()),
        Err(text.to_owned())
    );
    let elsewhere = DefaultBridge { v4: with_addresses("", "", "192.0.2.1"), ..own() };
    let refusal = ensure(&mut world, Some(&elsewhere)).expect_err("it is in another subnet").to_string();
    assert!(refusal.contains("172.17.0.0/16 doesn't contain this address"), "{refusal}");
}

#[test]
fn it_is_switched_off_once_nobody_is_on_it() {
    let mut world = World::default();
    configured(&mut world, &own());
    world.sandbox("web", "bridge", &[]).expect("a sandbox");
    let postponed = ensure(&mut world, None).expect("nothing is wrong").expect("web is on it");
    assert!(postponed.contains("then it is switched off (on it now: web)"), "{postponed}");
    world.change(|spec, _| remove_sandbox(spec, "web", true)).expect("it is there");
    assert_eq!(ensure(&mut world, None), Ok(None));
    assert!(find_network(&world.spec, "bridge").is_err());
}
