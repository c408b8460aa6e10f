//! Flows are forgotten when they are over, and only then.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    engine::Engine,
    frame::{self, flag, protocol},
    probe::{BRIEF, Service, Talk, Transfer},
    scenario::Sandbox,
    wait,
    wire::Wire,
};

use crate::scene::{SERVICE, Scene, VERSIONS, address_like, client_like, tap};

/// The port that a server answers on, published under the same number.
const PORT: u16 = 7000;
/// More than the shortest timeouts of these tests, and several sweeps.
const IDLE: Duration = Duration::from_secs(4);

/// Short timeouts for whatever is over or unused.
const SHORT: [&str; 8] = [
    "--flow-timeout",
    "tcp_closed=1",
    "--flow-timeout",
    "tcp_closing=1",
    "--flow-timeout",
    "udp_stream=1",
    "--flow-timeout",
    "udp_unreplied=1",
];

/// A server behind a published port, and conversations in, out and from the host, in both IP versions.
fn stage(name: &str) -> Result<(Scene, Sandbox, Vec<Talk>)> {
    let mut scene = Scene::new(name, &SHORT)?;
    scene.serve_outside(&[Service::Echo(SERVICE)])?;
    let port = format!("{PORT}:{PORT}");
    let udp = format!("{PORT}:{PORT}/udp");
    let services = [Service::Echo(PORT), Service::Reflect(PORT), Service::Stream(PORT + 1)];
    let server = scene.run("server", &["-p", &port, "-p", &udp, "-p", "7001:7001"], &services)?;
    let mut talks = Vec::new();
    for like in VERSIONS {
        talks.push(Talk::tcp(&scene.world.client, SocketAddr::new(like, PORT))?);
        talks.push(Talk::tcp(&server.namespace, SocketAddr::new(client_like(like), SERVICE))?);
        talks.push(Talk::tcp(&scene.world.host, SocketAddr::new(like, PORT))?);
    }
    say(&mut talks)?;
    Ok((scene, server, talks))
}

fn say(talks: &mut [Talk]) -> Result<()> {
    talks.iter_mut().try_for_each(Talk::say)
}

/// Nobody says anything for longer than closed flows live: that is the test.
fn stay_idle() {
    wait::pace(Instant::now() + IDLE);
}

/// How many flows there are of a protocol.
fn flows(scene: &Scene, protocol: &str) -> Result<usize> {
    let shown = scene.engine.json(&["flows", "--json", "--protocol", protocol])?;
    Ok(shown.as_array().with_context(|| format!("no list of flows: {shown}"))?.len())
}

#[test]
fn idle_connections_outlive_the_sweeps_of_what_is_over() -> Result<()> {
    let (scene, _server, mut talks) = stage("sweep")?;
    let mut datagrams = Vec::new();
    for like in VERSIONS {
        datagrams.push(Talk::udp(&scene.world.client, SocketAddr::new(like, PORT))?);
    }
    say(&mut datagrams)?;
    let brief = Talk::tcp(&scene.world.client, SocketAddr::new(VERSIONS[0], PORT))?;
    let (tcp, udp) = (flows(&scene, "tcp")?, flows(&scene, "udp")?);
    ensure!(tcp > 0 && udp > 0, "{tcp} TCP and {udp} UDP flows are shown");
    drop(brief);
    wait::until("the flows of unused datagrams are gone", wait::LONG, || {
        (flows(&scene, "udp").ok()? == 0).then_some(())
    })?;
    wait::until("the closed connection is forgotten", wait::LONG, || {
        (flows(&scene, "tcp").ok()? < tcp).then_some(())
    })?;
    stay_idle();
    say(&mut talks)?;
    say(&mut datagrams)
}

#[test]
fn a_spurious_reset_does_not_end_a_connection() -> Result<()> {
    let (scene, server, mut talks) = stage("reset")?;
    let (outside, inside) = (Wire::tap(&scene.world.client, "eth0")?, tap(&server)?);
    for like in VERSIONS {
        let (client, to) = (client_like(like), SocketAddr::new(like, PORT));
        let mut talk = Talk::tcp(&scene.world.client, to)?;
        talk.say()?;
        let from = SocketAddr::new(client, talk.local()?.port());
        // Far from anything that either side would accept.
        let reset = frame::tcp(from, to, flag::RST, 0x1234_5678, 0);
        let packet = frame::ip(from.ip(), to.ip(), protocol::TCP, &reset);
        outside.send(&frame::around(scene.host_mac()?, outside.mac()?, &packet))?;
        let own = SocketAddr::new(address_like(&server, like)?, PORT);
        let reset = frame::tcp(own, from, flag::RST, 0x1234_5678, 0);
        let packet = frame::ip(own.ip(), from.ip(), protocol::TCP, &reset);
        inside.send(&frame::around(scene.gateway_mac()?, inside.mac()?, &packet))?;
        talk.say()?;
        talks.push(talk);
    }
    stay_idle();
    say(&mut talks)
}

#[test]
fn a_flood_of_new_connections_leaves_the_established_ones_alone() -> Result<()> {
    let (scene, _server, mut talks) = stage("flood")?;
    let transfer = Transfer::start(&scene.world.client, SocketAddr::new(VERSIONS[0], PORT + 1))?;
    let wire = Wire::tap(&scene.world.client, "eth0")?;
    let to = SocketAddr::new(VERSIONS[0], PORT);
    let (host, own) = (scene.host_mac()?, wire.mac()?);
    // More than the table of unproved flows holds, from addresses that nobody answers at.
    for number in 0_u32..150_000 {
        let [_, b, c, d] = number.to_be_bytes();
        let from = SocketAddr::from((Ipv4Addr::new(10, b, c, d), 1024 + u16::from(d)));
        let opening = frame::tcp(from, to, flag::SYN, number, 0);
        let packet = frame::ip(from.ip(), to.ip(), protocol::TCP, &opening);
        // A full queue drops what it cannot take, as a wire would.
        drop(wire.send(&frame::around(host, own, &packet)));
        if number % 10_000 == 0 {
            say(&mut talks).with_context(|| format!("after {number} SYN packets"))?;
        }
    }
    transfer.advance(1 << 20)?;
    say(&mut talks)?;
    for like in VERSIONS {
        Talk::udp(&scene.world.client, SocketAddr::new(like, PORT))?.say()?;
    }
    transfer.finish()?;
    Ok(())
}

#[test]
fn connections_of_both_versions_outlive_a_killed_and_a_restarted_daemon() -> Result<()> {
    let (scene, _server, mut talks) = stage("outlive")?;
    for like in VERSIONS {
        talks.push(Talk::udp(&scene.world.client, SocketAddr::new(like, PORT))?);
        talks.push(Talk::udp(&scene.world.host, SocketAddr::new(like, PORT))?);
    }
    for end in [Engine::kill, Engine::terminate] {
        end(&scene.engine)?;
        say(&mut talks)?;
        talks.push(Talk::tcp(&scene.world.client, SocketAddr::new(VERSIONS[1], PORT))?);
        scene.engine.launch()?;
        say(&mut talks)?;
        ensure!(scene.engine.ok(&["plan"])?.trim() == "nothing to do", "the new daemon has something to do");
    }
    Ok(())
}

#[test]
fn a_change_of_rules_ends_what_is_no_longer_allowed_and_nothing_else() -> Result<()> {
    let (scene, _server, mut talks) = stage("rules")?;
    let other = scene.run("other", &["-p", "7100:7000"], &[Service::Echo(PORT)])?;
    let mut doomed = Talk::tcp(&scene.world.client, SocketAddr::new(VERSIONS[0], 7100))?;
    doomed.say()?;
    scene.engine.ok(&["network", "create", "--ipv6", "another"])?;
    doomed.say()?;
    say(&mut talks)?;
    scene.engine.ok(&["rm", "-f", "other"])?;
    doomed.set_patience(BRIEF)?;
    ensure!(doomed.say().is_err(), "a removed container answers");
    say(&mut talks)?;
    drop(other);
    client_reaches_echo(&scene, VERSIONS[0])
}

fn client_reaches_echo(scene: &Scene, host: IpAddr) -> Result<()> {
    Talk::tcp(&scene.world.client, SocketAddr::new(host, PORT))?.say()
}
