//! What routers and machines say about a packet reaches its sender, through every translation.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use ipnet::{Ipv4Net, Ipv6Net};
use netebpf_tests::{
    netns::Namespace,
    probe::{Answer, BRIEF, Connected, Icmp, Kind, Message, PATIENT, Server, Service, Talk, tcp, udp},
    topology::{FAR, FAR6, HOST, HOST_BY_ROUTER, HOST6, HOST6_BY_ROUTER, ROUTER, ROUTER6},
};

use crate::scene::{SERVICE, Scene, VERSIONS, address_like, client_like};

/// Less than the 1500 bytes of all other cables, and no less than IPv6 needs.
const NARROW: u32 = 1300;
/// Enough for many packets that do not fit the narrow cable.
const MUCH: usize = 1 << 20;

/// Sends a datagram and gives the first error of this kind that the machine hears about it.
fn error_after(
    machine: &Namespace,
    from: IpAddr,
    to: SocketAddr,
    hops: Option<u32>,
    kind: Kind,
) -> Result<(SocketAddr, Message)> {
    let ear = machine.run(|| Icmp::open(to.ip()))?;
    let local = machine.run(|| {
        let socket = UdpSocket::bind(SocketAddr::new(from, 0))?;
        if let Some(hops) = hops {
            set_hops(&socket, hops)?;
        }
        socket.send_to(b"can you hear me?", to)?;
        Ok(socket.local_addr()?)
    })?;
    let end = Instant::now() + PATIENT;
    while let Some(message) = ear.receive(end)? {
        if message.kind == kind {
            return Ok((local, message));
        }
    }
    bail!("{} heard nothing of {kind:?} about {to}", machine.name())
}

fn set_hops(socket: &UdpSocket, hops: u32) -> Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};
    if socket.local_addr()?.is_ipv4() {
        socket.set_ttl(hops)?;
    } else {
        setsockopt(socket, sockopt::Ipv6Ttl, &i32::try_from(hops)?)?;
    }
    Ok(())
}

/// The UDP packet that an error is about, as its sender should recognise it.
fn quoted(message: &Message) -> Result<(SocketAddr, SocketAddr)> {
    let packet = message.body.get(4..).context("the error quotes nothing")?;
    let (ends, ports) = if message.source.is_ipv4() {
        let address = |at: usize| {
            let octets: &[u8; 4] = packet.get(at..at + 4)?.first_chunk()?;
            Some(IpAddr::from(*octets))
        };
        (address(12).zip(address(16)), packet.get(20..24))
    } else {
        let address = |at: usize| {
            let octets: &[u8; 16] = packet.get(at..at + 16)?.first_chunk()?;
            Some(IpAddr::from(*octets))
        };
        (address(8).zip(address(24)), packet.get(40..44))
    };
    let (from, to) = ends.context("the quoted packet has no addresses")?;
    let ports: &[u8; 4] =
        ports.and_then(|ports| ports.first_chunk()).context("the quoted packet has no ports")?;
    let [a, b, c, d] = *ports;
    Ok((SocketAddr::new(from, u16::from_be_bytes([a, b])), SocketAddr::new(to, u16::from_be_bytes([c, d]))))
}

#[test]
fn a_closed_port_of_a_container_is_refused_through_a_published_port() -> Result<()> {
    let scene = Scene::new("closed-inside", &[])?;
    let _server = scene.run("server", &["-p", "8081:81", "-p", "8081:81/udp"], &[Service::Udp(9)])?;
    for like in VERSIONS {
        let to = SocketAddr::new(like, 8081);
        ensure!(scene.world.client.run(|| tcp(to, PATIENT))? == Answer::Refused, "{to}/tcp");
        ensure!(scene.world.client.run(|| udp(to, Connected::Yes, PATIENT))? == Answer::Refused, "{to}/udp");
        let (local, error) =
            error_after(&scene.world.client, client_like(like), to, None, Kind::PortUnreachable)?;
        ensure!(error.source == like, "{} says that {to} is closed", error.source);
        ensure!(quoted(&error)? == (local, to), "the error is about {:?}", quoted(&error)?);
    }
    Ok(())
}

#[test]
fn a_closed_port_outside_is_refused_through_masquerade() -> Result<()> {
    let scene = Scene::new("closed-outside", &[])?;
    let sandbox = scene.run("sandbox", &[], &[Service::Udp(9)])?;
    for like in VERSIONS {
        let to = SocketAddr::new(client_like(like), 4);
        ensure!(sandbox.namespace.run(|| tcp(to, PATIENT))? == Answer::Refused, "{to}/tcp");
        ensure!(sandbox.namespace.run(|| udp(to, Connected::Yes, PATIENT))? == Answer::Refused, "{to}/udp");
        let own = address_like(&sandbox, like)?;
        let (local, error) = error_after(&sandbox.namespace, own, to, None, Kind::PortUnreachable)?;
        ensure!(quoted(&error)? == (local, to), "the error is about {:?}", quoted(&error)?);
    }
    Ok(())
}

#[test]
fn an_unreachable_host_is_reported_by_its_router_through_masquerade() -> Result<()> {
    let scene = Scene::new("unreachable", &[])?;
    let far = scene.world.far(1500)?;
    // The router knows no way to these.
    let (v4, v6) = (Ipv4Addr::new(198, 19, 0, 1), Ipv6Addr::new(0x2001, 0xdb8, 0x99, 0, 0, 0, 0, 1));
    scene.world.host.route(Ipv4Net::new(v4, 24)?, ROUTER)?;
    scene.world.host.route(Ipv6Net::new(v6, 64)?, ROUTER6)?;
    let sandbox = scene.run("sandbox", &[], &[Service::Udp(9)])?;
    for (to, router) in [(IpAddr::from(v4), IpAddr::from(ROUTER)), (v6.into(), ROUTER6.into())] {
        let (own, to) = (address_like(&sandbox, to)?, SocketAddr::new(to, 9));
        let (local, error) = error_after(&sandbox.namespace, own, to, None, Kind::Unreachable)?;
        ensure!(error.source == router, "{} reports it", error.source);
        ensure!(quoted(&error)? == (local, to), "the error is about {:?}", quoted(&error)?);
    }
    drop(far);
    Ok(())
}

#[test]
fn a_published_service_learns_the_mtu_of_the_path() -> Result<()> {
    let scene = Scene::new("pmtu-publish", &[])?;
    let far = scene.world.far(NARROW)?;
    let _server = scene.run("server", &["-p", "7000:7000"], &[Service::Echo(7000)])?;
    for host in [IpAddr::from(HOST_BY_ROUTER), HOST6_BY_ROUTER.into(), HOST.into(), HOST6.into()] {
        let mut talk = Talk::tcp(&far.machine, SocketAddr::new(host, 7000))?;
        talk.say_much(MUCH).with_context(|| format!("much through {host}"))?;
    }
    Ok(())
}

#[test]
fn a_container_learns_the_mtu_of_the_path_through_masquerade() -> Result<()> {
    let scene = Scene::new("pmtu-masquerade", &[])?;
    let far = scene.world.far(NARROW)?;
    let server =
        Server::start(&scene.world.probe(), &far.machine, &[Service::Echo(7000), Service::Reflect(7000)])?;
    let sandbox = scene.run("sandbox", &[], &[Service::Udp(9)])?;
    for to in [IpAddr::from(FAR), FAR6.into()] {
        let to = SocketAddr::new(to, 7000);
        Talk::tcp(&sandbox.namespace, to)?.say_much(MUCH).with_context(|| format!("much to {to}"))?;
        // The first one may be lost: it is how the sender learns.
        let mut talk = Talk::udp(&sandbox.namespace, to)?;
        talk.set_patience(BRIEF)?;
        let arrived = (0..5).any(|_| talk.say_much(1400).is_ok());
        ensure!(arrived, "no datagram of 1400 bytes to {to} was cut for the narrow cable");
    }
    drop(server);
    Ok(())
}

#[test]
fn a_packet_that_may_not_pass_the_host_is_answered_with_time_exceeded() -> Result<()> {
    let mut scene = Scene::new("no-hops", &[])?;
    scene.serve_outside(&[Service::Udp(SERVICE)])?;
    let sandbox = scene.run("server", &["-p", "8053:53/udp"], &[Service::Udp(53)])?;
    let network = scene.network()?;
    for like in VERSIONS {
        let to = SocketAddr::new(like, 8053);
        let (local, error) =
            error_after(&scene.world.client, client_like(like), to, Some(1), Kind::TimeExceeded)?;
        ensure!(error.source == like, "{} says that time ran out", error.source);
        ensure!(quoted(&error)? == (local, to), "the error is about {:?}", quoted(&error)?);

        let (own, to) = (address_like(&sandbox, like)?, SocketAddr::new(client_like(like), SERVICE));
        let (local, error) = error_after(&sandbox.namespace, own, to, Some(1), Kind::TimeExceeded)?;
        let gateway: IpAddr = match (like, network.ipv6) {
            (IpAddr::V6(_), Some((_, gateway))) => gateway.into(),
            _ => network.gateway.into(),
        };
        ensure!(error.source == gateway, "{} says that time ran out", error.source);
        ensure!(quoted(&error)? == (local, to), "the error is about {:?}", quoted(&error)?);
    }
    Ok(())
}
