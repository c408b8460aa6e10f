//! Addresses that cannot come from outside, or cannot be meant from there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Result, ensure};
use netebpf_tests::{
    frame::{self, protocol},
    probe::{BRIEF, Service},
    topology::{HOST, HOST6},
    wire::Wire,
};

use crate::scene::{
    Scene, VERSIONS, address_like, carries, client_like, client_reaches, client_reaches_udp, tap,
};

const WORDS: &[u8] = b"not from here";

/// Sends a datagram from outside and fails if the sandbox hears of it, or if nothing is counted.
fn refused(scene: &Scene, inside: &Wire, from: IpAddr, to: SocketAddr, reason: &str) -> Result<()> {
    let wire = Wire::tap(&scene.world.client, "eth0")?;
    let before = scene.dropped(reason)?;
    let packet = frame::ip(from, to.ip(), protocol::UDP, &frame::udp(SocketAddr::new(from, 5000), to, WORDS));
    wire.send(&frame::around(scene.host_mac()?, wire.mac()?, &packet))?;
    let leaked = inside.receive(BRIEF, |frame| carries(frame, WORDS))?;
    ensure!(leaked.is_none(), "a datagram from {from} to {to} came to the sandbox");
    scene.counts_more(reason, before)
}

#[test]
fn loopback_addresses_on_a_wire_are_dropped_and_counted() -> Result<()> {
    let scene = Scene::new("loopback-wire", &[])?;
    let publish = ["-p", "127.0.0.1:9053:53/udp", "-p", "[::1]:9053:53/udp", "-p", "8053:53/udp"];
    let server = scene.run("server", &publish, &[Service::Udp(53)])?;
    let inside = tap(&server)?;
    for (loopback, host) in
        [(IpAddr::from(Ipv4Addr::LOCALHOST), VERSIONS[0]), (Ipv6Addr::LOCALHOST.into(), VERSIONS[1])]
    {
        refused(&scene, &inside, client_like(host), SocketAddr::new(loopback, 9053), "martian")?;
        refused(&scene, &inside, loopback, SocketAddr::new(host, 8053), "martian")?;
    }
    Ok(())
}

#[test]
fn a_containers_address_from_outside_is_dropped_and_counted() -> Result<()> {
    let scene = Scene::new("container-outside", &[])?;
    let server = scene.run("server", &["-p", "8053:53/udp"], &[Service::Udp(53)])?;
    let neighbour = scene.run("neighbour", &[], &[Service::Udp(53)])?;
    let inside = tap(&server)?;
    for host in VERSIONS {
        let pretended = address_like(&neighbour, host)?;
        refused(&scene, &inside, pretended, SocketAddr::new(host, 8053), "martian")?;
    }
    Ok(())
}

#[test]
fn direct_access_is_dropped_and_counted_at_published_ports_too() -> Result<()> {
    let scene = Scene::new("direct", &[])?;
    let server = scene.run("server", &["-p", "8053:53/udp"], &[Service::Udp(53)])?;
    let inside = tap(&server)?;
    for host in VERSIONS {
        let to = SocketAddr::new(address_like(&server, host)?, 53);
        refused(&scene, &inside, client_like(host), to, "direct_access")?;
    }
    Ok(())
}

#[test]
fn direct_routing_opens_published_ports_only() -> Result<()> {
    let scene = Scene::new("direct-routing", &["--allow-direct-routing"])?;
    let server = scene.run(
        "server",
        &["-p", "8080:80", "-p", "8053:53/udp"],
        &[Service::Tcp(80), Service::Udp(53), Service::Tcp(81), Service::Udp(54)],
    )?;
    let network = scene.network()?;
    scene.world.client.route(network.subnet, HOST)?;
    if let Some((subnet, _)) = network.ipv6 {
        scene.world.client.route(subnet, HOST6)?;
    }
    let inside = tap(&server)?;
    for host in VERSIONS {
        let own = address_like(&server, host)?;
        client_reaches(&scene, SocketAddr::new(own, 80), "server")?;
        client_reaches_udp(&scene, SocketAddr::new(own, 53), "server")?;
        refused(&scene, &inside, client_like(host), SocketAddr::new(own, 54), "unpublished")?;
    }
    Ok(())
}
