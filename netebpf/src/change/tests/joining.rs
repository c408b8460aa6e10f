//! What sandboxes wish of networks, and which networks go together.

use super::*;
use crate::model::DefaultBridge;

/// A world with the engine's own networks, `front`, `back`, and the running sandbox `web` on `front`.
fn wide_world() -> World {
    let mut world = small_world();
    let options =
        EngineOptions { default_bridge: Some(DefaultBridge::on("netebpf0")), ..EngineOptions::default() };
    world.change(|spec, context| ensure_predefined(spec, &options, context)).expect("the engine's networks");
    world.network("back", Some("10.2.0.0/24")).expect("a network");
    world
}

fn wishing(change: impl FnOnce(&mut EndpointSettings)) -> EndpointSettings {
    let mut settings = EndpointSettings::default();
    change(&mut settings);
    settings
}

fn join(world: &mut World, network: &str, sandbox: &str, settings: EndpointSettings) -> Result<(), Error> {
    world.change(|spec, context| connect(spec, network, sandbox, settings, context))
}

#[test]
fn the_networks_of_the_engine_keep_to_themselves() {
    let mut world = wide_world();
    let host = "cannot connect container to host network - container must be created in host network mode";
    refused(world.connect("host", "web", None), Kind::InvalidParameter, host);
    let none =
        "container cannot be connected to multiple networks with one of the networks in private (none) mode";
    refused(world.connect("none", "web", None), Kind::InvalidParameter, none);
    world.sandbox("alone", "none", &[]).expect("a sandbox");
    refused(world.connect("front", "alone", None), Kind::InvalidParameter, none);
    world.change(|spec, _| disconnect(spec, "none", "alone", false)).expect("it parts");
    world.connect("front", "alone", None).expect("now it may");
    world.sandbox("seen", "host", &[]).expect("a sandbox");
    let shared = "container sharing network namespace with another container or host cannot be connected to any other network";
    refused(world.connect("front", "seen", None), Kind::InvalidParameter, shared);
    let stays = "cannot disconnect container from host network - container was created in host network mode";
    let part = world.change(|spec, _| disconnect(spec, "host", "seen", false));
    refused(part, Kind::InvalidParameter, stays);
    assert!(!world.named("seen").has_namespace() && world.named("alone").has_namespace());
}

#[test]
fn predefined_networks_take_no_address_and_no_alias() {
    let mut world = wide_world();
    let settings = wishing(|settings| {
        settings.addresses = wishes(Some("172.17.0.9"));
        settings.aliases = Some(vec!["www".to_owned()]);
    });
    let text = "invalid endpoint settings:\n\
                * user-specified IP address is supported on user-defined networks only\n\
                * network-scoped aliases are only supported for user-defined networks";
    refused(join(&mut world, "bridge", "web", settings), Kind::InvalidParameter, text);
}

#[test]
fn all_faults_of_the_wishes_are_told_at_once() {
    let mut world = wide_world();
    let option = |name: &str, value: &str| (format!("com.docker.network.endpoint.{name}"), value.to_owned());
    let settings = wishing(|settings| {
        settings.addresses = wishes(Some("0.0.0.0"));
        settings.mac = Some(Mac([1, 0, 0, 0, 0, 1]));
        settings.driver_options = Some([option("sysctls", "net.ipv4.ip_forward=1")].into());
    });
    let text = "invalid endpoint settings:\n\
                * invalid IPv4 address: 0.0.0.0\n\
                * no configured subnet contains IP address 0.0.0.0\n\
                * invalid MAC address: 01:00:00:00:00:01, an endpoint needs a unicast address other than \
                00:00:00:00:00:00\n\
                * unrecognised network interface sysctl 'net.ipv4.ip_forward=1'; represent 'net.X.Y.ethN.Z=V' as \
                'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'";
    refused(join(&mut world, "back", "web", settings), Kind::InvalidParameter, text);
}

#[test]
fn link_local_addresses_are_none_of_a_network() {
    let mut world = wide_world();
    let with = |addresses: &[&str]| {
        let link_local = addresses.iter().map(|text| ip(text)).collect();
        let wishes = AddressWishes { link_local, ..AddressWishes::default() };
        EndpointSettings { addresses: Some(wishes), ..EndpointSettings::default() }
    };
    for (address, text) in [
        ("10.2.0.9", "invalid link local IP address: 10.2.0.9"),
        ("fd00::9", "invalid link local IP address: fd00::9"),
        ("fe80::9", "invalid link local IP address: fe80::9, network back has no IPv6"),
        ("0.0.0.0", "invalid endpoint settings:\ninvalid link-local IP address: 0.0.0.0"),
    ] {
        let joined = join(&mut world, "back", "web", with(&["169.254.8.8", address]));
        refused(joined, Kind::InvalidParameter, text);
    }
    join(&mut world, "back", "web", with(&["169.254.8.8", "169.254.8.9"])).expect("it joins");
    world.sandbox("db", "none", &[]).expect("a sandbox");
    world.change(|spec, _| disconnect(spec, "none", "db", false)).expect("it parts");
    join(&mut world, "back", "db", with(&["169.254.8.8"])).expect("others may have the same");
    assert_eq!(world.endpoints("db"), ["eth0 10.2.0.3"]);
}

#[test]
fn wished_names_and_macs_are_had_once() {
    let mut world = wide_world();
    let mac = Mac([2, 0, 0, 0, 0, 7]);
    let named = |name: &str| wishing(|settings| settings.options.interface = Some(name.to_owned()));
    join(&mut world, "back", "web", wishing(|settings| settings.mac = Some(mac))).expect("it joins");
    world.sandbox("db", "front", &[]).expect("a sandbox");
    let taken = "MAC address already in use on network back: 02:00:00:00:00:07";
    let settings = wishing(|settings| settings.mac = Some(mac));
    refused(join(&mut world, "back", "db", settings), Kind::Conflict, taken);
    let taken = "interface name \"eth0\" is already in use in the container";
    refused(join(&mut world, "back", "db", named("eth0")), Kind::Conflict, taken);
    join(&mut world, "back", "db", named("uplink")).expect("it joins");
    assert_eq!(world.endpoints("db"), ["eth0 10.1.0.3", "uplink 10.2.0.3"]);
}

#[test]
fn the_way_out_goes_by_priority_then_by_both_ip_versions_then_by_name() {
    let mut world = wide_world();
    let dual = NetworkRequest {
        ipv6: Some(true),
        pools: vec![pool_request("10.3.0.0/24"), pool_request("fd00:3::/64")],
        ..network_request("zone")
    };
    world.make_network(dual).expect("a network");
    let way_out = |world: &World| {
        let sandbox = world.named("web");
        let (_, network) = world.spec.gateway_endpoint(sandbox, Family::V4).expect("a way out");
        network.name.to_string()
    };
    assert_eq!(way_out(&world), "front");
    world.connect("back", "web", None).expect("it joins");
    assert_eq!(way_out(&world), "back", "b comes before f");
    world.connect("zone", "web", None).expect("it joins");
    assert_eq!(way_out(&world), "zone", "it leads out by both");
    world.change(|spec, _| disconnect(spec, "front", "web", false)).expect("it parts");
    join(&mut world, "front", "web", wishing(|settings| settings.gateway_priority = 1)).expect("it joins");
    assert_eq!(way_out(&world), "front", "the user says so");
}

#[test]
fn before_its_first_start_a_sandbox_means_networks_by_their_names() {
    let mut world = wide_world();
    world.sandbox("early", "back", &[]).expect("a sandbox");
    world.stop("early", 0);
    let late = sandbox_request("late", "back");
    world.change(|spec, context| create_sandbox(spec, late, context)).expect("a sandbox");
    world.change(|spec, _| remove_network(spec, "back")).expect("nobody is on it");
    refused(world.start("late"), Kind::NotFound, "network back not found");
    world.network("back", Some("10.9.0.0/24")).expect("a network");
    world.start("late").expect("it is there again");
    assert_eq!(world.endpoints("late"), ["eth0 10.9.0.2"]);
    let missing = format!("network {} not found", world.named("early").attachments[0].network);
    refused(world.start("early"), Kind::NotFound, &missing);
}

#[test]
fn a_network_that_is_gone_is_left_by_its_name() {
    let mut world = wide_world();
    world.stop("web", 0);
    world.change(|spec, _| remove_network(spec, "front")).expect("nobody is on it");
    let missing = format!("network {} not found", world.named("web").attachments[0].network);
    refused(world.start("web"), Kind::NotFound, &missing);
    world.change(|spec, _| disconnect(spec, "front", "web", false)).expect("it is not active");
    let noted = format!("container {} is not connected to the network front", world.named("web").id);
    refused(world.change(|spec, _| disconnect(spec, "front", "web", true)), Kind::Internal, &noted);
    world.start("web").expect("nothing is missing");
    let gone = world.change(|spec, _| disconnect(spec, "front", "web", false));
    refused(gone, Kind::NotFound, "network front not found");
    refused(world.change(|spec, _| disconnect(spec, "front", "web", true)), Kind::Internal, &noted);
    let ghost = world.change(|spec, _| disconnect(spec, "back", "ghost", true));
    refused(ghost, Kind::NotFound, "endpoint ghost not found");
    let ghost = world.change(|spec, _| disconnect(spec, "back", "ghost", false));
    refused(ghost, Kind::NotFound, "No such container: ghost");
}

#[test]
fn who_was_on_a_network_with_names_keeps_the_resolver_until_it_stops() {
    let mut world = wide_world();
    world.sandbox("plain", "bridge", &[]).expect("a sandbox");
    let asks = |world: &World| world.spec.has_resolver(world.named("plain"));
    assert!(!asks(&world), "the default network has no names");
    world.connect("back", "plain", None).expect("it joins");
    assert!(asks(&world));
    world.change(|spec, _| disconnect(spec, "back", "plain", false)).expect("it parts");
    assert!(asks(&world), "programs know it as their resolver");
    world.stop("plain", 0);
    world.start("plain").expect("it starts");
    assert!(!asks(&world));
}
