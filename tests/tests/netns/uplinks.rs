//! Masquerade and published ports follow the host's routes and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netebpf_tests::{
    probe::{Answer, BRIEF, PATIENT, Server, Service, Talk, tcp},
    scenario::Sandbox,
    topology::{
        CLIENT, CLIENT6, HOST, HOST_BY_SERVER, HOST6, HOST6_BY_SERVER, OUTSIDE_PREFIX, OUTSIDE_PREFIX6,
        SERVER, SERVER6,
    },
    wait,
};

use crate::scene::{SERVICE, Scene, client_reaches};

/// An address that both machines outside have, so that only the host's route decides who answers.
const TWIN: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(198, 19, 0, 9), Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 9));

fn single(address: IpAddr) -> Result<IpNet> {
    Ok(IpNet::new(address, if address.is_ipv4() { 32 } else { 128 })?)
}

/// Waits until a sandbox at `to` is seen by `by` as coming from `source`.
fn seen_from(sandbox: &Sandbox, to: IpAddr, by: &str, source: IpAddr) -> Result<()> {
    let expected = Answer::seen(by, source);
    let mut last = None;
    wait::until(&format!("{by} sees {source} at {to}"), PATIENT, || {
        last = sandbox.namespace.run(|| tcp(SocketAddr::new(to, SERVICE), BRIEF)).ok();
        (last.as_ref() == Some(&expected)).then_some(())
    })
    .with_context(|| format!("seen last: {last:?}"))
}

#[test]
fn a_changed_route_moves_new_connections_to_the_other_uplink() -> Result<()> {
    let scene = Scene::new("reroute", &[])?;
    let world = &scene.world;
    let services = [Service::Tcp(SERVICE), Service::Echo(7000)];
    let _servers = [
        Server::start(&world.probe(), &world.client, &services)?,
        Server::start(&world.probe(), &world.server, &services)?,
    ];
    let sandbox = scene.run("sandbox", &[], &[Service::Udp(9)])?;
    for (twin, first, second) in [
        (IpAddr::from(TWIN.0), [CLIENT.into(), HOST.into()], [SERVER.into(), HOST_BY_SERVER.into()]),
        (TWIN.1.into(), [CLIENT6.into(), HOST6.into()], [SERVER6.into(), HOST6_BY_SERVER.into()]),
    ] {
        for machine in [&world.client, &world.server] {
            machine.address("lo", single(twin)?)?;
        }
        let [next, host]: [IpAddr; 2] = first;
        world.host.route(single(twin)?, next)?;
        seen_from(&sandbox, twin, "client", host)?;
        let [next, host]: [IpAddr; 2] = second;
        world.host.route(single(twin)?, next)?;
        seen_from(&sandbox, twin, "server", host)?;
    }
    Ok(())
}

#[test]
fn a_changed_address_is_lent_to_new_connections_and_serves_published_ports() -> Result<()> {
    let mut scene = Scene::new("renumber", &[])?;
    scene.serve_outside(&[Service::Tcp(SERVICE)])?;
    let web = scene.run("web", &["-p", "8080:80"], &[Service::Tcp(80)])?;
    let (new, new6) = (Ipv4Addr::new(198, 51, 100, 2), Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2));
    let changes: [(IpNet, IpNet, IpAddr); 2] = [
        (
            Ipv4Net::new(HOST, OUTSIDE_PREFIX)?.into(),
            Ipv4Net::new(new, OUTSIDE_PREFIX)?.into(),
            CLIENT.into(),
        ),
        (
            Ipv6Net::new(HOST6, OUTSIDE_PREFIX6)?.into(),
            Ipv6Net::new(new6, OUTSIDE_PREFIX6)?.into(),
            CLIENT6.into(),
        ),
    ];
    for (old, new, client) in changes {
        client_reaches(&scene, SocketAddr::new(old.addr(), 8080), "web")?;
        seen_from(&web, client, "client", old.addr())?;
        scene.world.host.remove_address("eth0", old)?;
        scene.world.host.address("eth0", new)?;
        seen_from(&web, client, "client", new.addr())?;
        client_reaches(&scene, SocketAddr::new(new.addr(), 8080), "web")?;
    }
    Ok(())
}

#[test]
fn an_address_that_is_gone_serves_no_published_port() -> Result<()> {
    let scene = Scene::new("gone", &[])?;
    let _web = scene.run("web", &["-p", "8080:80"], &[Service::Tcp(80)])?;
    let extra = Ipv4Net::new(Ipv4Addr::new(198, 51, 100, 33), OUTSIDE_PREFIX)?;
    let to = SocketAddr::from((extra.addr(), 8080));
    scene.world.host.address("eth0", extra)?;
    wait::until("the added address serves", PATIENT, || client_reaches(&scene, to, "web").ok())?;
    scene.world.host.remove_address("eth0", extra)?;
    wait::until("the removed address is silent", PATIENT, || {
        let answer = scene.world.client.run(|| tcp(to, BRIEF)).ok()?;
        (!matches!(answer, Answer::Reached { .. })).then_some(())
    })
}

#[test]
fn connections_that_were_there_before_the_engine_go_on() -> Result<()> {
    use netebpf_tests::{engine::Engine, topology::World};
    use std::sync::Arc;

    let world = Arc::new(World::new("before")?);
    let _server = Server::start(&world.probe(), &world.host, &[Service::Echo(7000), Service::Reflect(7000)])?;
    let mut talks = Vec::new();
    for host in [IpAddr::from(HOST), HOST6.into()] {
        let to = SocketAddr::new(host, 7000);
        talks.push(Talk::tcp(&world.client, to)?);
        talks.push(Talk::udp(&world.client, to)?);
        talks.push(Talk::tcp(&world.host, to)?);
    }
    let say = |talks: &mut Vec<Talk>| talks.iter_mut().try_for_each(Talk::say);
    say(&mut talks)?;
    let engine = Engine::start(Arc::clone(&world))?;
    say(&mut talks)?;
    engine.ok(&["network", "create", "--ipv6", "net"])?;
    say(&mut talks)?;
    engine.terminate()?;
    say(&mut talks)?;
    ensure!(engine.cli(&["cleanup", "--yes"])?.code == Some(0), "cleanup failed");
    say(&mut talks)
}
