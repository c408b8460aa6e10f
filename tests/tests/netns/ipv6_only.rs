//! Networks without IPv4: neighbours, isolation, published ports, masquerade, gateway modes, and a sandbox that is in one
//! network of each version.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv6Net;
use netebpf_tests::{
    netns::Namespace,
    probe::{Answer, Connected, PATIENT, Service, ping, tcp, udp},
    scenario::{Network, Sandbox, stage},
    topology::{CLIENT, CLIENT6, HOST, HOST6, HOST6_BY_SERVER},
};
use serde_json::Value;

use crate::scene::{SERVICE, Scene};

const SIX: &str = "six";
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LOCALHOST6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const SERVICES: [Service; 2] = [Service::Tcp(80), Service::Udp(80)];

/// A scene with a network that has no IPv4 at all.
struct SixScene {
    scene: Scene,
    subnet: Ipv6Net,
    gateway: IpAddr,
}

impl SixScene {
    fn new(name: &str, options: &[&str]) -> Result<Self> {
        let scene = Scene::new(name, &[])?;
        let (subnet, gateway) = create(&scene, SIX, options)?;
        Ok(Self { scene, subnet, gateway })
    }

    fn server(&self, options: &[&str]) -> Result<(Sandbox, IpAddr)> {
        let sandbox = self.scene.run_in(SIX, "server", options, &SERVICES)?;
        let address = sandbox.address6.context("the sandbox has no IPv6 address")?.into();
        Ok((sandbox, address))
    }
}

/// Makes a network without IPv4; its subnet and gateway.
fn create(scene: &Scene, name: &str, options: &[&str]) -> Result<(Ipv6Net, IpAddr)> {
    scene.engine.ok(&[&["network", "create", "--ipv6", "--ipv4=false"], options, &[name]].concat())?;
    let found = scene.engine.json(&["network", "inspect", name])?;
    let pools = found.pointer("/0/IPAM/Config").and_then(Value::as_array).context("no pools")?;
    let [pool] = pools.as_slice() else { anyhow::bail!("not one pool: {pools:?}") };
    let text = |key| pool.get(key).and_then(Value::as_str).with_context(|| format!("no {key}: {pool}"));
    Ok((text("Subnet")?.parse()?, text("Gateway")?.parse()?))
}

/// Fails unless this answer is had by TCP and by UDP.
fn expect(from: &Namespace, to: SocketAddr, expected: &Answer) -> Result<()> {
    let patience = expected.patience();
    let seen = from.run(|| tcp(to, patience))?;
    ensure!(seen == *expected, "{} at {to}/tcp: {seen}, not {expected}", from.name());
    for connected in [Connected::Yes, Connected::No] {
        let seen = from.run(|| udp(to, connected, patience))?;
        // Whoever does not connect hears nothing of a refusal.
        let is_quiet = *expected == Answer::Refused && seen == Answer::TimedOut;
        ensure!(seen == *expected || is_quiet, "{} at {to}/udp: {seen}, not {expected}", from.name());
    }
    Ok(())
}

fn sees(source: impl Into<IpAddr>) -> Answer {
    Answer::seen("server", source)
}

#[test]
fn a_network_without_ipv4_connects_its_own_and_nobody_else() -> Result<()> {
    let six = SixScene::new("six-within", &[])?;
    let (server, address) = six.server(&[])?;
    let neighbour = six.scene.run_in(SIX, "neighbour", &[], &[Service::Udp(9)])?;
    let stranger = six.scene.run("stranger", &[], &[Service::Udp(9)])?;
    ensure!(server.address.is_unspecified(), "it has {}", server.address);
    six.scene.world.client.route(six.subnet, HOST6)?;
    let own = neighbour.address6.context("no address")?;
    let service = SocketAddr::new(address, 80);
    expect(&neighbour.namespace, service, &sees(own))?;
    expect(&six.scene.world.host, service, &sees(six.gateway))?;
    for outsider in [&stranger.namespace, &six.scene.world.client] {
        expect(outsider, service, &Answer::TimedOut)?;
        let echo = outsider.run(|| ping(address, Answer::TimedOut.patience()))?;
        ensure!(echo == Answer::TimedOut, "{} pings: {echo}", outsider.name());
    }
    let echo = neighbour.namespace.run(|| ping(address, PATIENT))?;
    ensure!(echo == Answer::Echoed, "neighbour pings: {echo}");
    // Nothing of IPv4 is there, not even a way out.
    let out = server.namespace.run(|| tcp((CLIENT, SERVICE).into(), PATIENT))?;
    ensure!(out == Answer::Unreachable, "the sandbox reaches {CLIENT}: {out}");
    Ok(())
}

#[test]
fn a_port_of_a_network_without_ipv4_is_published_on_ipv6() -> Result<()> {
    let six = SixScene::new("six-any", &[])?;
    let (server, _) = six.server(&["-p", "8080:80", "-p", "8080:80/udp"])?;
    let stranger = six.scene.run("stranger", &[], &[Service::Udp(9)])?;
    let neighbour = six.scene.run_in(SIX, "neighbour", &[], &[Service::Udp(9)])?;
    let at = |address: IpAddr| SocketAddr::new(address, 8080);
    let world = &six.scene.world;
    expect(&world.client, at(HOST6.into()), &sees(CLIENT6))?;
    for local in [LOCALHOST6, HOST6.into(), HOST6_BY_SERVER.into(), six.gateway] {
        expect(&world.host, at(local), &sees(six.gateway))?;
    }
    for container in [&stranger, &neighbour, &server] {
        expect(&container.namespace, at(HOST6.into()), &sees(six.gateway))?;
    }
    Ok(())
}

#[test]
fn a_port_of_a_network_without_ipv4_on_one_ipv6_address_is_there_alone() -> Result<()> {
    let six = SixScene::new("six-one", &[])?;
    let one = format!("[{HOST6}]:8080:80");
    let one_udp = format!("{one}/udp");
    let _server =
        six.server(&["-p", &one, "-p", &one_udp, "-p", "[::1]:8081:80", "-p", "[::1]:8081:80/udp"])?;
    let world = &six.scene.world;
    expect(&world.client, SocketAddr::new(HOST6.into(), 8080), &sees(CLIENT6))?;
    expect(&world.host, SocketAddr::new(HOST6.into(), 8080), &sees(six.gateway))?;
    expect(&world.host, SocketAddr::new(LOCALHOST6, 8080), &Answer::Refused)?;
    expect(&world.host, SocketAddr::new(LOCALHOST6, 8081), &sees(six.gateway))?;
    expect(&world.client, SocketAddr::new(HOST6.into(), 8081), &Answer::Refused)?;
    Ok(())
}

/// As with Docker, whose proxy leads from IPv6 to IPv4 but not the other way round: nothing is bound.
#[test]
fn ipv4_clients_find_nothing_where_only_ipv6_can_be_published() -> Result<()> {
    let six = SixScene::new("six-v4", &[])?;
    let ports = ["-p", "8080:80", "-p", "8080:80/udp", "-p", "0.0.0.0:8081:80", "-p", "127.0.0.1:8082:80"];
    let _server = six.server(&ports)?;
    let (host, client) = (&six.scene.world.host, &six.scene.world.client);
    for (from, to) in [(host, LOCALHOST), (host, HOST.into()), (client, HOST.into())] {
        for port in [8080, 8081, 8082] {
            expect(from, SocketAddr::new(to, port), &Answer::Refused)?;
        }
    }
    let shown = six.scene.engine.ok(&["ps"])?;
    ensure!(shown.contains("[::]:8080->80/tcp") && !shown.contains("0.0.0.0"), "{shown}");
    // The host has what the sandbox cannot use.
    host.run(|| Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080))?))?;
    Ok(())
}

#[test]
fn a_sandbox_without_ipv4_goes_out_with_the_hosts_address() -> Result<()> {
    let mut six = SixScene::new("six-out", &[])?;
    six.scene.serve_outside(&[Service::Tcp(SERVICE), Service::Udp(SERVICE)])?;
    let (server, address) = six.server(&[])?;
    let seen = server.namespace.run(|| tcp((CLIENT6, SERVICE).into(), PATIENT))?;
    ensure!(
        matches!(seen, Answer::Reached { seen_source, .. } if seen_source == IpAddr::from(HOST6)),
        "{seen}"
    );
    let echo = server.namespace.run(|| ping(CLIENT6, PATIENT))?;
    ensure!(echo == Answer::Echoed, "{echo}");

    create(&six.scene, "bare", &["-o", "com.docker.network.bridge.enable_ip_masquerade=false"])?;
    let bare = six.scene.run_in("bare", "bare", &[], &[Service::Udp(9)])?;
    let own = bare.address6.context("no address")?;
    six.scene.world.client.route(Ipv6Net::new(own, 64)?.trunc(), HOST6)?;
    let seen = bare.namespace.run(|| tcp((CLIENT6, SERVICE).into(), PATIENT))?;
    ensure!(
        matches!(seen, Answer::Reached { seen_source, .. } if seen_source == IpAddr::from(own)),
        "{seen}"
    );
    ensure!(address != IpAddr::from(own), "two sandboxes have {own}");
    Ok(())
}

#[test]
fn gateway_modes_hold_in_a_network_without_ipv4() -> Result<()> {
    for (mode, published, other) in [
        ("nat", Answer::TimedOut, Answer::TimedOut),
        ("nat-unprotected", sees(CLIENT6), sees(CLIENT6)),
        ("routed", sees(CLIENT6), Answer::TimedOut),
    ] {
        let option = format!("com.docker.network.bridge.gateway_mode_ipv6={mode}");
        let six = SixScene::new("six-mode", &["-o", &option])?;
        let services = [Service::Tcp(80), Service::Udp(80), Service::Tcp(81), Service::Udp(81)];
        let publish = ["-p", "8080:80", "-p", "8080:80/udp"];
        let server = six.scene.run_in(SIX, "server", &publish, &services)?;
        let address = server.address6.context("no address")?.into();
        let client = &six.scene.world.client;
        client.route(six.subnet, HOST6)?;
        expect(client, SocketAddr::new(address, 80), &published).context(mode)?;
        expect(client, SocketAddr::new(address, 81), &other).context(mode)?;
        let at_host = if mode == "routed" { Answer::Refused } else { sees(CLIENT6) };
        expect(client, SocketAddr::new(HOST6.into(), 8080), &at_host).context(mode)?;
    }
    Ok(())
}

#[test]
fn a_sandbox_in_one_network_of_each_version_has_both() -> Result<()> {
    let mut scene = Scene::new("four-and-six", &[])?;
    scene.serve_outside(&[Service::Tcp(SERVICE)])?;
    scene.engine.ok(&["network", "create", "four"])?;
    let (_, gateway6) = create(&scene, SIX, &[])?;
    let both = scene.run_in("four", "server", &["-p", "8080:80", "-p", "8080:80/udp"], &SERVICES)?;
    ensure!(both.address6.is_none(), "network four has IPv6");
    scene.engine.ok(&["network", "connect", SIX, "server"])?;
    let address6 = stage::address6_in(&scene.engine, SIX, &both.id)?.context("no address")?;
    let four = scene.run_in("four", "in-four", &[], &[Service::Udp(9)])?;
    let six = scene.run_in(SIX, "in-six", &[], &[Service::Udp(9)])?;
    let (client, host) = (&scene.world.client, &scene.world.host);
    let at = SocketAddr::new;

    expect(&four.namespace, at(both.address.into(), 80), &sees(four.address))?;
    expect(&six.namespace, at(address6.into(), 80), &sees(six.address6.context("no address")?))?;
    // Each version is published by the network that has it.
    expect(client, at(HOST.into(), 8080), &sees(CLIENT))?;
    expect(client, at(HOST6.into(), 8080), &sees(CLIENT6))?;
    expect(host, at(LOCALHOST6, 8080), &sees(gateway6))?;
    expect(&four.namespace, at(HOST.into(), 8080), &sees(gateway_of(&scene, "four")?))?;
    expect(&six.namespace, at(HOST6.into(), 8080), &sees(gateway6))?;
    for (to, host) in [(IpAddr::from(CLIENT), IpAddr::from(HOST)), (CLIENT6.into(), HOST6.into())] {
        let seen = both.namespace.run(|| tcp(at(to, SERVICE), PATIENT))?;
        ensure!(
            matches!(seen, Answer::Reached { seen_source, .. } if seen_source == host),
            "out to {to}: {seen}"
        );
    }
    // With the network its version goes, and the other stays.
    scene.engine.ok(&["network", "disconnect", SIX, "server"])?;
    expect(client, at(HOST.into(), 8080), &sees(CLIENT))?;
    // A server without IPv6 could not see who asks, unless it is the host.
    expect(client, at(HOST6.into(), 8080), &Answer::TimedOut)?;
    let (lo, gateway) = (at(LOCALHOST6, 8080), gateway_of(&scene, "four")?);
    let seen = host.run(|| tcp(lo, PATIENT))?;
    ensure!(seen == sees(gateway), "host at {lo}/tcp: {seen}");
    let seen = host.run(|| udp(lo, Connected::Yes, PATIENT))?;
    ensure!(seen == sees(gateway), "host at {lo}/udp: {seen}");
    // The kernel lets no program turn the IPv6 destination of one datagram into an IPv4 one.
    let seen = host.run(|| udp(lo, Connected::No, PATIENT));
    ensure!(!matches!(seen, Ok(Answer::Reached { .. })), "host at {lo}/udp, not connected: {seen:?}");
    Ok(())
}

fn gateway_of(scene: &Scene, network: &str) -> Result<IpAddr> {
    Ok(Network::inspect(&scene.engine, network)?.gateway.into())
}
