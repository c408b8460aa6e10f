//! What becomes of connections that are there before the engine is? They go on: it touches nobody's but its sandboxes'.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use ipnet::{Ipv4Net, Ipv6Net};
use netebpf_tests::{
    engine::Engine,
    probe::{Server, Service, Talk},
    topology::{
        CLIENT, CLIENT6, HOST, HOST_BY_SERVER, HOST6, HOST6_BY_SERVER, OUTSIDE_PREFIX, OUTSIDE_PREFIX6,
        SERVER, SERVER6, World,
    },
};

const ECHO: u16 = 7001;
const REFLECT: u16 = 7002;

/// A world whose host forwards between client and server, as it did before anybody thought of containers.
fn routed(name: &str) -> Result<World> {
    let world = World::new(name)?;
    world.host.sysctl("ipv4/ip_forward", "1")?;
    world.host.sysctl("ipv6/conf/all/forwarding", "1")?;
    let near =
        (Ipv4Net::new(CLIENT, OUTSIDE_PREFIX)?.trunc(), Ipv6Net::new(CLIENT6, OUTSIDE_PREFIX6)?.trunc());
    let far =
        (Ipv4Net::new(SERVER, OUTSIDE_PREFIX)?.trunc(), Ipv6Net::new(SERVER6, OUTSIDE_PREFIX6)?.trunc());
    world.client.route(far.0, HOST)?;
    world.client.route(far.1, HOST6)?;
    world.server.route(near.0, HOST_BY_SERVER)?;
    world.server.route(near.1, HOST6_BY_SERVER)?;
    Ok(world)
}

/// One conversation of each kind, each with who it is between.
fn talks(world: &World) -> Result<Vec<(String, Talk)>> {
    let (client, host) = (&world.client, &world.host);
    let pairs: [(&str, _, IpAddr); 8] = [
        ("host to client", host, CLIENT.into()),
        ("host to client", host, CLIENT6.into()),
        ("client to host", client, HOST.into()),
        ("client to host", client, HOST6.into()),
        ("client to server", client, SERVER.into()),
        ("client to server", client, SERVER6.into()),
        ("host to itself", host, Ipv4Addr::LOCALHOST.into()),
        ("host to itself", host, Ipv6Addr::LOCALHOST.into()),
    ];
    let mut talks = Vec::new();
    for (between, from, to) in pairs {
        let (echo, reflect) = (SocketAddr::new(to, ECHO), SocketAddr::new(to, REFLECT));
        talks.push((format!("tcp, {between}, {to}"), Talk::tcp(from, echo)?));
        talks.push((format!("udp, {between}, {to}"), Talk::udp(from, reflect)?));
    }
    Ok(talks)
}

fn all_say(talks: &mut [(String, Talk)]) -> Result<()> {
    talks.iter_mut().try_for_each(|(between, talk)| talk.say().with_context(|| between.clone()))
}

#[test]
fn connections_of_host_and_neighbours_go_on_when_the_engine_is_switched_on_and_off() -> Result<()> {
    let world = Arc::new(routed("existing")?);
    let services = [Service::Echo(ECHO), Service::Reflect(REFLECT)];
    let machines = [&world.client, &world.host, &world.server];
    let servers = machines.map(|machine| Server::start(&world.probe(), machine, &services));
    let _servers = servers.into_iter().collect::<Result<Vec<_>>>()?;
    let mut talks = talks(&world)?;
    all_say(&mut talks).context("without an engine")?;

    let mut engine = Engine::start(Arc::clone(&world))?;
    all_say(&mut talks).context("with an engine")?;
    engine.ok(&["network", "create", "--ipv6", "front"])?;
    engine.ok(&["run", "-d", "--name", "web", "--network", "front", "-p", "8080:80", "--", "sleep", "1d"])?;
    all_say(&mut talks).context("with a network, a sandbox and a published port")?;
    engine.terminate()?;
    all_say(&mut talks).context("without its daemon")?;
    engine.clean_up()?;
    all_say(&mut talks).context("after the clean-up")
}
