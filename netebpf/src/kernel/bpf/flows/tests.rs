//! Flows that are over go, by the program in the kernel; all others stay.

use std::net::Ipv4Addr;

use netebpf_common::{
    abi::{Address, Config, FlowState, Mac, Port, WayOut, protocol},
    nat,
};

use super::*;
use crate::{
    kernel::{Kernel as _, LinuxKernel, tests::with_data_path},
    plan::{Action, Entry},
};

const SECOND: u64 = 1_000_000_000;

/// A masqueraded flow of UDP packets: its tuple and that of the answers.
fn tuples(port: u16) -> [Tuple; 2] {
    let (sandbox, server, host) = ([10, 7, 0, 2], [198, 51, 100, 9], [198, 51, 100, 1]);
    let address = |octets: [u8; 4]| Address::from(Ipv4Addr::from(octets));
    let original = Tuple {
        source: address(sandbox),
        destination: address(server),
        source_port: Port::new(port),
        destination_port: Port::new(53),
        protocol: u32::from(protocol::UDP),
    };
    [original, Tuple { destination: address(host), ..original.mirrored() }]
}

/// Both entries of a flow that has been idle for some seconds.
fn entries(port: u16, idle: u64, state: FlowState) -> [(Tuple, Flow); 2] {
    let [original, reply] = tuples(port);
    let seen = now().expect("a clock") - idle * SECOND;
    let way = WayOut::sandbox(7, Mac([2; 6]), Mac([3; 6]));
    let entry = |direction, before: Tuple, after: Tuple| {
        let mut flow = Flow::new(direction, nat::translation(&before, &after), way, 2, seen);
        flow.set_state(state);
        (before, flow)
    };
    [
        entry(Direction::Original, original, reply.mirrored()),
        entry(Direction::Reply, reply, original.mirrored()),
    ]
}

fn left(settings: &Settings) -> Vec<u16> {
    let connections = list(settings).expect("the tables can be read");
    let mut ports: Vec<_> = connections.iter().map(|flow| flow.original.source_port.number()).collect();
    ports.sort_unstable();
    ports
}

#[test]
fn flows_that_are_over_go_by_hundreds_and_all_others_stay() {
    with_data_path("collect", async |settings| {
        let mut kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        assert_eq!(remove_expired(&settings).expect("nothing is done"), Sweep::default());
        let stream = 4;
        let timeouts = Timeouts { udp_stream: stream, ..Timeouts::default() };
        let config = Config { abi: ABI_VERSION, epoch: 2, timeouts, ..Config::default() };
        kernel.apply(&Action::Put(Entry::Config(config))).await.expect("a configuration");

        let mut assured = Table::open(&settings.maps(), map_name::FLOWS).expect("a table");
        let mut pending = Table::open(&settings.maps(), map_name::PENDING).expect("a table");
        let over = u64::from(stream) + 10;
        for port in 1000..1300 {
            let idle = if port < 1250 { over } else { 0 };
            for (tuple, flow) in entries(port, idle, FlowState::Established) {
                assured.put(tuple, flow).expect("room");
            }
        }
        let [old, _] = entries(1300, over, FlowState::Established);
        let [_, young] = entries(1300, 1, FlowState::Established);
        assured.put(old.0, old.1).and_then(|()| assured.put(young.0, young.1)).expect("room");
        // Half flows: one displaced long ago, one just being made.
        let [long_ago, _] = entries(2000, 10, FlowState::Unreplied);
        let [_, just_now] = entries(2001, 0, FlowState::Unreplied);
        pending.put(long_ago.0, long_ago.1).and_then(|()| pending.put(just_now.0, just_now.1)).expect("room");

        let sweep = remove_expired(&settings).expect("the collector runs");
        assert_eq!((sweep.entries, sweep.removed, sweep.fill), (604, 251, 0));
        let expected: Vec<u16> = (1250..=1300).chain([2001]).collect();
        assert_eq!(left(&settings), expected);
        assert_eq!(assured.count().expect("a number"), 2 * 51, "both halves or none");
        assert_eq!(remove_expired(&settings).expect("the collector runs").removed, 0);
    });
}

#[test]
fn a_flow_is_listed_once_wherever_its_entries_are() {
    with_data_path("list", async |settings| {
        let kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        let mut assured = Table::open(&settings.maps(), map_name::FLOWS).expect("a table");
        let mut pending = Table::open(&settings.maps(), map_name::PENDING).expect("a table");
        for (tuple, flow) in entries(1000, 1, FlowState::Established) {
            assured.put(tuple, flow).expect("room");
        }
        for (tuple, flow) in entries(1000, 5, FlowState::Closed) {
            pending.put(tuple, flow).expect("room");
        }
        let [_, half] = entries(1001, 1, FlowState::Unreplied);
        pending.put(half.0, half.1).expect("room");
        let mut flows = list(&settings).expect("the tables can be read");
        flows.sort_by_key(|flow| flow.original);
        let seen: Vec<_> = flows.iter().map(|flow| (flow.tier, [flow.original, flow.reply])).collect();
        assert_eq!(seen, [(Tier::Assured, tuples(1000)), (Tier::Pending, tuples(1001))]);
        let halves: Vec<_> =
            flows.iter().map(|flow| (flow.forward.is_some(), flow.backward.is_some())).collect();
        assert_eq!(halves, [(true, true), (false, true)]);
        assert_eq!(flows[0].forward.map(|flow| flow.state()), Some(FlowState::Established));
        drop(kernel);
    });
}
