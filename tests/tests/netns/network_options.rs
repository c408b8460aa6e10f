//! Options that change what a bridge is and who leads out of it, on real packets.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netebpf_tests::{
    frame::{BROADCAST, ethertype},
    links,
    netns::Namespace,
    probe::{Answer, BRIEF, PATIENT, Service, tcp},
    scenario::Sandbox,
    topology::{HOST, SERVER},
    wait,
    wire::Wire,
};

use crate::scene::{Scene, carries, client_reaches, tap};

/// Something of Docker's options.
fn option(name: &str, value: &str) -> [String; 2] {
    ["-o".to_owned(), format!("com.docker.network.{name}={value}")]
}

fn create(scene: &Scene, arguments: &[&str], options: &[[String; 2]], name: &str) -> Result<String> {
    let options = options.iter().flatten().map(String::as_str);
    let words: Vec<_> = ["network", "create"]
        .into_iter()
        .chain(options)
        .chain(arguments.iter().copied())
        .chain([name])
        .collect();
    scene.engine.ok(&words)
}

/// Whether a link of a namespace has an address.
fn has(namespace: &Namespace, address: impl Into<IpAddr>) -> bool {
    namespace.link_of(address.into()).is_ok()
}

#[test]
fn a_bridge_without_address_carries_packets_and_leads_nowhere() -> Result<()> {
    let scene = Scene::new("inhibit", &["--bridge=none"])?;
    let inhibit = [option("bridge.inhibit_ipv4", "true")];
    create(&scene, &["--subnet", "10.71.0.0/24"], &inhibit, "quiet")?;
    let gateway = Ipv4Addr::new(10, 71, 0, 1);
    let first = scene.run_in("quiet", "first", &[], &[Service::Tcp(80)])?;
    let second = scene.run_in("quiet", "second", &[], &[Service::Tcp(80)])?;
    ensure!(first.address == Ipv4Addr::new(10, 71, 0, 2), "the gateway's address is kept: {}", first.address);
    ensure!(!has(&scene.world.host, gateway), "the bridge has an address");
    let seen = first.namespace.run(|| tcp((second.address, 80).into(), PATIENT))?;
    ensure!(seen == Answer::seen("second", first.address), "{seen}");
    let seen = first.namespace.run(|| tcp((gateway, 80).into(), BRIEF))?;
    ensure!(matches!(seen, Answer::TimedOut | Answer::Unreachable), "nobody is there: {seen}");

    create(&scene, &["--internal", "--subnet", "10.72.0.0/24"], &inhibit, "cell")?;
    let monk = scene.run_in("cell", "monk", &[], &[Service::Tcp(80)])?;
    ensure!(monk.address == Ipv4Addr::new(10, 72, 0, 1), "nothing is kept: {}", monk.address);
    scene.engine.terminate()?;
    scene.engine.launch()?;
    ensure!(!has(&scene.world.host, gateway), "a restart gives the bridge an address");
    Ok(())
}

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

/// When gratuitous ARP packets, or unsolicited neighbour advertisements, for an address were heard within a time.
fn announcements(wire: &Wire, address: IpAddr, within: Duration) -> Result<Vec<Instant>> {
    let end = Instant::now() + wait::stretched(within);
    let mut heard = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let frame =
            if left.is_zero() { None } else { wire.receive(left, |frame| announces(frame, address))? };
        match frame {
            Some(_) => heard.push(Instant::now()),
            None => return Ok(heard),
        }
    }
}

fn announces(frame: &[u8], address: IpAddr) -> bool {
    let is = |at: usize, bytes: &[u8]| frame.get(at..at + bytes.len()) == Some(bytes);
    match address {
        IpAddr::V4(v4) => {
            is(0, &BROADCAST)
                && is(12, &ethertype::ARP.to_be_bytes())
                && is(28, &v4.octets())
                && is(38, &v4.octets())
        }
        // Type 136 behind the IPv6 header, to all nodes, about the address.
        IpAddr::V6(v6) => {
            is(12, &ethertype::IPV6.to_be_bytes())
                && is(38, &Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1).octets())
                && is(54, &[136])
                && is(62, &v6.octets())
        }
    }
}

/// A network whose endpoints announce themselves as these options say, with a listener on it.
fn announcing(scene: &Scene, options: &[[String; 2]]) -> Result<Sandbox> {
    create(scene, &["--ipv6", "--subnet=10.74.0.0/24", "--subnet=fd00:74::/64"], options, "loud")?;
    scene.run_in("loud", "listener", &[], &[Service::Tcp(80)])
}

#[test]
fn endpoints_announce_themselves_as_often_as_a_network_says() -> Result<()> {
    let scene = Scene::new("announce", &["--bridge=none"])?;
    let interval = Duration::from_millis(400);
    let options = [option("advertise_addr_nmsgs", "2"), option("advertise_addr_ms", "400")];
    let listener = announcing(&scene, &options)?;
    let (wire, wire6) = (tap(&listener)?, tap(&listener)?);
    let crier = scene.run_in("loud", "crier", &[], &[Service::Tcp(80)])?;
    let heard = announcements(&wire, crier.address.into(), 4 * interval)?;
    ensure!(heard.len() == 2, "{} gratuitous ARP packets", heard.len());
    let address6 = crier.address6.context("an IPv6 address")?;
    let heard6 = announcements(&wire6, address6.into(), BRIEF)?;
    ensure!(heard6.len() == 2, "{} neighbour advertisements", heard6.len());
    Ok(())
}

#[test]
fn announcements_come_at_once_and_then_after_the_interval() -> Result<()> {
    let scene = Scene::new("interval", &["--bridge=none"])?;
    let listener = announcing(&scene, &[option("advertise_addr_ms", "700")])?;
    let wire = tap(&listener)?;
    let heard = std::thread::scope(|scope| {
        let address = Ipv4Addr::new(10, 74, 0, 3).into();
        let heard = scope.spawn(move || announcements(&wire, address, Duration::from_secs(4)));
        scene.run_in("loud", "crier", &[], &[Service::Tcp(80)])?;
        heard.join().ok().context("the listener panicked")?
    })?;
    let [first, second, third] = heard[..] else { anyhow::bail!("{} gratuitous ARP packets", heard.len()) };
    // Early by no more than what the listener's own clock is late for the one before.
    for pause in [second - first, third - second] {
        ensure!(pause > Duration::from_millis(500), "{pause:?} between two of them");
    }
    Ok(())
}

#[test]
fn a_network_may_forbid_announcements() -> Result<()> {
    let scene = Scene::new("silent", &["--bridge=none"])?;
    let listener = announcing(&scene, &[option("advertise_addr_nmsgs", "0")])?;
    let (wire, wire6) = (tap(&listener)?, tap(&listener)?);
    let crier = scene.run_in("loud", "crier", &[], &[Service::Tcp(80)])?;
    let seen = listener.namespace.run(|| tcp((crier.address, 80).into(), PATIENT))?;
    ensure!(seen == Answer::seen("crier", listener.address), "{seen}");
    ensure!(announcements(&wire, crier.address.into(), BRIEF)?.is_empty());
    let address6 = crier.address6.context("an IPv6 address")?;
    ensure!(announcements(&wire6, address6.into(), BRIEF)?.is_empty());
    Ok(())
}
