//! Who reaches the name server, and who must not.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
};

use anyhow::{Result, ensure};
use hickory_proto::rr::RecordType;
use ipnet::Ipv4Net;
use netebpf_tests::{
    dns::{DOCKERS, OURS, Transport, exchange, query},
    engine::Engine,
    frame::{self, Mac, protocol},
    netns::Namespace,
    probe::{Answer, BRIEF, Connected, Service, ping, tcp, udp, udp_saying},
    scenario::{Sandbox, stage::address_in},
    topology::{HOST, World},
    wire::Wire,
};

use super::{idle, resolves};
use crate::scene::{Scene, carries, tap};

/// The name server's MAC, which any frame to it may have.
const ANY: Mac = [2, 0, 0, 0, 0, 1];

/// Fails if anybody answers a query there.
fn is_unanswered(place: &Namespace, server: SocketAddr) -> Result<()> {
    let message = query("web.", RecordType::A)?.to_vec()?;
    for transport in [Transport::Udp, Transport::Tcp] {
        let answer = place.run(|| Ok(exchange(server, transport, &message, BRIEF).ok().flatten()))?;
        ensure!(answer.is_none(), "{}: {server} answers by {transport:?}: {answer:02x?}", place.name());
    }
    Ok(())
}

#[test]
fn nothing_but_dns_reaches_the_address_of_the_server() -> Result<()> {
    let scene = Scene::new("other-ports", &[])?;
    let web = idle(&scene, "web", &[])?;
    let at = |port| SocketAddr::new(OURS.ip(), port);
    let tries: [(&str, &(dyn Fn() -> Result<Answer> + Sync)); 5] = [
        ("another port by UDP", &|| udp(at(54), Connected::Yes, BRIEF)),
        ("another port by TCP", &|| tcp(at(853), BRIEF)),
        ("an echo", &|| ping(OURS.ip(), BRIEF)),
        ("a datagram in fragments", &|| udp_saying(&[7; 4000], OURS, Connected::Yes, BRIEF)),
        ("port 53 of the way back", &|| udp(SocketAddr::new(OURS.ip(), 0xffff), Connected::No, BRIEF)),
    ];
    for (what, attempt) in tries {
        let before = scene.dropped("not_dns")?;
        let seen = web.namespace.run(attempt)?;
        ensure!(seen == Answer::TimedOut, "{what}: {seen}");
        scene.counts_more("not_dns", before)?;
    }
    let told = scene.engine.json(&["drops", "--sandbox", "web", "--reason", "not_dns", "--json"])?;
    ensure!(told.as_array().is_some_and(|drops| !drops.is_empty()), "{told}");
    resolves(&web, "web.", &format!("NoError {}", web.address))
}

#[test]
fn a_query_in_anothers_name_is_dropped() -> Result<()> {
    let scene = Scene::new("forged-query", &[])?;
    let [liar, victim] = ["liar", "victim"].map(|name| idle(&scene, name, &[]));
    let (liar, victim) = (liar?, victim?);
    let (from, heard) = (tap(&liar)?, tap(&victim)?);
    let message = query("victim.", RecordType::A)?.to_vec()?;
    let foreign: [Ipv4Addr; 5] = [
        victim.address,
        scene.network()?.gateway,
        Ipv4Addr::new(169, 254, 0, 54),
        Ipv4Addr::new(240, 0, 0, 2),
        Ipv4Addr::new(192, 0, 2, 200),
    ];
    for source in foreign {
        let before = scene.dropped("spoofed")?;
        send_datagram(&from, (source.into(), 5000), OURS, &message)?;
        let answer = |frame: &[u8]| carries(frame, &message[..2]) && carries(frame, b"victim");
        ensure!(heard.receive(BRIEF, answer)?.is_none(), "{source} was sent an answer");
        scene.counts_more("spoofed", before)?;
    }
    Ok(())
}

#[test]
fn nobody_speaks_in_the_servers_name_or_to_the_addresses_of_its_clients() -> Result<()> {
    let scene = Scene::new("forged-answer", &[])?;
    let [liar, victim] = ["liar", "victim"].map(|name| idle(&scene, name, &[]));
    let (liar, victim) = (liar?, victim?);
    let (from, heard) = (tap(&liar)?, tap(&victim)?);
    let socket = victim.namespace.run(|| Ok(UdpSocket::bind((victim.address, 5000))?))?;
    let packet = |source: SocketAddr, to: SocketAddr| {
        frame::ip(source.ip(), to.ip(), protocol::UDP, &frame::udp(source, to, b"forged"))
    };
    let target = SocketAddr::new(victim.address.into(), 5000);
    let before = scene.dropped("spoofed")?;
    from.send(&frame::around(heard.mac()?, from.mac()?, &packet(OURS, target)))?;
    scene.counts_more("spoofed", before)?;
    ensure!(heard.receive(BRIEF, |frame| carries(frame, b"forged"))?.is_none(), "a forged answer arrived");
    drop(socket);
    // By the numbers of the links, which is how the server knows its clients.
    let source = SocketAddr::new(liar.address.into(), 5000);
    let gateway = scene.gateway_mac()?;
    for number in 0..64 {
        let client = SocketAddr::from((Ipv4Addr::from_bits(0xf000_0000 | number), 5000));
        from.send(&frame::around(gateway, from.mac()?, &packet(source, client)))?;
    }
    ensure!(heard.receive(BRIEF, |frame| carries(frame, b"forged"))?.is_none(), "it reached a client");
    Ok(())
}

#[test]
fn a_sandbox_without_names_does_not_reach_the_server() -> Result<()> {
    let world = Arc::new(World::new("no-names")?);
    let mut engine = Engine::start_with(Arc::clone(&world), &["--bridge=netebpf0"])?;
    let plain = Sandbox::run(&world, &engine, ("plain", "bridge"), &[], &[Service::Udp(9)])?;
    for server in [DOCKERS, OURS] {
        is_unanswered(&plain.namespace, server)?;
    }
    engine.ok(&["network", "create", "named"])?;
    engine.ok(&["network", "connect", "named", "plain"])?;
    let address = address_in(&engine, "named", &plain.id)?;
    resolves(&plain, "plain.named.", &format!("NoError {address}"))?;
    engine.clean_up()
}

#[test]
fn neither_the_host_nor_the_outside_reaches_the_server() -> Result<()> {
    let scene = Scene::new("closed", &[])?;
    let web = idle(&scene, "web", &[])?;
    resolves(&web, "web.", &format!("NoError {}", web.address))?;
    scene.world.client.route(Ipv4Net::new(Ipv4Addr::new(169, 254, 0, 53), 32)?, HOST)?;
    for place in [&scene.world.host, &scene.world.client] {
        for server in [OURS, DOCKERS] {
            is_unanswered(place, server)?;
        }
    }
    // No port of the host is taken.
    for address in [IpAddr::from(Ipv4Addr::UNSPECIFIED), DOCKERS.ip()] {
        scene.world.host.run(|| Ok((UdpSocket::bind((address, 53))?, TcpListener::bind((address, 53))?)))?;
    }
    Ok(())
}

fn send_datagram(by: &Wire, source: (IpAddr, u16), to: SocketAddr, message: &[u8]) -> Result<()> {
    let source = SocketAddr::from(source);
    let packet = frame::ip(source.ip(), to.ip(), protocol::UDP, &frame::udp(source, to, message));
    by.send(&frame::around(ANY, by.mac()?, &packet))
}
