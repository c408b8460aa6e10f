//! What programs really do with a network, through published ports and masquerade.

use std::{
    net::{IpAddr, SocketAddr},
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use netebpf_tests::{
    netns::Namespace,
    probe::{Answer, Direction, PATIENT, Service, addresses_of, browse, bulk, resolve, tcp},
    scenario::Sandbox,
};

use crate::scene::{SERVICE, Scene, VERSIONS, address_like, client_like};

const GIBIBYTE: u64 = 1 << 30;
/// Short connections, and clients that make them at the same time.
const CONNECTIONS: usize = 10_000;
const CROWD: usize = 4;

/// The same services inside, published under the same numbers, and outside.
fn stage(name: &str, services: &[Service], published: &[&str]) -> Result<(Scene, Sandbox)> {
    let mut scene = Scene::new(name, &[])?;
    scene.serve_outside(services)?;
    let published: Vec<_> = published.iter().flat_map(|port| ["-p", port]).collect();
    let server = scene.run("server", &published, services)?;
    Ok((scene, server))
}

/// The ways that are translated: in by a published port, out by masquerade.
fn ways<'a>(scene: &'a Scene, sandbox: &'a Sandbox, like: IpAddr) -> [(&'a Namespace, SocketAddr); 2] {
    [
        (&scene.world.client, SocketAddr::new(like, SERVICE)),
        (&sandbox.namespace, SocketAddr::new(client_like(like), SERVICE)),
    ]
}

#[test]
fn a_gibibyte_arrives_as_it_was_sent_in_each_direction() -> Result<()> {
    let (scene, sandbox) = stage("gibibyte", &[Service::Bulk(SERVICE)], &["9999:9999"])?;
    let [v4, v6] = VERSIONS.map(|like| ways(&scene, &sandbox, like));
    for ((from, to), direction) in
        [(v4[0], Direction::Up), (v6[0], Direction::Down), (v6[1], Direction::Up), (v4[1], Direction::Down)]
    {
        let start = Instant::now();
        let moved = from.run(|| bulk(to, direction, GIBIBYTE));
        moved.with_context(|| format!("{} to {to}, {direction:?}", from.name()))?;
        println!("{} to {to}, {direction:?}: {:.1?}", from.name(), start.elapsed());
    }
    Ok(())
}

#[test]
fn ten_thousand_short_connections_are_made_without_a_failure() -> Result<()> {
    let (scene, sandbox) = stage("short", &[Service::Tcp(SERVICE)], &["9999:9999"])?;
    for like in VERSIONS {
        for (from, to) in ways(&scene, &sandbox, like) {
            let start = Instant::now();
            from.run(|| connect_often(to)).with_context(|| format!("{} to {to}", from.name()))?;
            println!("{} to {to}: {CONNECTIONS} connections in {:.1?}", from.name(), start.elapsed());
        }
    }
    Ok(())
}

/// Many short connections; threads that start here stay in this namespace.
fn connect_often(to: SocketAddr) -> Result<()> {
    let connect = || -> Result<()> {
        for number in 0..CONNECTIONS / CROWD {
            let answer = tcp(to, PATIENT)?;
            ensure!(matches!(answer, Answer::Reached { .. }), "connection {number}: {answer}");
        }
        Ok(())
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CROWD).map(|_| scope.spawn(connect)).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
    })
}

#[test]
fn a_browser_gets_its_pages_on_kept_and_parallel_connections() -> Result<()> {
    let (scene, sandbox) = stage("browser", &[Service::Http(SERVICE)], &["9999:9999"])?;
    let neighbour = scene.run("neighbour", &[], &[Service::Udp(9)])?;
    for like in VERSIONS {
        let [inbound, outbound] = ways(&scene, &sandbox, like);
        let direct = SocketAddr::new(address_like(&sandbox, like)?, SERVICE);
        let published = SocketAddr::new(like, SERVICE);
        for (from, to) in [
            inbound,
            outbound,
            (&scene.world.host, published),
            (&neighbour.namespace, published),
            (&neighbour.namespace, direct),
        ] {
            let pages = from.run(|| browse(to, 100)).with_context(|| format!("{} at {to}", from.name()))?;
            ensure!(pages == 600, "{pages} pages came");
        }
    }
    Ok(())
}

#[test]
fn names_are_resolved_by_udp_and_tcp() -> Result<()> {
    let services = [Service::DnsTcp(SERVICE), Service::DnsUdp(SERVICE)];
    let (scene, sandbox) = stage("names", &services, &["9999:9999", "9999:9999/udp"])?;
    for like in VERSIONS {
        let [inbound, outbound] = ways(&scene, &sandbox, like);
        for (from, server) in [inbound, outbound, (&scene.world.host, SocketAddr::new(like, SERVICE))] {
            for number in 0..100 {
                // Every tenth answer does not fit a datagram and is asked for again by TCP.
                let kind = if number % 10 == 0 { "large" } else { "small" };
                let name = format!("{kind}-{number}.example");
                let found = from.run(|| resolve(server, &name));
                let found = found.with_context(|| format!("{} asked {server}", from.name()))?;
                ensure!(found == addresses_of(&name), "{name}: {found:?}");
            }
        }
    }
    Ok(())
}
