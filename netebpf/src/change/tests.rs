//! Requests as users make them, and what they come to.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use proptest::prelude::*;

use super::*;
use crate::model::{Endpoint, Name, Process, PublishRequest, Sandbox, SandboxState, Spec};

/// A spec and the outside world of its changes.
#[derive(Default)]
struct World {
    spec: Spec,
    host_routes: Vec<IpNet>,
    drawn: u32,
}

impl World {
    /// Runs a change; a refusal must leave the spec alone.
    #[track_caller]
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Spec, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = self.spec.clone();
        let mut entropy = || {
            self.drawn += 1;
            let mut bytes = [0xee; 32];
            bytes[..4].copy_from_slice(&self.drawn.to_be_bytes());
            bytes
        };
        let mut context = Context { now: 1, entropy: &mut entropy, host_routes: &self.host_routes };
        let result = change(&mut self.spec, &mut context);
        if result.is_err() {
            assert_eq!(self.spec, before);
        }
        result
    }

    #[track_caller]
    fn network(&mut self, name: &str, subnet: Option<&str>) -> Result<crate::model::NetworkId, Error> {
        let subnet = subnet.map(net);
        self.change(|spec, context| {
            create_network(spec, NetworkRequest { subnet, ..network_request(name) }, context)
        })
    }

    #[track_caller]
    fn sandbox(
        &mut self,
        name: &str,
        network: &str,
        ports: &[&str],
    ) -> Result<crate::model::SandboxId, Error> {
        let ports = ports.iter().map(|port| port.parse().expect("the test gives ports")).collect();
        let request = SandboxRequest { ports, ..sandbox_request(name, network) };
        self.change(|spec, context| create_sandbox(spec, request, context))
    }

    #[track_caller]
    fn connect(&mut self, network: &str, sandbox: &str, address: Option<&str>) -> Result<(), Error> {
        let address = address.map(ip);
        self.change(|spec, context| connect(spec, network, sandbox, address, context))
    }

    fn named(&self, name: &str) -> &Sandbox {
        find_sandbox(&self.spec, name).expect("the test made it")
    }

    fn endpoints(&self, name: &str) -> Vec<String> {
        let show = |endpoint: &Endpoint| format!("{} {}", endpoint.interface, endpoint.addresses[0]);
        self.named(name).endpoints.iter().map(show).collect()
    }
}

fn net(text: &str) -> IpNet {
    text.parse().expect("the test gives a subnet")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("the test gives an address")
}

fn network_request(name: &str) -> NetworkRequest {
    NetworkRequest {
        name: Name::of_network(name).expect("the test gives a name"),
        subnet: None,
        gateway: None,
        internal: false,
        options: BTreeMap::new(),
        labels: BTreeMap::new(),
    }
}

fn sandbox_request(name: &str, network: &str) -> SandboxRequest {
    SandboxRequest {
        name: Name::of_sandbox(name).expect("the test gives a name"),
        command: vec!["sleep".to_owned()],
        network: network.to_owned(),
        address: None,
        ports: Vec::new(),
        auto_remove: false,
    }
}

/// A network `front` (10.1.0.0/24) with the running sandbox `web`.
fn small_world() -> World {
    let mut world = World::default();
    world.network("front", Some("10.1.0.0/24")).expect("a network");
    let web = world.sandbox("web", "front", &["8080:80"]).expect("a sandbox");
    mark_running(&mut world.spec, web, Process { pid: 1, start_time: 1 }).expect("it is there");
    world
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, kind: Kind, text: &str) {
    let error = result.expect_err(text);
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
}

#[test]
fn networks_without_subnet_take_dockers_pools_around_host_routes() {
    let mut world = World { host_routes: vec![net("172.18.0.0/24")], ..World::default() };
    for name in ["one", "two"] {
        world.network(name, None).expect("a network");
    }
    let gateways: BTreeSet<_> =
        world.spec.networks.values().map(|network| network.pools[0].gateway).collect();
    assert_eq!(gateways, BTreeSet::from([ip("172.17.0.1"), ip("172.19.0.1")]));
}

#[test]
fn bad_networks_are_refused() {
    let mut world = small_world();
    refused(world.network("front", None), Kind::Conflict, "network with name front already exists");
    let overlap = "invalid pool request: Pool overlaps with other one on this address space";
    refused(world.network("back", Some("10.0.0.0/8")), Kind::Forbidden, overlap);
    let host_bits = "invalid network config: invalid subnet 10.9.0.5/24: it should be 10.9.0.0/24";
    refused(world.network("back", Some("10.9.0.5/24")), Kind::InvalidParameter, host_bits);
    for unusable in
        ["0.0.0.0/0", "127.1.0.0/16", "224.0.0.0/24", "255.255.255.0/24", "fd00::/64", "0.0.0.0/24"]
    {
        let error = world.network("back", Some(unusable)).expect_err(unusable);
        assert!(matches!(error, Error::SubnetUnusable { .. }), "{error}");
    }
    let mut with_gateway = |subnet: Option<&str>, gateway| {
        let request =
            NetworkRequest { subnet: subnet.map(net), gateway: Some(ip(gateway)), ..network_request("back") };
        world.change(|spec, context| create_network(spec, request, context))
    };
    let outside = "invalid network config: invalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address";
    refused(with_gateway(Some("10.9.0.0/24"), "10.8.0.1"), Kind::InvalidParameter, outside);
    let reserved = "failed to allocate gateway (10.9.0.255): Address already in use";
    refused(with_gateway(Some("10.9.0.0/24"), "10.9.0.255"), Kind::Conflict, reserved);
    refused(
        with_gateway(None, "10.9.0.1"),
        Kind::InvalidParameter,
        "no matching subnet for gateway 10.9.0.1",
    );
}

#[test]
fn icc_is_an_option_and_unknown_docker_options_are_refused() {
    let mut world = World::default();
    let mut with_option = |name: &str, option: &str, value: &str| {
        let options = BTreeMap::from([(option.to_owned(), value.to_owned())]);
        let request = NetworkRequest { options, ..network_request(name) };
        let id = world.change(|spec, context| create_network(spec, request, context))?;
        Ok(world.spec.networks[&id].icc)
    };
    assert_eq!(with_option("quiet", "com.docker.network.bridge.enable_icc", "false"), Ok(false));
    assert_eq!(with_option("loud", "com.docker.network.bridge.enable_icc", "1"), Ok(true));
    assert_eq!(with_option("theirs", "org.example.key", "any"), Ok(true));
    refused(
        with_option("x", "com.docker.network.bridge.enable_icc", "no"),
        Kind::InvalidParameter,
        "invalid value \"no\" of network option com.docker.network.bridge.enable_icc: it must be true or false",
    );
    let error = with_option("x", "com.docker.network.driver.mtu", "1400").expect_err("it is not supported");
    assert_eq!(error.kind(), Kind::InvalidParameter);
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

#[test]
fn things_are_found_by_id_name_and_unique_prefix() {
    let mut world = small_world();
    let id = world.named("web").id;
    for reference in [id.to_string(), "web".to_owned(), id.short()] {
        assert_eq!(find_sandbox(&world.spec, &reference).map(|sandbox| sandbox.id), Ok(id));
    }
    for reference in ["", "we", "zz"] {
        assert_eq!(find_sandbox(&world.spec, reference), Err(Error::SandboxNotFound(reference.to_owned())));
    }
    world.network("back", None).expect("a network");
    let ambiguous = "network 0000 is ambiguous (2 matches found based on ID prefix)";
    refused(find_network(&world.spec, "0000").cloned(), Kind::InvalidParameter, ambiguous);
}

#[test]
fn interfaces_and_addresses_take_the_lowest_free_number() {
    let mut world = small_world();
    world.network("back", Some("10.2.0.0/29")).expect("a network");
    world.network("side", Some("10.3.0.0/24")).expect("a network");
    world.connect("back", "web", None).expect("it joins");
    assert_eq!(world.endpoints("web"), ["eth0 10.1.0.2", "eth1 10.2.0.2"]);
    world.change(|spec, _| disconnect(spec, "front", "web")).expect("it parts");
    world.connect("side", "web", Some("10.3.0.77")).expect("it joins");
    assert_eq!(world.endpoints("web"), ["eth1 10.2.0.2", "eth0 10.3.0.77"]);
}

#[test]
fn bad_joins_are_refused() {
    let mut world = small_world();
    world.sandbox("db", "front", &[]).expect("a sandbox");
    world.network("tiny", Some("10.2.0.0/31")).expect("a network");
    let already = "endpoint with name web already exists in network front";
    refused(world.connect("front", "web", None), Kind::Forbidden, already);
    let outside = "invalid endpoint settings: no configured subnet contains IP address 10.9.0.1";
    refused(world.connect("tiny", "web", Some("10.9.0.1")), Kind::InvalidParameter, outside);
    refused(
        world.connect("tiny", "web", Some("10.2.0.0")),
        Kind::Conflict,
        "Address already in use: 10.2.0.0",
    );
    world.connect("tiny", "web", None).expect("one address is left");
    let tiny = find_network(&world.spec, "tiny").expect("it is there").id;
    let exhausted = format!("no available IPv4 addresses on this network's address pools: tiny ({tiny})");
    refused(world.connect("tiny", "db", None), Kind::Exhausted, &exhausted);
    refused(world.connect("none", "db", None), Kind::NotFound, "network none not found");
    refused(world.connect("tiny", "none", None), Kind::NotFound, "No such container: none");
    let db = world.named("db").id;
    let parted = format!("container {db} is not connected to network tiny");
    refused(world.change(|spec, _| disconnect(spec, "tiny", "db")), Kind::Forbidden, &parted);
    mark_exited(&mut world.spec, db, 0).expect("it is there");
    refused(world.connect("tiny", "db", None), Kind::Conflict, &format!("container {db} is not running"));
}

#[test]
fn bad_sandboxes_are_refused() {
    let mut world = small_world();
    let web = world.named("web").id;
    let taken = format!(
        "Conflict. The container name \"/web\" is already in use by container \"{web}\". \
         You have to remove (or rename) that container to be able to reuse that name."
    );
    refused(world.sandbox("web", "front", &[]), Kind::Conflict, &taken);
    refused(world.sandbox("db", "none", &[]), Kind::NotFound, "network none not found");
    let port = "Bind for 0.0.0.0:8080 failed: port is already allocated";
    refused(world.sandbox("db", "front", &["8080:80"]), Kind::Conflict, port);
    let specific = "Bind for 127.0.0.1:8080 failed: port is already allocated";
    refused(world.sandbox("db", "front", &["127.0.0.1:8080:80"]), Kind::Conflict, specific);
    let twice = "Bind for 0.0.0.0:9090 failed: port is already allocated";
    refused(world.sandbox("db", "front", &["9090:80", "9090:81"]), Kind::Conflict, twice);
    let family = "invalid IP address: ::1, ports can be published on IPv4 addresses only";
    refused(world.sandbox("db", "front", &["[::1]:9090:80"]), Kind::InvalidParameter, family);
    let idle = SandboxRequest { command: Vec::new(), ..sandbox_request("db", "front") };
    refused(
        world.change(|spec, context| create_sandbox(spec, idle, context)),
        Kind::InvalidParameter,
        "no command specified",
    );
    world.sandbox("db", "front", &["8080:80/udp", "8081:80"]).expect("another protocol and another port");
}

#[test]
fn automatic_ports_avoid_named_ones() {
    let mut world = small_world();
    world.sandbox("db", "front", &["80", "81", "32768:82"]).expect("a sandbox");
    let ports: Vec<String> = world.named("db").ports.iter().map(ToString::to_string).collect();
    assert_eq!(ports, ["0.0.0.0:32768->82/tcp", "0.0.0.0:32769->80/tcp", "0.0.0.0:32770->81/tcp"]);
}

#[test]
fn an_exited_sandbox_gives_back_address_and_ports() {
    let mut world = small_world();
    let web = world.named("web").id;
    let running = "cannot remove container \"/web\": container is running: \
                   stop the container before removing or force remove";
    refused(world.change(|spec, _| remove_sandbox(spec, "web", false)), Kind::Conflict, running);
    mark_exited(&mut world.spec, web, 3).expect("it is there");
    assert_eq!(world.named("web").state, SandboxState::Exited(3));
    world.sandbox("db", "front", &["8080:80"]).expect("all is free");
    assert_eq!(world.endpoints("db"), ["eth0 10.1.0.2"]);
    world.change(|spec, _| remove_sandbox(spec, "web", false)).expect("it has exited");
    let passing = SandboxRequest { auto_remove: true, ..sandbox_request("once", "front") };
    let once = world.change(|spec, context| create_sandbox(spec, passing, context)).expect("a sandbox");
    mark_exited(&mut world.spec, once, 0).expect("it is there");
    refused(find_sandbox(&world.spec, "once").cloned(), Kind::NotFound, "No such container: once");
}

/// One of a few requests that may or may not fit together.
fn perform(world: &mut World, request: (u8, usize, usize)) {
    let (kind, one, other) = request;
    let (network, sandbox) = (format!("net{one}"), format!("box{other}"));
    let ports: Vec<String> = vec![format!("{}:80", 8000 + one), "81".to_owned()];
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    let refusal = match kind {
        0 => world.network(&network, Some(&format!("10.{one}.0.0/29"))).err(),
        1 => world.sandbox(&sandbox, &network, &ports).err(),
        2 => world.connect(&network, &sandbox, None).err(),
        3 => world.change(|spec, _| disconnect(spec, &network, &sandbox)).err(),
        4 => world.change(|spec, _| remove_sandbox(spec, &sandbox, true)).err(),
        5 => world.change(|spec, _| remove_network(spec, &network)).err(),
        _ => find_sandbox(&world.spec, &sandbox)
            .map(|sandbox| sandbox.id)
            .ok()
            .and_then(|id| world.change(|spec, _| mark_exited(spec, id, 0)).err()),
    };
    if let Some(error) = refusal {
        assert_ne!(error.to_string(), "");
    }
}

proptest! {
    #[test]
    fn no_address_port_interface_or_link_is_given_twice(
        requests in prop::collection::vec((0..7_u8, 0..3_usize, 0..8_usize), 0..80),
    ) {
        let mut world = World::default();
        for request in requests {
            perform(&mut world, request);
            let (mut addresses, mut interfaces, mut links) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            for (sandbox, endpoint, network) in world.spec.active_endpoints() {
                let pool = &network.pools[0];
                let address = endpoint.addresses[0];
                prop_assert!(pool.subnet.contains(&address) && address != pool.gateway && addresses.insert(address));
                prop_assert!(interfaces.insert((sandbox.id, &endpoint.interface)) && links.insert(endpoint.link_name()));
            }
            let active = world.spec.sandboxes.values().filter(|sandbox| sandbox.is_active());
            let ports: Vec<_> = active.flat_map(|sandbox| sandbox.ports.clone()).collect();
            for (index, port) in ports.iter().enumerate() {
                prop_assert!(!ports[..index].iter().any(|other| other.conflicts_with(port)));
            }
            let known = |endpoint: &Endpoint| world.spec.networks.contains_key(&endpoint.network);
            prop_assert!(world.spec.endpoints().all(|(_, endpoint)| known(endpoint)));
        }
    }

    /// Requests that name their subnets, addresses and ports commute.
    #[test]
    fn the_order_of_independent_requests_does_not_matter(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let result = |order: &[usize]| {
            let mut world = World::default();
            for name in ["front", "back"] {
                let subnet = if name == "front" { "10.1.0.0/24" } else { "10.2.0.0/24" };
                world.network(name, Some(subnet)).expect("a network");
            }
            for &number in order {
                // Identifiers come from the request, not from its place.
                world.drawn = 1000 * u32::try_from(number).expect("a small number");
                let network = if number % 2 == 0 { "front" } else { "back" };
                let address = Some(ip(&format!("10.{}.0.{}", 1 + number % 2, 10 + number)));
                let ports: Vec<PublishRequest> = vec![format!("{}:80", 8000 + number).parse().expect("a port")];
                let request = SandboxRequest { address, ports, ..sandbox_request(&format!("box{number}"), network) };
                world.change(|spec, context| create_sandbox(spec, request, context)).expect("a sandbox");
            }
            world.spec
        };
        prop_assert_eq!(result(&order), result(&[0, 1, 2, 3, 4, 5]));
    }
}
