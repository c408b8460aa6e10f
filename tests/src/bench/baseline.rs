//! What netebpf is compared with: a bare veth pair, and a bridge with the iptables rules of Docker 20.10.
//!
//! ```text
//!   near ──eth0── far          client ──eth0── host ──br-docker─┬─ container
//!                                                               └─ neighbour
//! ```

use std::{
    io::Write as _,
    net::Ipv4Addr,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv4Net;

use super::{Carrier, Course, ECHO, Route, SERVICES, SINK};
use crate::{
    links,
    netns::Namespace,
    probe::Server,
    topology::{HOST, World},
    wait,
};

const BRIDGE: &str = "br-docker";
const GATEWAY: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 1);
const CONTAINER: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 2);
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 3);
const PREFIX: u8 = 16;

/// The carriers that netebpf is compared with, in worlds of their own.
#[derive(Debug)]
pub struct Baselines {
    bare: BarePair,
    docker: DockerLike,
}

impl Baselines {
    /// Sets up both and starts their servers.
    pub fn new() -> Result<Self> {
        Ok(Self { bare: BarePair::new()?, docker: DockerLike::new()? })
    }

    /// Both carriers between containers, then both from outside; the bare pair has no inside and is the same
    /// twice.
    #[must_use]
    pub fn courses(&self) -> [Course<'_>; 4] {
        use Carrier::{BareVethPair, BridgeWithIptables};
        use Route::{ClientToPublishedPort, ContainerToContainer};

        let Self { bare, docker } = self;
        let course = |route, carrier, from, to| Course { route, carrier, from, to };
        [
            course(ContainerToContainer, BareVethPair, &bare.near, CONTAINER),
            course(ContainerToContainer, BridgeWithIptables, &docker.neighbour, CONTAINER),
            course(ClientToPublishedPort, BareVethPair, &bare.near, CONTAINER),
            course(ClientToPublishedPort, BridgeWithIptables, &docker.world.client, HOST),
        ]
    }
}

/// Two namespaces with nothing but a cable between them.
#[derive(Debug)]
struct BarePair {
    _server: Server,
    near: Namespace,
    _far: Namespace,
    _world: World,
}

impl BarePair {
    fn new() -> Result<Self> {
        let world = World::new("bare")?;
        let [near, far] = [machine(&world, "near")?, machine(&world, "far")?];
        links::join((&near, "eth0"), (&far, "eth0"))?;
        near.address("eth0", Ipv4Net::new(NEIGHBOUR, PREFIX)?)?;
        far.address("eth0", Ipv4Net::new(CONTAINER, PREFIX)?)?;
        let server = Server::start(&world.probe(), &far, &SERVICES)?;
        Ok(Self { _server: server, near, _far: far, _world: world })
    }
}

/// A host as Docker leaves it: a bridge with two containers, one of which has its ports published.
#[derive(Debug)]
struct DockerLike {
    _server: Server,
    _container: Namespace,
    neighbour: Namespace,
    world: World,
}

impl DockerLike {
    fn new() -> Result<Self> {
        let world = World::new("iptables")?;
        let host = &world.host;
        host.bridge(BRIDGE)?;
        host.address(BRIDGE, Ipv4Net::new(GATEWAY, PREFIX)?)?;
        host.sysctl("ipv4/ip_forward", "1")?;
        let container = plugged(&world, "container", CONTAINER)?;
        let neighbour = plugged(&world, "neighbour", NEIGHBOUR)?;
        if Path::new("/proc/sys/net/bridge").exists() {
            host.sysctl("bridge/bridge-nf-call-iptables", "1")?;
        }
        restore(host, &rules()?)?;
        let server = Server::start(&world.probe(), &container, &SERVICES)?;
        Ok(Self { _server: server, _container: container, neighbour, world })
    }
}

fn machine(world: &World, name: &str) -> Result<Namespace> {
    Namespace::create(&world.directory().join("machines"), name)
}

fn plugged(world: &World, name: &str, address: Ipv4Addr) -> Result<Namespace> {
    let container = machine(world, name)?;
    links::join((&world.host, name), (&container, "eth0"))?;
    world.host.enslave(name, BRIDGE)?;
    container.address("eth0", Ipv4Net::new(address, PREFIX)?)?;
    container.route(Ipv4Net::default(), GATEWAY)?;
    Ok(container)
}

/// The rules in the format of `iptables-restore`, in Docker's order.
fn rules() -> Result<String> {
    let subnet = Ipv4Net::new(GATEWAY, PREFIX)?.trunc();
    let each_port = |rule: &dyn Fn(u16) -> String| [ECHO, SINK].map(rule).join("\n");
    let hairpin = each_port(&|port| {
        format!("-A POSTROUTING -s {CONTAINER} -d {CONTAINER} -p tcp --dport {port} -j MASQUERADE")
    });
    let translate = each_port(&|port| {
        format!("-A DOCKER ! -i {BRIDGE} -p tcp --dport {port} -j DNAT --to-destination {CONTAINER}:{port}")
    });
    let allow = each_port(&|port| {
        format!("-A DOCKER -d {CONTAINER} ! -i {BRIDGE} -o {BRIDGE} -p tcp --dport {port} -j ACCEPT")
    });
    Ok(format!(
        "*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s {subnet} ! -o {BRIDGE} -j MASQUERADE
{hairpin}
-A DOCKER -i {BRIDGE} -j RETURN
{translate}
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o {BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o {BRIDGE} -j DOCKER
-A FORWARD -i {BRIDGE} ! -o {BRIDGE} -j ACCEPT
-A FORWARD -i {BRIDGE} -o {BRIDGE} -j ACCEPT
{allow}
-A DOCKER-ISOLATION-STAGE-1 -i {BRIDGE} ! -o {BRIDGE} -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o {BRIDGE} -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
"
    ))
}

fn restore(host: &Namespace, rules: &str) -> Result<()> {
    let mut command = Command::new("iptables-restore");
    command.arg("--wait").stdin(Stdio::piped());
    let mut process = host.spawn(command).context("iptables is needed for the comparison")?;
    let mut input = process.child().stdin.take().context("iptables-restore has no input")?;
    input.write_all(rules.as_bytes())?;
    drop(input);
    let status = process.wait(wait::LONG)?;
    ensure!(status.success(), "iptables-restore ended with {status}");
    Ok(())
}
