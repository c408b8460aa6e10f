//! SCTP (RFC 9260) through masquerade and published ports: with packets made by hand, because not every kernel speaks it,
//! and with the sockets of those that do.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use anyhow::{Context as _, Result, bail, ensure};
use netebpf_tests::{
    frame::{self, around, ip},
    netns::Namespace,
    probe::{Answer, PATIENT, Service, has_sctp, sctp},
    scenario::Network,
    topology::{HOST, HOST6, World},
    wire::Wire,
};

use crate::scene::{SERVICE, Scene, VERSIONS, address_like, carries, client_like, tap};

const SCTP: u8 = 132;
/// What no other packet holds.
const WORDS: &[u8] = b"an initiation, or so it seems...";

/// An INIT (1) or INIT ACK (2) with the checksum that RFC 9260 wants.
fn packet(from: SocketAddr, to: SocketAddr, chunk: u8) -> Vec<u8> {
    let mut packet = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
    let tag: u32 = if chunk == 1 { 0 } else { 0x0102_0304 };
    packet.extend(tag.to_be_bytes());
    packet.extend([0; 4]);
    // Type, flags, length, initiate tag, window, streams out and in, first number; then the words.
    packet.extend([chunk, 0, 0, 52, 1, 2, 3, 4, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
    packet.extend(WORDS);
    let sum = crc32c(&packet);
    packet.splice(8..12, sum.to_le_bytes());
    ip(from.ip(), to.ip(), SCTP, &packet)
}

/// RFC 9260, appendix A.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// Whether a frame is one of these packets, rather than an error about one: machines without SCTP refuse them.
fn is_ours(frame: &[u8]) -> bool {
    let protocol = match frame.get(14).map(|first| first >> 4) {
        Some(4) => frame.get(23),
        _ => frame.get(20),
    };
    protocol == Some(&SCTP) && carries(frame, WORDS)
}

/// Source port and destination port of a frame, if its addresses and checksum are right.
fn ports(arrived: &[u8], from: IpAddr, to: IpAddr) -> Result<(u16, u16)> {
    let packet = arrived.get(14..).context("no packet")?;
    let (source, target, body) = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (
            (packet.get(12..16) == Some(&from.octets()[..])),
            packet.get(16..20) == Some(&to.octets()[..]),
            packet.get(20..),
        ),
        (IpAddr::V6(from), IpAddr::V6(to)) => (
            (packet.get(8..24) == Some(&from.octets()[..])),
            packet.get(24..40) == Some(&to.octets()[..]),
            packet.get(40..),
        ),
        _ => (false, false, None),
    };
    ensure!(source && target, "not from {from} to {to}: {arrived:02x?}");
    let body = body.context("no SCTP header")?;
    let mut unsummed = body.to_vec();
    unsummed.splice(8..12, [0; 4]);
    ensure!(
        body.get(8..12) == Some(&crc32c(&unsummed).to_le_bytes()[..]),
        "the checksum is wrong: {arrived:02x?}"
    );
    let &[a, b, c, d, ..] = body else { bail!("no ports") };
    Ok((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

#[test]
fn sctp_is_masqueraded_both_ways() -> Result<()> {
    let scene = Scene::new("sctp-out", &[])?;
    let sandbox = scene.run("sandbox", &[], &[Service::Udp(9)])?;
    let (inside, outside) = (tap(&sandbox)?, Wire::tap(&scene.world.client, "eth0")?);
    for host in VERSIONS {
        let (own, client) = (address_like(&sandbox, host)?, client_like(host));
        let (from, to) = (SocketAddr::new(own, 5000), SocketAddr::new(client, 9000));
        inside.send(&around(scene.gateway_mac()?, inside.mac()?, &packet(from, to, 1)))?;
        let arrived = outside.receive(PATIENT, is_ours)?;
        let (port, service) = ports(&arrived.context("the initiation did not go out")?, host, client)?;
        ensure!(service == 9000, "it went to port {service}");
        let answer = packet(to, SocketAddr::new(host, port), 2);
        outside.send(&around(scene.host_mac()?, outside.mac()?, &answer))?;
        let arrived = inside.receive(PATIENT, is_ours)?;
        let back = ports(&arrived.context("the answer did not come in")?, client, own)?;
        ensure!(back == (9000, 5000), "the answer came with ports {back:?}");
    }
    Ok(())
}

#[test]
fn a_published_sctp_port_is_translated_both_ways() -> Result<()> {
    let scene = Scene::new("sctp-in", &[])?;
    if !speaks_sctp(&scene)? {
        return is_refused_for_good_reason(&scene);
    }
    let sandbox = scene.run("sandbox", &["-p", "9000:9001/sctp"], &[Service::Udp(9)])?;
    let (inside, outside) = (tap(&sandbox)?, Wire::tap(&scene.world.client, "eth0")?);
    for host in VERSIONS {
        let (own, client) = (address_like(&sandbox, host)?, client_like(host));
        let (from, to) = (SocketAddr::new(client, 5000), SocketAddr::new(host, 9000));
        outside.send(&around(scene.host_mac()?, outside.mac()?, &packet(from, to, 1)))?;
        let arrived = inside.receive(PATIENT, is_ours)?;
        let (port, service) = ports(&arrived.context("the initiation did not come in")?, client, own)?;
        ensure!((port, service) == (5000, 9001), "it came with ports {port} and {service}");
        let answer = packet(SocketAddr::new(own, service), from, 2);
        inside.send(&around(scene.gateway_mac()?, inside.mac()?, &answer))?;
        let arrived = outside.receive(PATIENT, is_ours)?;
        let back = ports(&arrived.context("the answer did not go out")?, host, client)?;
        ensure!(back == (9000, 5000), "the answer came with ports {back:?}");
    }
    Ok(())
}

#[test]
fn the_checksum_of_these_packets_is_that_of_the_standard() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(frame::checksum(&[0; 4]), 0xffff);
}

#[test]
fn sockets_of_the_kernel_associate_through_published_ports_and_masquerade() -> Result<()> {
    let mut scene = Scene::new("sctp", &[])?;
    if !speaks_sctp(&scene)? {
        return is_refused_for_good_reason(&scene);
    }
    scene.serve_outside(&[Service::Sctp(SERVICE)])?;
    scene.engine.ok(&["network", "create", "--ipv6", "other"])?;
    let server = scene.run("server", &["-p", "9000:9001/sctp"], &[Service::Sctp(9001)])?;
    let other = scene.run_in("other", "other", &[], &[Service::Udp(9)])?;
    let World { host, client, .. } = &*scene.world;
    // So that every checksum is computed, and checked where it arrives.
    let bridge = host.link_of(scene.network()?.gateway.into())?;
    for (machine, link) in
        [(client, "eth0"), (host, &bridge), (&server.namespace, "eth0"), (&other.namespace, "eth0")]
    {
        machine.without_offload(link, "tx-checksum-sctp")?;
    }
    let mut tries = Vec::new();
    for at in VERSIONS {
        let published = SocketAddr::new(at, 9000);
        let own = SocketAddr::new(address_like(&server, at)?, 9001);
        let gateway = gateway_like(&scene.network()?, at)?;
        tries.extend([
            (client, published, "server", client_like(at)),
            (&other.namespace, published, "server", gateway),
            (&server.namespace, published, "server", gateway),
            (host, own, "server", gateway),
            (&other.namespace, SocketAddr::new(client_like(at), SERVICE), "client", at),
        ]);
    }
    associate(&tries)
}

#[test]
fn a_process_of_the_host_reaches_a_published_sctp_port() -> Result<()> {
    let scene = Scene::new("sctp-host", &[])?;
    if !speaks_sctp(&scene)? {
        return is_refused_for_good_reason(&scene);
    }
    scene.run("server", &["-p", "9000:9001/sctp"], &[Service::Sctp(9001)])?;
    let mut tries = Vec::new();
    for (at, loopback) in
        [(HOST.into(), IpAddr::from(Ipv4Addr::LOCALHOST)), (HOST6.into(), Ipv6Addr::LOCALHOST.into())]
    {
        let gateway = gateway_like(&scene.network()?, at)?;
        for to in [at, loopback] {
            tries.push((&scene.world.host, SocketAddr::new(to, 9000), "server", gateway));
        }
    }
    associate(&tries)
}

/// Fails unless each association comes about: from a machine, to an address, with a server, which sees a source.
fn associate(tries: &[(&Namespace, SocketAddr, &str, IpAddr)]) -> Result<()> {
    let mut wrong = Vec::new();
    for (machine, to, by, source) in tries {
        let expected = Answer::seen(by, *source);
        let seen = machine.run(|| sctp(*to, PATIENT))?;
        if seen != expected {
            wrong.push(format!("{} at {to}/sctp: expected `{expected}`, seen `{seen}`", machine.name()));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn gateway_like(network: &Network, like: IpAddr) -> Result<IpAddr> {
    match like {
        IpAddr::V4(_) => Ok(network.gateway.into()),
        IpAddr::V6(_) => network.ipv6.map(|(_, gateway)| gateway.into()).context("no IPv6 gateway"),
    }
}

fn speaks_sctp(scene: &Scene) -> Result<bool> {
    scene.world.host.run(|| Ok(has_sctp()))
}

/// What is tested instead on a kernel without SCTP: that nobody is told a port was published. The translation is still
/// covered, by packets, in the unit and packet layers.
fn is_refused_for_good_reason(scene: &Scene) -> Result<()> {
    // Past the test runner, which keeps to itself what a passing test prints.
    writeln!(io::stderr(), "this kernel has no SCTP: only that publishing is refused is tested here")?;
    let Err(error) = scene.run("sandbox", &["-p", "9000:9001/sctp"], &[Service::Udp(9)]) else {
        bail!("a port was published that nothing can hold");
    };
    let said = format!("{error:#}");
    ensure!(
        said.contains("9000/sctp: this kernel does not support the protocol"),
        "the error does not say what is missing: {said}"
    );
    Ok(())
}
