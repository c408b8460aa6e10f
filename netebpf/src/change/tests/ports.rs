//! Which ports sandboxes get, and whom they may link to.

use super::*;

#[test]
fn automatic_ports_avoid_named_ones_and_those_of_other_programs() {
    let mut world = World { foreign_ports: vec![32770], ..small_world() };
    world.sandbox("db", "front", &["80", "81", "32768:82"]).expect("a sandbox");
    assert_eq!(
        world.ports("db"),
        ["0.0.0.0:32768->82/tcp", "0.0.0.0:32769->80/tcp", "0.0.0.0:32771->81/tcp"]
    );
}

#[test]
fn a_port_without_host_address_is_the_same_on_both_ip_versions() {
    let mut world = World { has_ipv6: true, ..small_world() };
    world.sandbox("db", "front", &["[::]:32768:1", "80"]).expect("a sandbox");
    assert_eq!(world.ports("db"), ["0.0.0.0:32769->80/tcp", "[::]:32768->1/tcp", "[::]:32769->80/tcp"]);
    world.sandbox("v4", "front", &["0.0.0.0:9000:80"]).expect("a sandbox");
    assert_eq!(world.ports("v4"), ["0.0.0.0:9000->80/tcp"]);
    world.sandbox("v6", "front", &["[::]:9000:80"]).expect("IPv6 sockets are IPv6 only");
    let taken = "Bind for :::9000 failed: port is already allocated";
    refused(world.sandbox("late", "front", &["[::1]:9000:80"]), Kind::Internal, taken);
}

#[test]
fn a_range_is_given_whole_or_one_port_of_it() {
    let mut world = World { foreign_ports: vec![9001], ..small_world() };
    world.sandbox("many", "front", &["8000-8010:80-90", "7000:7000/sctp"]).expect("a sandbox");
    assert_eq!(world.ports("many"), ["0.0.0.0:7000->7000/sctp", "0.0.0.0:8000-8010->80-90/tcp"]);
    let taken = "Bind for 0.0.0.0:8005 failed: port is already allocated";
    refused(world.sandbox("one", "front", &["8005-8015:5-15"]), Kind::Internal, taken);
    for (name, port) in [("first", 9000), ("second", 9002)] {
        world.sandbox(name, "front", &["9000-9002:80"]).expect("a sandbox");
        assert_eq!(world.ports(name), [format!("0.0.0.0:{port}->80/tcp")]);
    }
    refused(world.sandbox("third", "front", &["9000-9002:80"]), Kind::Internal, "all ports are allocated");
    world.sandbox("auto", "front", &["80-82"]).expect("a sandbox");
    assert_eq!(world.ports("auto"), ["0.0.0.0:32768-32770->80-82/tcp"]);
}

#[test]
fn ten_thousand_ports_are_found_in_no_time() {
    let mut world = World { has_ipv6: true, ..small_world() };
    world.sandbox("many", "front", &["10000-19999"]).expect("a sandbox");
    assert_eq!(world.ports("many").len(), 2);
    world.sandbox("more", "front", &["1-10000"]).expect("a sandbox");
    assert_eq!(world.ports("more")[0], "0.0.0.0:42768-52767->1-10000/tcp");
}

#[test]
fn a_network_says_where_ports_without_host_address_are_published() {
    let mut world = World { has_ipv6: true, ..World::default() };
    for (number, binding, wanted) in
        [(1, "127.0.0.1", "127.0.0.1:8080->80/tcp"), (2, "::", "[::]:8080->80/tcp")]
    {
        let options = [("com.docker.network.bridge.host_binding_ipv4".to_owned(), binding.to_owned())];
        let (network, sandbox) = (format!("net{number}"), format!("box{number}"));
        world
            .make_network(NetworkRequest { options: options.into(), ..network_request(&network) })
            .expect("a network");
        world.sandbox(&sandbox, &network, &["8080:80"]).expect("a sandbox");
        assert_eq!(world.ports(&sandbox), [wanted]);
    }
}

#[test]
fn routed_and_internal_networks_take_no_host_ports() {
    let mut world = small_world();
    let routed = [("com.docker.network.bridge.gateway_mode_ipv4".to_owned(), "routed".to_owned())];
    world
        .make_network(NetworkRequest { options: routed.into(), ..network_request("routed") })
        .expect("a network");
    world.make_network(NetworkRequest { internal: true, ..network_request("inner") }).expect("a network");
    world.sandbox("open", "routed", &["8080:80"]).expect("the host has no part in it");
    world.sandbox("shut", "inner", &["8080:80"]).expect("nothing is bound");
    let taken = "Bind for 0.0.0.0:8080 failed: port is already allocated";
    refused(world.connect("front", "shut", None), Kind::Internal, taken);
}

#[test]
fn all_exposed_ports_are_published_if_the_user_says_so() {
    let mut world = small_world();
    let mut request = sandbox_request("db", "front");
    request.config.publish_all = true;
    request.config.exposed = ["80-82", "80/udp"].map(|text| text.parse().expect("ports")).into();
    request.config.publish = vec!["9000:81".parse().expect("a port")];
    world.run(request).expect("a sandbox");
    assert_eq!(
        world.ports("db"),
        ["0.0.0.0:9000->81/tcp", "0.0.0.0:32768->80/tcp", "0.0.0.0:32768->80/udp", "0.0.0.0:32769->82/tcp"]
    );
}
