//! Requests as users make them, and what they come to.

mod configurations;
mod default_bridge;
mod joining;
mod life;
mod networks;
mod ports;
mod properties;
mod refusals;

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;
use netebpf_common::abi::{Family, Mac};

use super::*;
use crate::{
    ipam::PoolRequest,
    model::{
        AddressWishes, DefaultPool, Endpoint, EndpointSettings, EngineOptions, Name, NetworkId, Process,
        Sandbox, SandboxConfig, SandboxState, Spec,
    },
};

/// A spec and the outside world of its changes.
#[derive(Default)]
struct World {
    spec: Spec,
    host_routes: Vec<IpNet>,
    has_ipv6: bool,
    /// Names of links that are no bridges.
    other_links: Vec<&'static str>,
    /// Ports that other programs have.
    foreign_ports: Vec<u16>,
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
        let host = HostView {
            subnets: Sources {
                pools: &DefaultPool::dockers(),
                own_prefix: crate::ipam::ula([1, 2, 3, 4, 5]),
                avoided: &self.host_routes,
            },
            is_other_link: &|name| self.other_links.contains(&name),
            has_ipv6: self.has_ipv6,
            is_free: &|key| !self.foreign_ports.contains(&key.port.number()),
        };
        let mut context = Context { now: 1, entropy: &mut entropy, host: &host };
        let result = change(&mut self.spec, &mut context);
        if result.is_err() {
            assert_eq!(self.spec, before);
        }
        result
    }

    #[track_caller]
    fn network(&mut self, name: &str, subnet: Option<&str>) -> Result<NetworkId, Error> {
        let pools: Vec<_> = subnet.into_iter().map(pool_request).collect();
        self.make_network(NetworkRequest { pools, ..network_request(name) })
    }

    #[track_caller]
    fn make_network(&mut self, request: NetworkRequest) -> Result<NetworkId, Error> {
        self.change(|spec, context| create_network(spec, request, context))
    }

    #[track_caller]
    fn sandbox(
        &mut self,
        name: &str,
        network: &str,
        ports: &[&str],
    ) -> Result<crate::model::SandboxId, Error> {
        let mut request = sandbox_request(name, network);
        request.config.publish =
            ports.iter().map(|port| port.parse().expect("the test gives ports")).collect();
        self.run(request)
    }

    /// Makes a sandbox and starts it, both or nothing.
    #[track_caller]
    fn run(&mut self, request: SandboxRequest) -> Result<crate::model::SandboxId, Error> {
        self.change(|spec, context| {
            let mut wanted = spec.clone();
            let id = create_sandbox(&mut wanted, request, context)?;
            start_sandbox(&mut wanted, &id.to_string(), PROCESS, context)?;
            mark_running(&mut wanted, id, Some(PROCESS), 2)?;
            *spec = wanted;
            Ok(id)
        })
    }

    #[track_caller]
    fn start(&mut self, name: &str) -> Result<(), Error> {
        let id = self.change(|spec, context| start_sandbox(spec, name, PROCESS, context))?;
        self.change(|spec, _| mark_running(spec, id, Some(PROCESS), 3))
    }

    #[track_caller]
    fn stop(&mut self, name: &str, code: i32) {
        let id = self.named(name).id;
        self.change(|spec, _| mark_exited(spec, id, code, 4)).expect("it is there");
    }

    #[track_caller]
    fn connect(&mut self, network: &str, sandbox: &str, address: Option<&str>) -> Result<(), Error> {
        let settings = EndpointSettings { addresses: wishes(address), ..EndpointSettings::default() };
        self.change(|spec, context| connect(spec, network, sandbox, settings, context))
    }

    fn named(&self, name: &str) -> &Sandbox {
        find_sandbox(&self.spec, name).expect("the test made it")
    }

    /// What a sandbox publishes, as `ps` shows it.
    fn ports(&self, name: &str) -> Vec<String> {
        self.named(name).ports.iter().map(ToString::to_string).collect()
    }

    fn endpoints(&self, name: &str) -> Vec<String> {
        let show = |endpoint: &Endpoint| format!("{} {}", endpoint.interface, endpoint.addresses[0]);
        self.named(name).endpoints().map(show).collect()
    }
}

fn net(text: &str) -> IpNet {
    text.parse().expect("the test gives a subnet")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("the test gives an address")
}

fn pool_request(subnet: &str) -> PoolRequest {
    PoolRequest { subnet: subnet.to_owned(), ..PoolRequest::default() }
}

fn wishes(address: Option<&str>) -> Option<AddressWishes> {
    address.map(ip).map(|address| match address {
        IpAddr::V4(_) => AddressWishes { v4: Some(address), ..AddressWishes::default() },
        IpAddr::V6(_) => AddressWishes { v6: Some(address), ..AddressWishes::default() },
    })
}

fn network_request(name: &str) -> NetworkRequest {
    NetworkRequest::named(Name::of_network(name).expect("the test gives a name"))
}

fn sandbox_request(name: &str, network: &str) -> SandboxRequest {
    SandboxRequest {
        name: Some(Name::of_sandbox(name).expect("the test gives a name")),
        mode: ModeRequest::Own,
        networks: vec![AttachRequest { network: network.to_owned(), settings: EndpointSettings::default() }],
        links: Vec::new(),
        config: SandboxConfig { command: vec!["sleep".to_owned()], ..SandboxConfig::default() },
    }
}

const PROCESS: Process = Process { pid: 1, start_time: 1 };

/// A network `front` (10.1.0.0/24) with the running sandbox `web`.
fn small_world() -> World {
    let mut world = World::default();
    world.network("front", Some("10.1.0.0/24")).expect("a network");
    world.sandbox("web", "front", &["8080:80"]).expect("a sandbox");
    world
}

/// What is wrong, without saying that it happened at a start.
fn cause(error: Error) -> Error {
    if let Error::Networking(source) | Error::External { source, .. } = error {
        cause(*source)
    } else {
        error
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, kind: Kind, text: &str) {
    let error = result.expect_err(text);
    let kind_of = error.kind();
    assert_eq!((kind_of, cause(error).to_string().as_str()), (kind, text));
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
    world.change(|spec, _| disconnect(spec, "front", "web", false)).expect("it parts");
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
    let outside = "invalid endpoint settings:\nno configured subnet contains IP address 10.9.0.1";
    refused(world.connect("tiny", "web", Some("10.9.0.1")), Kind::InvalidParameter, outside);
    refused(world.connect("tiny", "web", Some("10.2.0.0")), Kind::Forbidden, "Address already in use");
    world.connect("tiny", "web", None).expect("one address is left");
    let tiny = find_network(&world.spec, "tiny").expect("it is there").id;
    let exhausted = format!("no available IPv4 addresses on this network's address pools: tiny ({tiny})");
    refused(world.connect("tiny", "db", None), Kind::Internal, &exhausted);
    refused(world.connect("none", "db", None), Kind::NotFound, "network none not found");
    refused(world.connect("tiny", "none", None), Kind::NotFound, "No such container: none");
    let db = world.named("db").id;
    let parted = format!("container {db} is not connected to network tiny");
    refused(world.change(|spec, _| disconnect(spec, "tiny", "db", false)), Kind::Internal, &parted);
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
    refused(world.sandbox("db", "front", &["8080:80"]), Kind::Internal, port);
    refused(world.sandbox("db", "front", &["127.0.0.1:8080:80"]), Kind::Internal, port);
    let twice = "Bind for 0.0.0.0:9090 failed: port is already allocated";
    refused(world.sandbox("db", "front", &["9090:80", "9090:81"]), Kind::Internal, twice);
    let mut idle = sandbox_request("db", "front");
    idle.config.command.clear();
    refused(world.run(idle), Kind::InvalidParameter, "no command specified");
    world.sandbox("db", "front", &["8080:80/udp", "8081:80"]).expect("another protocol and another port");
}

#[test]
fn endpoints_have_an_address_of_each_ip_version() {
    let mut world = small_world();
    let request = NetworkRequest {
        ipv6: Some(true),
        pools: vec![pool_request("10.2.0.0/24"), pool_request("fd00:2::/126")],
        ..network_request("dual")
    };
    world.make_network(request).expect("a network");
    let addresses = |world: &World, name: &str| {
        let addresses = &world.named(name).endpoints().last().expect("an endpoint").addresses;
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    world.sandbox("one", "dual", &[]).expect("a sandbox");
    assert_eq!(addresses(&world, "one"), "10.2.0.2 fd00:2::2");
    world.connect("dual", "web", Some("fd00:2::3")).expect("it joins");
    assert_eq!(addresses(&world, "web"), "10.2.0.3 fd00:2::3");
    let dual = find_network(&world.spec, "dual").expect("it is there").id;
    let exhausted = format!("no available IPv6 addresses on this network's address pools: dual ({dual})");
    refused(world.sandbox("late", "dual", &[]), Kind::Internal, &exhausted);
    world.sandbox("db", "front", &[]).expect("a sandbox");
    refused(world.connect("dual", "db", Some("fd00:2::2")), Kind::Forbidden, "Address already in use");
    let outside = "invalid endpoint settings:\nno configured subnet contains IP address fd00:9::1";
    refused(world.connect("dual", "db", Some("fd00:9::1")), Kind::InvalidParameter, outside);
}

#[test]
fn an_exited_sandbox_gives_back_address_and_ports() {
    let mut world = small_world();
    let running = "cannot remove container \"web\": container is running: \
                   stop the container before removing or force remove";
    refused(world.change(|spec, _| remove_sandbox(spec, "web", false)), Kind::Conflict, running);
    world.stop("web", 3);
    assert_eq!(world.named("web").state, SandboxState::Exited { code: 3, started: 2, finished: 4 });
    assert_eq!((world.endpoints("web").len(), world.ports("web").len()), (0, 0));
    world.sandbox("db", "front", &["8080:80"]).expect("all is free");
    assert_eq!(world.endpoints("db"), ["eth0 10.1.0.2"]);
    world.change(|spec, _| remove_sandbox(spec, "web", false)).expect("it has exited");
}
