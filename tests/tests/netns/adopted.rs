//! A bridge of the user's that a network uses, and what is plugged into it: machines beside the sandboxes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use anyhow::{Context as _, Result, ensure};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netebpf_tests::{
    frame::{self, protocol},
    links,
    netns::Namespace,
    probe::{Answer, BRIEF, PATIENT, Server, Service, ping, tcp},
    topology::{HOST, SERVER},
    wait,
    wire::Wire,
};

use crate::{
    network_options::{create, has, option},
    scene::{NET, Scene, address_like, carries, client_reaches, tap},
};

/// A bridge of the user's with an address of its own, and a router plugged into it.
struct Lan<'a> {
    host: &'a Namespace,
    router: Namespace,
    own: IpNet,
}

impl<'a> Lan<'a> {
    const NAME: &'static str = "lan0";
    const PORT: &'static str = "port0";
    const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 73, 0, 254);
    const ROUTER6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x73, 0, 0, 0, 0, 0, 0xfe);

    fn new(scene: &'a Scene) -> Result<Self> {
        let (host, router) = (&scene.world.host, scene.world.machine("router")?);
        let own = IpNet::V4(Ipv4Net::new(Ipv4Addr::new(192, 168, 73, 5), 24)?);
        host.bridge(Self::NAME)?;
        host.address(Self::NAME, own)?;
        links::join((host, Self::PORT), (&router, "eth0"))?;
        host.enslave(Self::PORT, Self::NAME)?;
        router.address("eth0", Ipv6Net::new(Self::ROUTER6, 64)?)?;
        router.address("eth0", Ipv4Net::new(Self::ROUTER, 24)?)?;
        Ok(Self { host, router, own })
    }
}

impl Drop for Lan<'_> {
    /// The engine leaves these to their owner, and the harness looks for what is left.
    fn drop(&mut self) {
        for link in [Self::NAME, Self::PORT] {
            if let Err(error) = self.host.remove_link(link) {
                eprintln!("remove {link}: {error:#}");
            }
        }
    }
}

#[test]
fn sandboxes_leave_by_the_router_that_a_network_names() -> Result<()> {
    let scene = Scene::new("router", &["--bridge=none"])?;
    let lan = Lan::new(&scene)?;
    let gateways =
        [format!("DefaultGatewayIPv4={}", Lan::ROUTER), format!("DefaultGatewayIPv6={}", Lan::ROUTER6)];
    let arguments = [
        "--ipv6",
        "--subnet=10.73.0.0/24",
        "--subnet=fd00:73::/64",
        "--aux-address",
        &gateways[0],
        "--aux-address",
        &gateways[1],
    ];
    create(&scene, &arguments, &[option("bridge.name", Lan::NAME)], "lan")?;
    let sandbox = scene.run_in("lan", "box", &[], &[Service::Tcp(80)])?;

    let cable = Wire::tap(&lan.router, "eth0")?;
    let words = b"by another way";
    sandbox.namespace.run(|| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        Ok(socket.send_to(words, SocketAddr::from((SERVER, 9)))?)
    })?;
    let frame = cable.receive(PATIENT, |frame| carries(frame, words))?.context("the router got nothing")?;
    let (source, destination) = (frame.get(26..30), frame.get(30..34));
    ensure!(
        source == Some(&sandbox.address.octets()) && destination == Some(&SERVER.octets()),
        "{frame:02x?}"
    );

    let routes =
        sandbox.namespace.run(|| Ok(std::fs::read_to_string("/proc/thread-self/net/ipv6_route")?))?;
    let gateway = format!("{:032x}", Lan::ROUTER6.to_bits());
    ensure!(routes.contains(&gateway), "no IPv6 route by the router: {routes}");
    ensure!(has(&scene.world.host, Ipv4Addr::new(10, 73, 0, 1)), "the bridge has its own address");
    Ok(())
}

#[test]
fn a_bridge_of_the_users_is_used_and_given_back() -> Result<()> {
    let scene = Scene::new("adopted", &["--bridge=none"])?;
    let (host, lan) = (&scene.world.host, Lan::new(&scene)?);
    let before = host.mac(Lan::NAME)?;
    host.address(Lan::NAME, Ipv4Net::new(Ipv4Addr::new(10, 73, 0, 7), 24)?)?;
    create(&scene, &["--subnet=10.73.0.0/24"], &[option("bridge.name", Lan::NAME)], "lan")?;
    ensure!(has(host, lan.own.addr()), "the address of its owner is gone");
    ensure!(!has(host, Ipv4Addr::new(10, 73, 0, 7)), "two addresses in the network's subnet");
    let web = scene.run_in("lan", "web", &["-p", "8073:80"], &[Service::Tcp(80)])?;
    let peer = scene.run_in("lan", "peer", &[], &[Service::Tcp(80)])?;
    let seen = peer.namespace.run(|| tcp((web.address, 80).into(), PATIENT))?;
    ensure!(seen == Answer::seen("web", peer.address), "{seen}");
    client_reaches(&scene, (HOST, 8073).into(), "web")?;
    ensure!(host.mac(Lan::NAME)? == before, "its MAC changed with its ports");

    scene.engine.terminate()?;
    scene.engine.launch()?;
    client_reaches(&scene, (HOST, 8073).into(), "web")?;
    scene.engine.ok(&["rm", "-f", "web", "peer"])?;
    scene.engine.ok(&["network", "rm", "lan"])?;
    ensure!(host.links()?.contains(&Lan::NAME.to_owned()), "the bridge is gone with the network");
    ensure!(has(host, lan.own.addr()), "its address is gone with the network");
    let seen = host.run(|| tcp((Lan::ROUTER, 9).into(), PATIENT))?;
    ensure!(seen == Answer::Refused, "the router is out of reach: {seen}");
    Ok(())
}

impl Lan<'_> {
    /// The router's address of the same version as another.
    fn router_like(like: IpAddr) -> IpAddr {
        if like.is_ipv4() { Self::ROUTER.into() } else { Self::ROUTER6.into() }
    }

    /// Starts this on the router.
    fn serve(&self, scene: &Scene, services: &[Service]) -> Result<Server> {
        Server::start(&scene.world.probe(), &self.router, services)
    }
}

/// The addresses that the host has in the adopted bridge's network.
const GATEWAYS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(10, 73, 0, 1)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0x73, 0, 0, 0, 0, 0, 1))];
const SUBNETS: [&str; 3] = ["--ipv6", "--subnet=10.73.0.0/24", "--subnet=fd00:73::/64"];

/// Fails unless `from` gets this answer by TCP from port 80 of an address.
fn check(from: &Namespace, to: IpAddr, port: u16, expected: &Answer) -> Result<()> {
    let seen = from.run(|| tcp(SocketAddr::new(to, port), expected.patience()))?;
    ensure!(seen == *expected, "{} at {to}:{port}: {seen} instead of {expected}", from.name());
    Ok(())
}

#[test]
fn machines_on_an_adopted_bridge_sandboxes_and_the_host_reach_each_other() -> Result<()> {
    let mut scene = Scene::new("beside", &["--bridge=none"])?;
    scene.serve_on_host(&[Service::Tcp(99)])?;
    let lan = Lan::new(&scene)?;
    create(&scene, &SUBNETS, &[option("bridge.name", Lan::NAME)], "lan")?;
    let web = scene.run_in("lan", "web", &["-p", "8073:80"], &[Service::Tcp(80)])?;
    let other = scene.run("other", &["-p", "8074:80"], &[Service::Tcp(80)])?;
    let _served = lan.serve(&scene, &[Service::Tcp(80)])?;
    let host = &scene.world.host;
    let router = &lan.router;
    for gateway in GATEWAYS {
        router.route(IpNet::new(address_like(&other, gateway)?, 16)?.trunc(), gateway)?;
        let (machine, own) = (Lan::router_like(gateway), address_like(&web, gateway)?);
        check(&web.namespace, machine, 80, &Answer::seen("router", own))?;
        check(router, own, 80, &Answer::seen("web", machine))?;
        check(host, machine, 80, &Answer::seen("router", gateway))?;
        check(router, gateway, 99, &Answer::seen(host.name(), machine))?;
        ensure!(router.run(|| ping(own, PATIENT))? == Answer::Echoed, "{own} does not answer");
        // In its own network the server would answer around the host.
        check(router, gateway, 8073, &Answer::seen("web", gateway))?;
        check(router, gateway, 8074, &Answer::seen("other", machine))?;
        check(router, address_like(&other, gateway)?, 80, &Answer::TimedOut)?;
        check(&other.namespace, machine, 80, &Answer::TimedOut)?;
    }
    Ok(())
}

#[test]
fn a_machine_cannot_send_in_the_name_of_a_sandbox() -> Result<()> {
    let scene = Scene::new("pretender", &["--bridge=none"])?;
    let lan = Lan::new(&scene)?;
    create(&scene, &SUBNETS, &[option("bridge.name", Lan::NAME)], "lan")?;
    let [victim, other] = ["victim", "other"].map(|name| scene.run_in("lan", name, &[], &[Service::Udp(9)]));
    let (victim, other) = (victim?, other?);
    let (from, to) = (Wire::tap(&lan.router, "eth0")?, tap(&victim)?);
    for like in GATEWAYS {
        let target = SocketAddr::new(address_like(&victim, like)?, 9);
        let send = |source: IpAddr, words: &[u8]| -> Result<_> {
            let datagram = frame::udp(SocketAddr::new(source, 9), target, words);
            let packet = frame::ip(source, target.ip(), protocol::UDP, &datagram);
            from.send(&frame::around(to.mac()?, from.mac()?, &packet))?;
            to.receive(if words == b"honest" { PATIENT } else { BRIEF }, |frame| carries(frame, words))
        };
        ensure!(send(Lan::router_like(like), b"honest")?.is_some(), "{like}: an honest datagram is lost");
        let before = scene.dropped("spoofed")?;
        ensure!(send(address_like(&other, like)?, b"forged")?.is_none(), "{like}: a forged one arrived");
        scene.counts_more("spoofed", before)?;
    }
    Ok(())
}

#[test]
fn sandboxes_are_answered_by_the_router_that_a_network_names() -> Result<()> {
    let scene = Scene::new("answered", &["--bridge=none"])?;
    let lan = Lan::new(&scene)?;
    let gateway = format!("DefaultGatewayIPv4={}", Lan::ROUTER);
    let arguments = ["--subnet=10.73.0.0/24", "--aux-address", &gateway];
    create(&scene, &arguments, &[option("bridge.name", Lan::NAME)], "lan")?;
    let beyond = Ipv4Addr::new(203, 0, 113, 80);
    lan.router.address("lo", Ipv4Net::new(beyond, 32)?)?;
    let _served = lan.serve(&scene, &[Service::Tcp(80)])?;
    let inside = scene.run_in("lan", "box", &[], &[Service::Tcp(80)])?;
    check(&inside.namespace, beyond.into(), 80, &Answer::seen("router", inside.address))
}

#[test]
fn icc_off_keeps_machines_and_sandboxes_apart_too() -> Result<()> {
    let scene = Scene::new("apart", &["--bridge=none"])?;
    let lan = Lan::new(&scene)?;
    let options = [option("bridge.name", Lan::NAME), option("bridge.enable_icc", "false")];
    create(&scene, &SUBNETS, &options, "lan")?;
    let web = scene.run_in("lan", "web", &["-p", "8073:80"], &[Service::Tcp(80)])?;
    let _served = lan.serve(&scene, &[Service::Tcp(80)])?;
    for gateway in GATEWAYS {
        check(&web.namespace, Lan::router_like(gateway), 80, &Answer::TimedOut)?;
        check(&lan.router, address_like(&web, gateway)?, 80, &Answer::TimedOut)?;
        check(&lan.router, gateway, 8073, &Answer::seen("web", gateway))?;
    }
    Ok(())
}

#[test]
fn a_machine_may_be_plugged_into_a_networks_own_bridge_and_out_again() -> Result<()> {
    let scene = Scene::new("plugged", &[])?;
    let (host, machine) = (&scene.world.host, scene.world.machine("machine")?);
    let network = scene.network()?;
    let bridge = host.link_of(network.gateway.into())?;
    let web = scene.run("web", &[], &[Service::Tcp(80)])?;
    links::join((host, "port0"), (&machine, "eth0"))?;
    let [a, b, ..] = network.gateway.octets();
    let own = Ipv4Addr::new(a, b, 200, 7);
    machine.address("eth0", Ipv4Net::new(own, 16)?)?;
    host.enslave("port0", &bridge)?;
    let reaches = || machine.run(|| tcp((web.address, 80).into(), BRIEF)).ok();
    wait::until("the machine reaches the sandbox", wait::LONG, || {
        reaches().filter(|seen| *seen == Answer::seen("web", own))
    })?;
    let twin = scene.run_in(NET, "twin", &[], &[Service::Tcp(80)])?;
    check(&machine, twin.address.into(), 80, &Answer::seen("twin", own))?;
    host.remove_link("port0")?;
    wait::until("nothing is left of the port", wait::LONG, || {
        scene.engine.ok(&["plan"]).ok().filter(|plan| plan.contains("nothing"))
    })?;
    Ok(())
}
