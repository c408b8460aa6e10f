//! Do packets pass whose protocol the data path does not know, or whose ports stand behind extension headers?

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    frame,
    probe::{BRIEF, PATIENT, Service},
    topology::{CLIENT6, HOST6},
    wire::Wire,
};

use crate::scene::{Scene, VERSIONS, address_like, carries, client_like, tap};

/// GRE, ESP, OSPF, and one for experiments (RFC 3692).
const PROTOCOLS: [u8; 4] = [47, 50, 89, 253];

/// Headers of IPv6 before that of UDP, all with nothing but padding (RFC 8200): hop-by-hop and destination options.
const EXTENSIONS: [u8; 2] = [0, 60];
const PADDING: [u8; 7] = [0, 1, 4, 0, 0, 0, 0];

/// Source and destination of the IP packet in a frame.
fn ends(frame: &[u8]) -> Result<(IpAddr, IpAddr)> {
    let packet = frame.get(14..).context("no packet")?;
    let is_ipv4 = packet.first().is_some_and(|first| first >> 4 == 4);
    let (from, length) = if is_ipv4 { (12, 4) } else { (8, 16) };
    let address = |from: usize| -> Option<IpAddr> {
        let octets = packet.get(from..from + length)?;
        <[u8; 4]>::try_from(octets)
            .map(IpAddr::from)
            .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
            .ok()
    };
    address(from).zip(address(from + length)).context("half a header")
}

#[test]
fn unknown_protocols_are_masqueraded_both_ways_and_stay_within_their_network() -> Result<()> {
    let scene = Scene::new("protocols", &[])?;
    scene.engine.ok(&["network", "create", "--ipv6", "other"])?;
    let [sender, neighbour] = ["sender", "neighbour"].map(|name| scene.run(name, &[], &[Service::Udp(9)]));
    let (sender, neighbour) = (sender?, neighbour?);
    let stranger = scene.run_in("other", "stranger", &[], &[Service::Udp(9)])?;
    let (inside, outside) = (tap(&sender)?, Wire::tap(&scene.world.client, "eth0")?);
    let (beside, apart) = (tap(&neighbour)?, tap(&stranger)?);
    for like in VERSIONS {
        let (own, client) = (address_like(&sender, like)?, client_like(like));
        for protocol in PROTOCOLS {
            let words = format!("protocol {protocol} by {like}");
            let wanted = |frame: &[u8]| carries(frame, words.as_bytes());
            let packet = |from, to| frame::ip(from, to, protocol, words.as_bytes());
            let leave =
                |to| inside.send(&frame::around(scene.gateway_mac()?, inside.mac()?, &packet(own, to)));

            leave(client)?;
            let out = outside.receive(PATIENT, wanted)?.with_context(|| format!("{words} does not leave"))?;
            ensure!(ends(&out)? == (like, client), "{words} leaves as {:?}", ends(&out)?);
            outside.send(&frame::around(scene.host_mac()?, outside.mac()?, &packet(client, like)))?;
            let back =
                inside.receive(PATIENT, wanted)?.with_context(|| format!("{words} does not return"))?;
            ensure!(ends(&back)? == (client, own), "{words} returns as {:?}", ends(&back)?);

            let near = packet(own, address_like(&neighbour, like)?);
            inside.send(&frame::around(beside.mac()?, inside.mac()?, &near))?;
            beside
                .receive(PATIENT, wanted)?
                .with_context(|| format!("{words} does not reach the neighbour"))?;
            leave(address_like(&stranger, like)?)?;
            ensure!(apart.receive(BRIEF, wanted)?.is_none(), "{words} reaches another network");
        }
    }
    Ok(())
}

#[test]
fn a_published_port_is_found_behind_extension_headers() -> Result<()> {
    let scene = Scene::new("extensions", &[])?;
    let server = scene.run("server", &["-p", "8053:53/udp"], &[Service::Reflect(53)])?;
    let (outside, inside) = (Wire::tap(&scene.world.client, "eth0")?, tap(&server)?);
    let (from, to) = (SocketAddr::new(CLIENT6.into(), 4053), SocketAddr::new(HOST6.into(), 8053));
    for extension in EXTENSIONS {
        let words = format!("behind header {extension}");
        let wanted = |frame: &[u8]| carries(frame, words.as_bytes());
        let datagram = frame::udp(from, to, words.as_bytes());
        let payload = [&[frame::protocol::UDP][..], &PADDING, &datagram].concat();
        let packet = frame::ip(from.ip(), to.ip(), extension, &payload);
        outside.send(&frame::around(scene.host_mac()?, outside.mac()?, &packet))?;
        let arrived = inside.receive(PATIENT, wanted)?.with_context(|| format!("nothing {words} arrives"))?;
        let server = address_like(&server, to.ip())?;
        ensure!(ends(&arrived)? == (from.ip(), server), "{words}: {:?}", ends(&arrived)?);
        let answer = outside.receive(PATIENT, wanted)?.with_context(|| format!("no answer {words}"))?;
        ensure!(ends(&answer)? == (to.ip(), from.ip()), "{words}: {:?}", ends(&answer)?);
    }
    Ok(())
}
