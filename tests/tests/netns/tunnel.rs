//! Devices whose packets begin with the IP header, as of WireGuard and tun, lead outside as others do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Result, ensure};
use ipnet::{Ipv4Net, Ipv6Net};
use netebpf_tests::{
    netns::Namespace,
    probe::{Answer, BRIEF, Connected, PATIENT, Server, Service, ping, tcp, udp},
    tunnel::Tunnel,
    wait,
};

use crate::scene::{SERVICE, Scene};

const LINK: &str = "tun0";
const NEAR: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(198, 18, 7, 1), Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 1));
const FAR: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(198, 18, 7, 2), Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 2));

/// A tunnel from the host to a machine, with addresses at both ends.
fn tunnel<'a>(scene: &'a Scene, far: &'a Namespace) -> Result<Tunnel<'a>> {
    let tunnel = Tunnel::between(&scene.world.host, far, LINK)?;
    for (machine, (v4, v6)) in [(&scene.world.host, NEAR), (far, FAR)] {
        machine.address(LINK, Ipv6Net::new(v6, 64)?)?;
        machine.address(LINK, Ipv4Net::new(v4, 24)?)?;
    }
    Ok(tunnel)
}

#[test]
fn a_tunnel_without_ethernet_carries_masqueraded_connections_and_clients_of_published_ports() -> Result<()> {
    let scene = Scene::new("tunnel", &[])?;
    let far = scene.world.machine("far")?;
    let _tunnel = tunnel(&scene, &far)?;
    let services = [Service::Tcp(SERVICE), Service::Udp(SERVICE)];
    let _server = Server::start(&scene.world.probe(), &far, &services)?;
    let ports = [Service::Tcp(80), Service::Udp(80)];
    let web = scene.run("web", &["-p", "8080:80", "-p", "8080:80/udp"], &ports)?;

    for (near, far_address) in [(IpAddr::from(NEAR.0), IpAddr::from(FAR.0)), (NEAR.1.into(), FAR.1.into())] {
        let outside = SocketAddr::new(far_address, SERVICE);
        let masqueraded = Answer::seen("far", near);
        wait::until("the tunnel leads outside", PATIENT, || {
            web.namespace.run(|| tcp(outside, BRIEF)).is_ok_and(|seen| seen == masqueraded).then_some(())
        })?;
        let seen = web.namespace.run(|| udp(outside, Connected::Yes, PATIENT))?;
        ensure!(seen == masqueraded, "{outside}/udp: {seen}");
        let echo = web.namespace.run(|| ping(far_address, PATIENT))?;
        ensure!(echo == Answer::Echoed, "ping {far_address}: {echo}");

        let published = SocketAddr::new(near, 8080);
        let client = Answer::seen("web", far_address);
        let seen = far.run(|| tcp(published, PATIENT))?;
        ensure!(seen == client, "{published}/tcp: {seen}");
        let seen = far.run(|| udp(published, Connected::Yes, PATIENT))?;
        ensure!(seen == client, "{published}/udp: {seen}");
    }
    Ok(())
}

#[test]
fn nobody_at_a_tunnels_other_end_reaches_a_containers_own_address() -> Result<()> {
    let scene = Scene::new("tunnel-direct", &[])?;
    let far = scene.world.machine("far")?;
    let _tunnel = tunnel(&scene, &far)?;
    let web = scene.run("web", &["-p", "8080:80"], &[Service::Tcp(80)])?;
    let gateway = scene.network()?;
    far.route(ipnet::IpNet::new(web.address.into(), 32)?, NEAR.0)?;
    let published = SocketAddr::new(NEAR.0.into(), 8080);
    wait::until("the published port is served", PATIENT, || {
        far.run(|| tcp(published, BRIEF)).is_ok_and(|seen| seen == Answer::seen("web", FAR.0)).then_some(())
    })?;
    let before = scene.dropped("direct_access")?;
    let direct = SocketAddr::new(web.address.into(), 80);
    let seen = far.run(|| tcp(direct, BRIEF))?;
    ensure!(seen == Answer::TimedOut, "{direct} in {gateway:?}: {seen}");
    scene.counts_more("direct_access", before)
}
