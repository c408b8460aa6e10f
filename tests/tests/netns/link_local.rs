//! Link-local addresses that users give sandboxes, on real packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6};

use anyhow::{Result, ensure};
use netebpf_tests::{
    probe::{Answer, PATIENT, Service, ping, tcp},
    scenario::Sandbox,
};
use nix::net::if_::if_nametoindex;

use crate::scene::Scene;

const WEB: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(169, 254, 8, 8), Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x88));
const DB: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(169, 254, 9, 9), Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x99));

/// A scene with these networks, which speak both IP versions.
fn scene(name: &str, networks: &[&str]) -> Result<Scene> {
    let scene = Scene::new(name, &["--bridge=none"])?;
    for network in networks {
        scene.engine.ok(&["network", "create", "--ipv6", network])?;
    }
    Ok(scene)
}

fn run(scene: &Scene, network: &str, name: &str, (v4, v6): (Ipv4Addr, Ipv6Addr)) -> Result<Sandbox> {
    let [v4, v6] = [v4.to_string(), v6.to_string()];
    let flags = ["--link-local-ip", &v4, "--link-local-ip", &v6];
    scene.run_in(network, name, &flags, &[Service::Tcp(80)])
}

/// Fails unless one reaches the other at its link-local addresses, by IPv4 with its own.
fn reaches(from: &Sandbox, own: Ipv4Addr, to: (Ipv4Addr, Ipv6Addr), name: &str) -> Result<()> {
    let echoed = from.namespace.run(|| ping(to.0, PATIENT))?;
    ensure!(echoed == Answer::Echoed, "{}: {echoed}", to.0);
    let seen = from.namespace.run(|| tcp((to.0, 80).into(), PATIENT))?;
    ensure!(seen == Answer::seen(name, own), "{}: {seen}", to.0);
    // With which of its IPv6 addresses on the link a client comes is for the kernel to choose.
    let index = from.namespace.run(|| Ok(if_nametoindex("eth0")?))?;
    let seen = from.namespace.run(|| tcp(SocketAddrV6::new(to.1, 80, 0, index).into(), PATIENT))?;
    ensure!(matches!(&seen, Answer::Reached { by, .. } if by == name), "{}: {seen}", to.1);
    Ok(())
}

#[test]
fn sandboxes_reach_each_other_by_link_local_addresses() -> Result<()> {
    let scene = scene("link-local", &["front", "back"])?;
    let (web, db) = (run(&scene, "front", "web", WEB)?, run(&scene, "front", "db", DB)?);
    let shown = "{{json .NetworkSettings.Networks.front.IPAMConfig}}";
    let shown = scene.engine.ok(&["inspect", "-f", shown, "web"])?;
    ensure!(shown.trim() == format!(r#"{{"LinkLocalIPs":["{}","{}"]}}"#, WEB.0, WEB.1), "{shown}");
    reaches(&web, WEB.0, DB, "db")?;
    reaches(&db, DB.0, WEB, "web")?;

    // Another network may have the same addresses.
    let (other, second) = (run(&scene, "back", "other", WEB)?, run(&scene, "back", "second", DB)?);
    reaches(&other, WEB.0, DB, "second")?;
    reaches(&second, DB.0, WEB, "other")?;
    reaches(&web, WEB.0, DB, "db")?;

    scene.engine.terminate()?;
    scene.engine.launch()?;
    ensure!(scene.engine.ok(&["plan"])?.trim() == "nothing to do", "a new daemon changes something");
    reaches(&db, DB.0, WEB, "web")
}

#[test]
fn a_link_local_address_comes_with_a_network_and_is_remembered() -> Result<()> {
    let scene = scene("link-local-joined", &["front"])?;
    let web = run(&scene, "front", "web", WEB)?;
    scene.engine.ok(&["network", "create", "side"])?;
    let late = scene.run_in("side", "late", &[], &[Service::Tcp(80)])?;
    let address = "169.254.7.7";
    scene.engine.ok(&["network", "connect", "--link-local-ip", address, "front", "late"])?;
    let reached = web.namespace.run(|| ping(address.parse::<IpAddr>()?, PATIENT))?;
    ensure!(reached == Answer::Echoed, "{reached}");
    scene.engine.ok(&["network", "disconnect", "side", "late"])?;
    scene.engine.ok(&["restart", "-t", "0", "late"])?;
    let reached = web.namespace.run(|| ping(address.parse::<IpAddr>()?, PATIENT))?;
    ensure!(reached == Answer::Echoed, "after a restart: {reached}");
    drop(late);

    let refused = scene.engine.cli(&["network", "connect", "--link-local-ip", "10.1.1.1", "side", "late"])?;
    let text = "Error response from daemon: invalid link local IP address: 10.1.1.1\n";
    ensure!((refused.code, refused.stderr.as_str()) == (Some(1), text), "{refused:?}");
    Ok(())
}
