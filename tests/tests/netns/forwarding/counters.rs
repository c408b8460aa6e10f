//! What was asked is counted for each network, by what became of it.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use hickory_proto::{op::ResponseCode::ServFail, rr::RecordType};
use netebpf_tests::{
    dns::{DOCKERS, Elsewhere, Manner, OURS, Transport, ask, exchange, query},
    probe::PATIENT,
    scenario::Sandbox,
    wait,
};
use serde_json::Value;

use super::{host::on_host, idle_in, resolves};
use crate::scene::Scene;

const KNOWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
/// As JSON has them and the table shows them, in this order.
const SORTS: [&str; 5] = ["queries", "answered", "forwarded", "failed", "refused"];

/// The counts of a network: those of the server in the order of [`SORTS`], then the kernel's.
fn counts(scene: &Scene, network: &str) -> Result<([u64; 5], u64)> {
    let status = scene.engine.json(&["status", "--json"])?;
    let all = status.get("queries").and_then(Value::as_array).context("no queries")?;
    let of_network = all.iter().find(|counts| counts.get("network").is_some_and(|name| name == network));
    let of_network = of_network.with_context(|| format!("no {network} in {status}"))?;
    let count = |sort| {
        of_network.get(sort).and_then(Value::as_u64).with_context(|| format!("no {sort} in {of_network}"))
    };
    let mut of_server = [0; 5];
    for (place, sort) in of_server.iter_mut().zip(SORTS) {
        *place = count(sort)?;
    }
    Ok((of_server, count("answered_in_kernel")?))
}

/// Does something, and fails unless these counts come to be so much higher.
fn counts_by(
    scene: &Scene,
    network: &str,
    (of_server, in_kernel): ([u64; 5], u64),
    act: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let (before, before_in_kernel) = counts(scene, network)?;
    act()?;
    let more = || {
        let (now, now_in_kernel) = counts(scene, network).ok()?;
        Some((std::array::from_fn(|sort| now[sort] - before[sort]), now_in_kernel - before_in_kernel))
    };
    let expected = (of_server, in_kernel);
    wait::until("it is counted", PATIENT, || more().filter(|more| *more == expected))
        .map(drop)
        .with_context(|| format!("{SORTS:?} and in the kernel: {:?}, not {expected:?}", more()))
}

#[test]
fn queries_are_counted_on_their_network_by_what_becomes_of_them() -> Result<()> {
    on_host("counters", &[], "nameserver 127.0.0.1\n", |scene| {
        for network in ["counted", "other"] {
            scene.engine.ok(&["network", "create", network])?;
        }
        let server = Elsewhere::start(&scene.world.host, Ipv4Addr::LOCALHOST, Manner::Knows(KNOWN))?;
        let web = idle_in(scene, "counted", "web", &[])?;
        idle_in(scene, "other", "other", &[])?;
        let name = |name: &str, kind, transport| -> Result<()> {
            ask(&web.namespace, DOCKERS, transport, &query(name, kind)?).map(drop)
        };
        let counted = |expected, act: &dyn Fn() -> Result<()>| counts_by(scene, "counted", expected, act);
        counted(([0, 0, 0, 0, 0], 2), &|| {
            name("web.", RecordType::A, Transport::Udp)?;
            name("web.", RecordType::AAAA, Transport::Udp)
        })?;
        counted(([1, 1, 0, 0, 0], 1), &|| {
            name("web.", RecordType::MX, Transport::Udp)?;
            name("web.", RecordType::A, Transport::Tcp)
        })?;
        counted(([2, 0, 2, 0, 0], 0), &|| {
            name("far.example.", RecordType::A, Transport::Udp)?;
            name("far.example.", RecordType::A, Transport::Tcp)
        })?;
        counted(([1, 0, 0, 0, 1], 0), &|| malformed(&web))?;
        server.behave(Manner::Says(ServFail));
        counted(([1, 0, 1, 1, 0], 0), &|| resolves(&web, "far.example.", "ServFail"))?;
        let (of_server, in_kernel) = counts(scene, "other")?;
        ensure!(of_server == [0; 5] && in_kernel == 0, "another network: {of_server:?}, {in_kernel}");
        table(scene)
    })
}

fn malformed(sandbox: &Sandbox) -> Result<()> {
    let message = b"\x12\x34\x01\0\0\x02\0\0\0\0\0\0";
    let said = sandbox.namespace.run(|| exchange(OURS, Transport::Udp, message, PATIENT))?;
    ensure!(said.is_some(), "it was not told so");
    Ok(())
}

/// The text shows the numbers of the JSON.
fn table(scene: &Scene) -> Result<()> {
    let text = scene.engine.ok(&["status"])?;
    let lines = text.lines().skip_while(|line| !line.starts_with("QUERIES ON NETWORK"));
    let rows: Vec<Vec<_>> = lines.map(|line| line.split_whitespace().collect()).collect();
    let heading = text.lines().find(|line| line.starts_with("QUERIES ON NETWORK")).context("no heading")?;
    for column in ["IN KERNEL", "BY SERVER", "ANSWERED", "FORWARDED", "FAILED", "REFUSED", "LIMITED"] {
        ensure!(heading.contains(column), "no {column} in {heading}");
    }
    let row = rows.iter().find(|row| row.first() == Some(&"counted")).context("the network is not there")?;
    let (of_server, in_kernel) = counts(scene, "counted")?;
    for count in of_server.iter().chain([&in_kernel]) {
        ensure!(row.contains(&count.to_string().as_str()), "no {count} in {row:?}");
    }
    Ok(())
}

#[test]
fn a_network_without_names_is_not_counted_and_a_removed_one_is_forgotten() -> Result<()> {
    let scene = Scene::new("counters-gone", &["--bridge=netebpf0"])?;
    let networks = || -> Result<Vec<String>> {
        let status = scene.engine.json(&["status", "--json"])?;
        let all = status.get("queries").and_then(Value::as_array).context("no queries")?.clone();
        Ok(all.iter().filter_map(|one| one.get("network")?.as_str().map(str::to_owned)).collect())
    };
    assert_eq!(networks()?, ["net"]);
    scene.engine.ok(&["network", "create", "another"])?;
    assert_eq!(networks()?, ["another", "net"]);
    scene.engine.ok(&["network", "rm", "net"])?;
    assert_eq!(networks()?, ["another"]);
    Ok(())
}
