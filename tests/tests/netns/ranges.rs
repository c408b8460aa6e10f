//! Ten thousand ports at once cost no more than one.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    probe::{Answer, PATIENT, Service, tcp},
    topology::HOST,
};
use serde_json::Value;

use crate::scene::{Scene, VERSIONS, client_reaches, client_reaches_udp};

/// Host ports and container ports; a socket holds each, and some machines allow a process no more than 20,000 files.
const TEN_THOUSAND: [&str; 4] =
    ["-p", "0.0.0.0:20000-29999:30000-39999", "-p", "[::]:20000-24999:30000-34999/udp"];
/// Generous for a loaded machine; one rule for each port would take minutes.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn ten_thousand_published_ports_are_a_few_entries_and_all_work() -> Result<()> {
    let scene = Scene::new("ranges", &[])?;
    let (tcp_inside, udp_inside) =
        ([30_000, 30_001, 34_567, 39_998, 39_999], [30_000, 32_767, 32_768, 34_999]);
    let services: Vec<_> =
        tcp_inside.map(Service::Tcp).into_iter().chain(udp_inside.map(Service::Udp)).collect();
    let start = Instant::now();
    let _server = scene.run("server", &TEN_THOUSAND, &services)?;
    let took = start.elapsed();
    ensure!(took < SOON, "publishing took {took:?}");
    let [host, host6] = VERSIONS;
    for port in tcp_inside {
        client_reaches(&scene, SocketAddr::new(host, port - 10_000), "server")?;
    }
    for port in udp_inside {
        client_reaches_udp(&scene, SocketAddr::new(host6, port - 10_000), "server")?;
    }
    for (like, port) in [(host, 19_999), (host, 30_000), (host6, 20_000)] {
        let answer = scene.world.client.run(|| tcp(SocketAddr::new(like, port), PATIENT))?;
        ensure!(answer == Answer::Refused, "port {port} outside of the range: {answer}");
    }
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 24_567));
    let answer = scene.world.host.run(|| tcp(loopback, PATIENT))?;
    ensure!(matches!(answer, Answer::Reached { .. }), "host at {loopback}: {answer}");
    ensure!(entries(&scene)? < 400, "{} entries for two ranges", entries(&scene)?);
    Ok(())
}

#[test]
fn a_port_within_a_published_range_is_taken_until_the_range_is_gone() -> Result<()> {
    let scene = Scene::new("taken", &[])?;
    let _server = scene.run("server", &TEN_THOUSAND, &[Service::Tcp(30_000)])?;
    let said = scene.engine.cli(&[
        "run",
        "-d",
        "--name",
        "late",
        "--network",
        "net",
        "-p",
        "25000:80",
        "--",
        "/bin/true",
    ])?;
    ensure!(said.stderr.contains("port is already allocated"), "{said:?}");
    scene.engine.ok(&["rm", "-f", "server"])?;
    let _next = scene.run("next", &["-p", "25000:80"], &[Service::Tcp(80)])?;
    client_reaches(&scene, SocketAddr::new(IpAddr::from(HOST), 25_000), "next")
}

/// How many entries the table of published ports has.
fn entries(scene: &Scene) -> Result<u64> {
    let status = scene.engine.json(&["status", "--json"])?;
    let tables = status.get("tables").and_then(Value::as_array).context("no tables")?;
    let table = tables.iter().find(|table| table.get("name").and_then(Value::as_str) == Some("PUBLISHED"));
    table.and_then(|table| table.get("entries")?.as_u64()).with_context(|| format!("no entries: {status}"))
}
