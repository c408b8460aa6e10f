//! What becomes of clients when a published port goes away or moves to another container?

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use netebpf_tests::{
    netns::Namespace,
    probe::{Connected, PATIENT, Service, udp},
    wait,
};

use crate::scene::{Scene, VERSIONS, client_reaches, client_reaches_udp};

/// Published, and the port behind it.
const PORT: u16 = 8053;
const PUBLISH: [&str; 4] = ["-p", "8053:53/udp", "-p", "8053:53"];
const SERVICES: [Service; 2] = [Service::Udp(53), Service::Tcp(53)];
/// How long a client waits before it asks again.
const AGAIN: Duration = Duration::from_millis(20);

/// Before a neighbour cache would ask again of its own accord (RFC 4861, 10: `DELAY_FIRST_PROBE_TIME`).
const SOON: Duration = Duration::from_secs(4);

/// A client that keeps its socket.
struct Client(UdpSocket);

impl Client {
    fn new(machine: &Namespace, to: SocketAddr) -> Result<Self> {
        let any: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        machine.run(|| {
            let socket = UdpSocket::bind((any, 0))?;
            socket.connect(to)?;
            socket.set_read_timeout(Some(AGAIN))?;
            Ok(Self(socket))
        })
    }

    /// Who answers now, if anybody does.
    fn ask(&self) -> io::Result<String> {
        let mut answer = [0; 64];
        self.0.send(b"who are you?")?;
        let length = self.0.recv(&mut answer)?;
        let text = String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).into_owned();
        Ok(text.split(' ').next().unwrap_or_default().to_owned())
    }

    /// Asks until this server answers.
    fn hears(&self, name: &str) -> Result<()> {
        wait::until(&format!("{name} answers"), PATIENT, || (self.ask().ok()? == name).then_some(()))
    }
}

#[test]
fn a_published_udp_port_that_moves_is_served_by_the_new_container_at_once() -> Result<()> {
    let scene = Scene::new("moves", &[])?;
    let first = scene.run("first", &PUBLISH, &SERVICES)?;
    let mut clients = Vec::new();
    for like in VERSIONS {
        clients.push(Client::new(&scene.world.client, SocketAddr::new(like, PORT))?);
    }
    for client in &clients {
        client.hears("first")?;
    }
    scene.engine.ok(&["rm", "-f", "first"])?;
    drop(first);
    // The flows are kept alive towards nobody.
    for client in &clients {
        drop(client.ask());
    }
    let _second = scene.run("second", &PUBLISH, &SERVICES)?;
    for (client, like) in clients.iter().zip(VERSIONS) {
        client.hears("second").with_context(|| format!("at {like}"))?;
        client_reaches(&scene, SocketAddr::new(like, PORT), "second")?;
    }
    Ok(())
}

#[test]
fn an_address_that_is_used_again_gets_no_answers_meant_for_its_last_owner() -> Result<()> {
    let scene = Scene::new("reuse", &[])?;
    let address = scene.network()?.subnet.hosts().nth(9).context("a small subnet")?.to_string();
    let pinned = [&PUBLISH[..], &["--ip", &address]].concat();
    let _first = scene.run("first", &pinned, &SERVICES)?;
    let client = Client::new(&scene.world.client, SocketAddr::new(VERSIONS[0], PORT))?;
    client.hears("first")?;
    scene.engine.ok(&["rm", "-f", "first"])?;
    let _second = scene.run("second", &["--ip", &address, "-p", "9053:53/udp"], &SERVICES)?;
    client_reaches_udp(&scene, SocketAddr::new(VERSIONS[0], 9053), "second")?;
    for _ in 0..5 {
        if let Ok(name) = client.ask() {
            bail!("{name} answered at a port that is not published any more");
        }
    }
    Ok(())
}

#[test]
fn a_host_process_whose_udp_port_has_gone_gets_an_error_and_reconnects() -> Result<()> {
    let scene = Scene::new("stale", &[])?;
    let host = &scene.world.host;
    for to in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into(), VERSIONS[0], VERSIONS[1]] {
        let _first = scene.run("first", &PUBLISH, &SERVICES)?;
        let client = Client::new(host, SocketAddr::new(to, PORT))?;
        client.hears("first")?;
        scene.engine.ok(&["rm", "-f", "first"])?;
        let is_silence =
            |error: &io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        wait::until(&format!("the socket connected to {to} gets an error"), PATIENT, || {
            client.ask().err().filter(|error| !is_silence(error))
        })?;
        let _second = scene.run("second", &PUBLISH, &SERVICES)?;
        Client::new(host, SocketAddr::new(to, PORT))?.hears("second")?;
        scene.engine.ok(&["rm", "-f", "second"])?;
    }
    Ok(())
}

#[test]
fn a_host_process_that_does_not_connect_reaches_the_new_container() -> Result<()> {
    let scene = Scene::new("unconnected", &[])?;
    for name in ["first", "second"] {
        let sandbox = scene.run(name, &PUBLISH, &SERVICES)?;
        for to in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into(), VERSIONS[0], VERSIONS[1]] {
            let to = SocketAddr::new(to, PORT);
            let answer = scene.world.host.run(|| udp(to, Connected::No, PATIENT))?;
            let (v4, v6) = (sandbox.address, sandbox.address6);
            ensure!(
                answer.to_string().starts_with(name),
                "host at {to}, {name} at {v4} and {v6:?}: {answer}"
            );
        }
        scene.engine.ok(&["rm", "-f", name])?;
    }
    Ok(())
}

/// An endpoint's MAC follows its IPv4 address where it has one, so an IPv6 address may come to another MAC. What the
/// neighbours remember would last for seconds.
#[test]
fn an_ipv6_address_that_comes_to_another_mac_is_reached_at_once() -> Result<()> {
    let scene = Scene::new("new-mac", &[])?;
    let (subnet6, _) = scene.network()?.ipv6.context("the network has no IPv6")?;
    let address = subnet6.hosts().nth(200).context("a small subnet")?;
    let hosts: Vec<_> =
        scene.network()?.subnet.hosts().skip(100).take(2).map(|host| host.to_string()).collect();
    let neighbour = scene.run("neighbour", &[], &[Service::Udp(9)])?;
    let service = SocketAddr::new(address.into(), 53);
    for (name, ip) in ["first", "second"].into_iter().zip(&hosts) {
        scene.run(name, &["--ip", ip, "--ip6", &address.to_string()], &SERVICES)?;
        for asking in [&neighbour.namespace, &scene.world.host] {
            let start = Instant::now();
            wait::until(&format!("{name} answers {}", asking.name()), PATIENT, || {
                let answer = asking.run(|| udp(service, Connected::No, AGAIN)).ok()?;
                answer.to_string().starts_with(name).then_some(())
            })?;
            let took = start.elapsed();
            ensure!(took < SOON, "{name} answered {} after {took:?}", asking.name());
        }
        scene.engine.ok(&["rm", "-f", name])?;
    }
    Ok(())
}
