//! What a packet costs: verified instructions, map lookups, nanoseconds. Printed as a table into `target/budgets.md`.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;
use netebpf_common::{
    abi::{Address, Direction, EndpointFlags, Flow, FlowState, Hook, Port, Tuple, WayOut},
    model::{BytePacket, FrameSpec, Segment, World},
    nat,
    run::Arrival,
    verdict::Verdict,
};

use crate::kernel::{Kernel, with_kernel};

/// The verifier gives up at a million; a quarter of that leaves room for kernels that look closer, and starts quickly.
const VERIFIED_LIMIT: u32 = 250_000;

/// Lookups in hash maps for a packet whose flow is known. Reads of one-element arrays are inlined by the kernel.
const LOOKUP_LIMIT: u32 = 2;

/// Nanoseconds over an empty program; generous, because the machines that run this are shared.
const NANOSECOND_LIMIT: f64 = 600.0;

/// A rewritten packet loses a hop in each run, so a series ends before its time to live does.
const RUNS_PER_SERIES: u32 = 200;
const SERIES: usize = 300;

/// A packet of an established flow at the hook that handles it.
struct Course {
    name: &'static str,
    hook: Hook,
    ifindex: u32,
    frame: Vec<u8>,
}

#[test]
fn packets_stay_within_their_budgets() {
    let table = with_kernel(EndpointFlags::ICC, |mut kernel, mut world| {
        let mut table = verified(&mut kernel)?;
        table.push_str(&established(&mut kernel, &mut world)?);
        Ok(table)
    });
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/budgets.md");
    fs::write(&target, &table).expect("the table of budgets");
    eprintln!("{table}");
}

fn verified(kernel: &mut Kernel) -> Result<String> {
    let mut table = String::from("| program | verified instructions | limit |\n|---|---:|---:|\n");
    for (name, count) in kernel.verified_instructions()? {
        assert!(count <= VERIFIED_LIMIT, "{name}: the verifier looked at {count} instructions");
        writeln!(table, "| {name} | {count} | {VERIFIED_LIMIT} |")?;
    }
    Ok(table)
}

fn established(kernel: &mut Kernel, world: &mut World) -> Result<String> {
    let mut table = String::from(
        "\n| established packet | hook | map lookups | ns per run | over an empty program |\n|---|---|---:|---:|---:|\n",
    );
    for path in paths(world) {
        let arrival = Arrival { ifindex: path.ifindex, ingress: path.ifindex, decided: false, now: 0 };
        world.tables.take_lookups();
        let verdict = world.run(path.hook, arrival, &mut BytePacket(path.frame.clone()));
        let lookups = world.tables.take_lookups();
        assert!(
            matches!(verdict, Verdict::ToSandbox { .. } | Verdict::ToUplink { .. }),
            "{}: {verdict:?}",
            path.name
        );
        assert!(lookups <= LOOKUP_LIMIT, "{}: {lookups} lookups", path.name);
        kernel.set_flows(&world.tables.flows)?;
        let (empty, full) = times(kernel, &path, &arrival)?;
        let over = full - empty;
        assert!(over <= NANOSECOND_LIMIT, "{}: {over:.0} ns over an empty program", path.name);
        writeln!(table, "| {} | {} | {lookups} | {full:.0} | {over:.0} |", path.name, path.hook.as_str())?;
    }
    Ok(table)
}

/// The medians of interleaved series: an empty program, the hook's.
fn times(kernel: &mut Kernel, path: &Course, arrival: &Arrival) -> Result<(f64, f64)> {
    let (mut empty, mut full) = (Vec::new(), Vec::new());
    for _ in 0..SERIES {
        empty.push(kernel.time("baseline", arrival, &path.frame, RUNS_PER_SERIES)?);
        full.push(kernel.time(path.hook.as_str(), arrival, &path.frame, RUNS_PER_SERIES)?);
    }
    Ok((median(empty), median(full)))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// One path of each kind. Translations are to the packet's own tuple, with the full work of a rewrite, so that a packet
/// that is run again and again stays the same flow's.
fn paths(world: &mut World) -> Vec<Course> {
    let links = world.links;
    let frame = |source_mac, destination_mac, source, destination, segment| {
        FrameSpec {
            source_mac,
            destination_mac,
            source,
            destination,
            ttl: 255,
            option_words: 0,
            fragment: 0,
            segment,
            payload: vec![0; 64],
        }
        .build()
    };
    let tcp = Segment::Tcp { source: 4000, destination: 80, flags: 16 };
    let neighbour = frame(World::mac(0), World::mac(1), World::address(0), World::address(1), tcp.clone());
    let out = frame(World::mac(0), World::bridge_mac(0), World::address(0), World::CLIENT, tcp.clone());
    let back = frame(World::mac(3), World::bridge_mac(3), World::CLIENT, World::HOST, tcp);
    let uplink = WayOut::uplink(links.uplink, World::CLIENT.into());
    let sandbox = WayOut::sandbox(links.veths[0], World::mac(0), World::bridge_mac(0));
    establish(world, &out, uplink);
    establish(world, &back, sandbox);
    vec![
        Course {
            name: "container → container",
            hook: Hook::FromContainer,
            ifindex: links.veths[0],
            frame: neighbour,
        },
        Course {
            name: "container → outside",
            hook: Hook::FromContainer,
            ifindex: links.veths[0],
            frame: out,
        },
        Course { name: "outside → container", hook: Hook::FromNetdev, ifindex: links.uplink, frame: back },
    ]
}

fn establish(world: &mut World, frame: &[u8], way_out: WayOut) {
    let address = |at: usize| {
        Address::v4_from_wire(u32::from_ne_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]]))
    };
    let port = |at: usize| Port::new(u16::from_be_bytes([frame[at], frame[at + 1]]));
    let tuple = Tuple {
        source: address(26),
        destination: address(30),
        source_port: port(34),
        destination_port: port(36),
        protocol: u32::from(frame[23]),
    };
    let mut translation = nat::translation(&tuple, &tuple);
    translation.address_delta = 1;
    translation.port_delta = 1;
    let mut flow = Flow::new(Direction::Original, translation, way_out, world.config.epoch, u64::MAX);
    flow.set_state(FlowState::Established);
    world.tables.flows.insert(tuple, flow);
}
