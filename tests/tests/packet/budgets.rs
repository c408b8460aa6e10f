//! What a packet costs: verified instructions, map lookups, nanoseconds. Printed as a table into `target/budgets.md`.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;
use netebpf_common::{
    abi::{Direction, Family, Flow, FlowState, Hook, Port, Tuple, WayOut},
    model::{BytePacket, FrameSpec, NAMES, Query, Segment, World},
    nat,
    run::{Arrival, Mark},
    verdict::Verdict,
};

use crate::kernel::{Kernel, Traces, with_kernel};

/// The verifier gives up at a million; half of that leaves room on kernels that look closer (7.2 counts three times what
/// 6.18 does).
const VERIFIED_LIMIT: u32 = 500_000;

/// Lookups in hash maps for a packet whose flow is known. Reads of one-element arrays are inlined by the kernel.
const LOOKUP_LIMIT: u32 = 2;

/// Nanoseconds over an empty program; generous, because the machines that run this are shared.
const NANOSECOND_LIMIT: f64 = 600.0;

/// The same for a query that is answered at once or goes to the name server.
const QUERY_LIMIT: f64 = 2_000.0;

/// A rewritten packet loses a hop in each run, so a series ends before its time to live does.
const RUNS_PER_SERIES: u32 = 200;
const SERIES: usize = 300;

/// A packet of an established flow at the hook that handles it.
struct Course {
    name: String,
    hook: Hook,
    ifindex: u32,
    frame: Vec<u8>,
}

#[test]
fn packets_stay_within_their_budgets() {
    let table = with_kernel(World::USUAL, |mut kernel, mut world| {
        let mut table = verified(&mut kernel)?;
        table.push_str(&established(&mut kernel, &mut world)?);
        table.push_str(&asking(&mut kernel, &mut world)?);
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
        let arrival =
            Arrival { ifindex: path.ifindex, ingress: path.ifindex, mark: Mark::None, bare: false, now: 0 };
        world.tables.take_lookups();
        let verdict = world.run(path.hook, arrival, &mut BytePacket::new(path.frame.clone()));
        let lookups = world.tables.take_lookups();
        assert!(
            matches!(verdict, Verdict::ToSandbox { .. } | Verdict::ToUplink { .. }),
            "{}: {verdict:?}",
            path.name
        );
        assert!(lookups <= LOOKUP_LIMIT, "{}: {lookups} lookups", path.name);
        kernel.set_traces(&Traces::of(world))?;
        let (empty, full) = times(kernel, &path, &arrival)?;
        let over = full - empty;
        assert!(over <= NANOSECOND_LIMIT, "{}: {over:.0} ns over an empty program", path.name);
        writeln!(table, "| {} | {} | {lookups} | {full:.0} | {over:.0} |", path.name, path.hook.as_str())?;
    }
    Ok(table)
}

/// Queries become something else in their first run, so that each run is one of its own, with what it costs to start one.
fn asking(kernel: &mut Kernel, world: &mut World) -> Result<String> {
    let mut table = String::from(
        "\n| query | map lookups | ns, in runs of one | over an empty program |\n|---|---:|---:|---:|\n",
    );
    let query = |name, family| Query::new(name, family);
    let with_cookie = |query| Query { edns: Some([&[0, 10, 0, 8][..], &[7; 8]].concat()), ..query };
    let courses = [
        ("one IPv4 address", query("b", Family::V4)),
        ("one IPv6 address", query("b", Family::V6)),
        ("one IPv4 address, EDNS with a cookie", with_cookie(query("b", Family::V4))),
        ("one IPv4 address, a name of 110 bytes", query(NAMES[11], Family::V4)),
        ("eight IPv4 addresses", query("many", Family::V4)),
        ("a name without addresses", query("nothing", Family::V4)),
        ("an unknown name, to the server", query("unknown", Family::V4)),
    ];
    let ifindex = world.links.veths[1];
    let arrival = Arrival { ifindex, ingress: ifindex, mark: Mark::None, bare: false, now: 0 };
    for (name, query) in courses {
        let frame = World::asking(1, Segment::udp(4000, 53), query.build()).build();
        world.tables.take_lookups();
        let verdict = world.run(Hook::FromContainer, arrival, &mut BytePacket::new(frame.clone()));
        let lookups = world.tables.take_lookups();
        assert!(
            matches!(verdict, Verdict::Answered { .. } | Verdict::ToResolver { .. }),
            "{name}: {verdict:?}"
        );
        let (mut empty, mut full) = (Vec::new(), Vec::new());
        for _ in 0..SERIES * 10 {
            empty.push(kernel.time("baseline", &arrival, &frame, 1)?);
            full.push(kernel.time(Hook::FromContainer.as_str(), &arrival, &frame, 1)?);
        }
        let (empty, full) = (median(empty), median(full));
        let over = full - empty;
        assert!(over <= QUERY_LIMIT, "{name}: {over:.0} ns over an empty program");
        writeln!(table, "| {name} | {lookups} | {full:.0} | {over:.0} |")?;
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
    World::FAMILIES.into_iter().flat_map(|family| paths_of(world, family)).collect()
}

fn paths_of(world: &mut World, family: Family) -> [Course; 3] {
    let links = world.links;
    let tcp = Segment::Tcp { source: 4000, destination: 80, flags: 16 };
    let long = |spec| FrameSpec { ttl: 255, payload: vec![0; 64], ..spec };
    let neighbour = long(World::direct(0, 1, family, tcp.clone()));
    let out = long(World::routed(0, World::client(family), tcp.clone()));
    let back = long(World::incoming(World::host(family), tcp));
    let uplink = WayOut::uplink(links.uplink, World::client(family).into(), 1500);
    let sandbox = WayOut::sandbox(links.veths[0], World::mac(0), World::bridge_mac(0));
    establish(world, &out, uplink);
    establish(world, &back, sandbox);
    let version = match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    };
    let course = |name: &str, hook, ifindex, spec: &FrameSpec| {
        let name = format!("{version} {name}");
        Course { name, hook, ifindex, frame: spec.build() }
    };
    [
        course("container → container", Hook::FromContainer, links.veths[0], &neighbour),
        course("container → outside", Hook::FromContainer, links.veths[0], &out),
        course("outside → container", Hook::FromNetdev, links.uplink, &back),
    ]
}

fn establish(world: &mut World, spec: &FrameSpec, way_out: WayOut) {
    let (source, destination) = spec.ends();
    let tuple = Tuple {
        source: source.0.into(),
        destination: destination.0.into(),
        source_port: Port::new(source.1),
        destination_port: Port::new(destination.1),
        protocol: u32::from(spec.segment.protocol(spec.destination)),
    };
    let mut translation = nat::translation(&tuple, &tuple);
    translation.address_delta = 1;
    translation.port_delta = 1;
    let mut flow = Flow::new(Direction::Original, translation, way_out, world.config.epoch, u64::MAX);
    flow.set_state(FlowState::Established);
    world.tables.flows.insert(tuple, flow);
}
