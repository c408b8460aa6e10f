//! Options that change what a bridge is and who leads out of it, on real packets.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    frame::{BROADCAST, ethertype},
    netns::Namespace,
    probe::{Answer, BRIEF, PATIENT, Service, tcp},
    scenario::Sandbox,
    wait,
    wire::Wire,
};

use crate::scene::{Scene, tap};

/// Something of Docker's options.
pub(crate) fn option(name: &str, value: &str) -> [String; 2] {
    ["-o".to_owned(), format!("com.docker.network.{name}={value}")]
}

pub(crate) fn create(
    scene: &Scene,
    arguments: &[&str],
    options: &[[String; 2]],
    name: &str,
) -> Result<String> {
    let options = options.iter().flatten().map(String::as_str);
    let words: Vec<_> = ["network", "create"]
        .into_iter()
        .chain(options)
        .chain(arguments.iter().copied())
        .chain([name])
        .collect();
    scene.engine.ok(&words)
}

/// Whether a link of a namespace has an address.
pub(crate) fn has(namespace: &Namespace, address: impl Into<IpAddr>) -> bool {
    namespace.link_of(address.into()).is_ok()
}

#[test]
fn a_bridge_without_address_carries_packets_and_leads_nowhere() -> Result<()> {
    let scene = Scene::new("inhibit", &["--bridge=none"])?;
    let inhibit = [option("bridge.inhibit_ipv4", "true")];
    create(&scene, &["--subnet", "10.71.0.0/24"], &inhibit, "quiet")?;
    let gateway = Ipv4Addr::new(10, 71, 0, 1);
    let first = scene.run_in("quiet", "first", &[], &[Service::Tcp(80)])?;
    let second = scene.run_in("quiet", "second", &[], &[Service::Tcp(80)])?;
    ensure!(first.address == Ipv4Addr::new(10, 71, 0, 2), "the gateway's address is kept: {}", first.address);
    ensure!(!has(&scene.world.host, gateway), "the bridge has an address");
    let seen = first.namespace.run(|| tcp((second.address, 80).into(), PATIENT))?;
    ensure!(seen == Answer::seen("second", first.address), "{seen}");
    let seen = first.namespace.run(|| tcp((gateway, 80).into(), BRIEF))?;
    ensure!(matches!(seen, Answer::TimedOut | Answer::Unreachable), "nobody is there: {seen}");

    create(&scene, &["--internal", "--subnet", "10.72.0.0/24"], &inhibit, "cell")?;
    let monk = scene.run_in("cell", "monk", &[], &[Service::Tcp(80)])?;
    ensure!(monk.address == Ipv4Addr::new(10, 72, 0, 1), "nothing is kept: {}", monk.address);
    scene.engine.terminate()?;
    scene.engine.launch()?;
    ensure!(!has(&scene.world.host, gateway), "a restart gives the bridge an address");
    Ok(())
}

/// When gratuitous ARP packets, or unsolicited neighbour advertisements, for an address were heard within a time.
fn announcements(wire: &Wire, address: IpAddr, within: Duration) -> Result<Vec<Instant>> {
    let end = Instant::now() + wait::stretched(within);
    let mut heard = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let frame =
            if left.is_zero() { None } else { wire.receive(left, |frame| announces(frame, address))? };
        match frame {
            Some(_) => heard.push(Instant::now()),
            None => return Ok(heard),
        }
    }
}

fn announces(frame: &[u8], address: IpAddr) -> bool {
    let is = |at: usize, bytes: &[u8]| frame.get(at..at + bytes.len()) == Some(bytes);
    match address {
        IpAddr::V4(v4) => {
            is(0, &BROADCAST)
                && is(12, &ethertype::ARP.to_be_bytes())
                && is(28, &v4.octets())
                && is(38, &v4.octets())
        }
        // Type 136 behind the IPv6 header, to all nodes, about the address.
        IpAddr::V6(v6) => {
            is(12, &ethertype::IPV6.to_be_bytes())
                && is(38, &Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1).octets())
                && is(54, &[136])
                && is(62, &v6.octets())
        }
    }
}

/// A network whose endpoints announce themselves as these options say, with a listener on it.
fn announcing(scene: &Scene, options: &[[String; 2]]) -> Result<Sandbox> {
    create(scene, &["--ipv6", "--subnet=10.74.0.0/24", "--subnet=fd00:74::/64"], options, "loud")?;
    scene.run_in("loud", "listener", &[], &[Service::Tcp(80)])
}

#[test]
fn endpoints_announce_themselves_as_often_as_a_network_says() -> Result<()> {
    let scene = Scene::new("announce", &["--bridge=none"])?;
    let interval = Duration::from_millis(400);
    let options = [option("advertise_addr_nmsgs", "2"), option("advertise_addr_ms", "400")];
    let listener = announcing(&scene, &options)?;
    let (wire, wire6) = (tap(&listener)?, tap(&listener)?);
    let crier = scene.run_in("loud", "crier", &[], &[Service::Tcp(80)])?;
    let heard = announcements(&wire, crier.address.into(), 4 * interval)?;
    ensure!(heard.len() == 2, "{} gratuitous ARP packets", heard.len());
    let address6 = crier.address6.context("an IPv6 address")?;
    let heard6 = announcements(&wire6, address6.into(), BRIEF)?;
    ensure!(heard6.len() == 2, "{} neighbour advertisements", heard6.len());
    Ok(())
}

#[test]
fn announcements_come_at_once_and_then_after_the_interval() -> Result<()> {
    let scene = Scene::new("interval", &["--bridge=none"])?;
    let listener = announcing(&scene, &[option("advertise_addr_ms", "700")])?;
    let wire = tap(&listener)?;
    let heard = std::thread::scope(|scope| {
        let address = Ipv4Addr::new(10, 74, 0, 3).into();
        let heard = scope.spawn(move || announcements(&wire, address, Duration::from_secs(4)));
        scene.run_in("loud", "crier", &[], &[Service::Tcp(80)])?;
        heard.join().ok().context("the listener panicked")?
    })?;
    let [first, second, third] = heard[..] else { anyhow::bail!("{} gratuitous ARP packets", heard.len()) };
    // Early by no more than what the listener's own clock is late for the one before.
    for pause in [second - first, third - second] {
        ensure!(pause > Duration::from_millis(500), "{pause:?} between two of them");
    }
    Ok(())
}

#[test]
fn a_network_may_forbid_announcements() -> Result<()> {
    let scene = Scene::new("silent", &["--bridge=none"])?;
    let listener = announcing(&scene, &[option("advertise_addr_nmsgs", "0")])?;
    let (wire, wire6) = (tap(&listener)?, tap(&listener)?);
    let crier = scene.run_in("loud", "crier", &[], &[Service::Tcp(80)])?;
    let seen = listener.namespace.run(|| tcp((crier.address, 80).into(), PATIENT))?;
    ensure!(seen == Answer::seen("crier", listener.address), "{seen}");
    ensure!(announcements(&wire, crier.address.into(), BRIEF)?.is_empty());
    let address6 = crier.address6.context("an IPv6 address")?;
    ensure!(announcements(&wire6, address6.into(), BRIEF)?.is_empty());
    Ok(())
}
