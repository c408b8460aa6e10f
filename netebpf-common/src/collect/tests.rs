//! What the collector removes, also while packets pass between any two of its steps.

use core::{cell::RefCell, net::Ipv4Addr};
use std::{collections::BTreeMap, vec::Vec};

use proptest::prelude::*;

use super::*;
use crate::{
    abi::{Address, FlowState, Mac, Port, Translation, WayOut, protocol},
    packet::ChecksumChange,
};

const SECOND: u64 = 1_000_000_000;
const NOW: u64 = 1_000_000 * SECOND;

type Entries = BTreeMap<(u32, Tuple), Flow>;

/// Tables, and a packet that begins the flow anew while the collector works.
#[derive(Default)]
struct World {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    entries: Entries,
    announced: Option<[Tuple; 2]>,
    told: Vec<Tuple>,
    traffic: Option<Traffic>,
    steps: usize,
}

/// A packet that begins the flow anew: it removes the old entries, asks for announcements, and writes the new entries,
/// each before a certain step of the collector.
struct Traffic {
    removes_at: usize,
    asks_at: usize,
    writes_at: usize,
    flow: [(Tuple, Flow); 2],
    gave_up: bool,
}

impl State {
    fn step(&mut self) {
        let (step, Some(traffic)) = (self.steps, &mut self.traffic) else { return };
        self.steps += 1;
        let keys = traffic.flow.map(|(tuple, _)| (Tier::Pending as u32, tuple));
        if step == traffic.removes_at {
            self.entries.retain(|key, _| !keys.contains(key));
        }
        if step == traffic.asks_at {
            let announced = |pair: [Tuple; 2]| is_announced(&pair, &keys[0].1, &keys[1].1);
            traffic.gave_up = self.announced.is_some_and(announced);
        }
        if step == traffic.writes_at && !traffic.gave_up {
            self.entries.extend(keys.into_iter().zip(traffic.flow.map(|(_, flow)| flow)));
        }
    }
}

impl Collector for World {
    fn flow(&self, tier: Tier, tuple: &Tuple) -> Option<Flow> {
        let mut state = self.state.borrow_mut();
        state.step();
        state.entries.get(&(tier as u32, *tuple)).copied()
    }

    fn announce(&mut self, pair: &[Tuple; 2]) {
        let mut state = self.state.borrow_mut();
        state.step();
        state.announced = Some(*pair);
    }

    fn remove(&mut self, tier: Tier, tuple: &Tuple) {
        let mut state = self.state.borrow_mut();
        state.step();
        state.entries.remove(&(tier as u32, *tuple));
    }

    fn tell(&mut self, original: &Tuple) {
        self.state.borrow_mut().told.push(*original);
    }
}

impl World {
    fn new(entries: Entries) -> Self {
        Self { state: RefCell::new(State { entries, ..State::default() }) }
    }

    fn collect(&mut self, candidates: &[Candidate]) -> Vec<bool> {
        let mut packet = Bytes(std::vec![0; HEADER]);
        packet.0.extend(candidates.iter().flat_map(Candidate::as_bytes));
        let config = Config { timeouts: Timeouts::default(), ..Config::default() };
        collect(&mut packet, self, &config, NOW);
        let records = packet.0[HEADER..].chunks_exact(size_of::<Candidate>());
        records.map(|record| Candidate::read_from_bytes(record).expect("its size").is_removed()).collect()
    }

    fn entries(&self) -> usize {
        self.state.borrow().entries.len()
    }
}

struct Bytes(Vec<u8>);

impl Packet for Bytes {
    fn length(&self) -> u32 {
        u32::try_from(self.0.len()).expect("a short packet")
    }

    fn segment_size(&self) -> u32 {
        0
    }

    fn read(&self, offset: u32, buffer: &mut [u8]) -> bool {
        let bytes = self.0.get(offset as usize..offset as usize + buffer.len());
        bytes.map(|bytes| buffer.copy_from_slice(bytes)).is_some()
    }

    fn read_counted(&self, offset: u32, buffer: &mut [u8]) -> bool {
        self.read(offset, buffer)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> bool {
        let place = self.0.get_mut(offset as usize..offset as usize + bytes.len());
        place.map(|place| place.copy_from_slice(bytes)).is_some()
    }

    fn write_covered(&mut self, offset: u32, bytes: &[u8]) -> bool {
        self.write(offset, bytes)
    }

    fn resize(&mut self, _: u32) -> bool {
        false
    }

    fn adjust_checksum(&mut self, _offset: u32, _change: ChecksumChange) -> bool {
        false
    }
}

/// A sandbox's flow out, masqueraded: its tuple and that of the answers.
fn tuples(port: u16, protocol: u8) -> [Tuple; 2] {
    let address = |last| Address::from(Ipv4Addr::new(10, 0, 0, last));
    let original = Tuple {
        source: address(2),
        destination: address(9),
        source_port: Port::new(port),
        destination_port: Port::new(80),
        protocol: u32::from(protocol),
    };
    let reply = Tuple { source: address(9), destination: address(1), ..original.mirrored() };
    [original, reply]
}

fn entry(direction: Direction, state: FlowState, idle: u64, port: u16, protocol: u8) -> Flow {
    let [original, reply] = tuples(port, protocol);
    let after = match direction {
        Direction::Original => reply.mirrored(),
        Direction::Reply => original.mirrored(),
    };
    let translation = Translation {
        source: after.source,
        destination: after.destination,
        source_port: after.source_port,
        destination_port: after.destination_port,
        address_delta: 0,
        port_delta: 0,
    };
    let way = WayOut::sandbox(7, Mac([2; 6]), Mac([3; 6]));
    let mut flow = Flow::new(direction, translation, way, 1, NOW - idle);
    flow.set_state(state);
    flow
}

fn states() -> impl Strategy<Value = FlowState> {
    prop_oneof![
        Just(FlowState::Unreplied),
        Just(FlowState::Established),
        Just(FlowState::OriginalClosed),
        Just(FlowState::Closed),
        Just(FlowState::Reset),
    ]
}

fn protocols() -> impl Strategy<Value = u8> {
    prop_oneof![Just(protocol::TCP), Just(protocol::UDP), Just(protocol::ICMP), Just(protocol::SCTP)]
}

fn tiers() -> impl Strategy<Value = Tier> {
    prop_oneof![Just(Tier::Assured), Just(Tier::Pending)]
}

/// Idle times around every time-out there is.
fn idles() -> impl Strategy<Value = u64> {
    let seconds =
        prop_oneof![Just(0_u64), Just(10), Just(30), Just(120), Just(210), Just(600), Just(432_000)];
    (seconds, 0..3 * SECOND).prop_map(|(seconds, more)| seconds * SECOND + more)
}

proptest! {
    #[test]
    fn what_goes_was_gone_for_traffic_and_what_is_over_for_long_goes(
        tier in tiers(), state in states(), protocol in protocols(), idle in [idles(), idles()], by_reply: bool,
    ) {
        let [original, reply] = tuples(1000, protocol);
        let halves = [
            ((tier as u32, original), entry(Direction::Original, state, idle[0], 1000, protocol)),
            ((tier as u32, reply), entry(Direction::Reply, state, idle[1], 1000, protocol)),
        ];
        let mut world = World::new(halves.into());
        let found = if by_reply { reply } else { original };
        let removed = world.collect(&[Candidate::new(tier, found)])[0];

        let timeouts = Timeouts::default();
        let over = |now| halves.iter().all(|(_, flow)| is_expired(flow, &timeouts, u32::from(protocol), now));
        prop_assert_eq!(removed, over(NOW - GRACE));
        prop_assert!(!removed || over(NOW), "traffic would have found it alive");
        prop_assert_eq!(world.entries(), if removed { 0 } else { 2 }, "both halves or none");
        let told = world.state.into_inner().told;
        prop_assert_eq!(told, if removed { std::vec![original] } else { Vec::new() });
    }

    #[test]
    fn a_half_flow_goes_when_it_was_pending_or_is_over(
        tier in tiers(), state in states(), protocol in protocols(), idle in idles(), original_is_left: bool,
    ) {
        let [original, reply] = tuples(1000, protocol);
        let (tuple, direction) =
            if original_is_left { (original, Direction::Original) } else { (reply, Direction::Reply) };
        let flow = entry(direction, state, idle, 1000, protocol);
        let mut world = World::new([((tier as u32, tuple), flow)].into());
        let removed = world.collect(&[Candidate::new(tier, tuple)])[0];
        let expired = is_expired(&flow, &Timeouts::default(), u32::from(protocol), NOW - GRACE);
        prop_assert_eq!(removed, expired || tier == Tier::Pending && idle > HALF_LIFE);
    }

    #[test]
    fn a_flow_that_a_packet_begins_anew_meanwhile_is_whole_or_given_up(
        removes_at in 0..9_usize, waits in [0..9_usize, 0..9], protocol in protocols(),
    ) {
        let [original, reply] = tuples(1000, protocol);
        let old = |direction| entry(direction, FlowState::Unreplied, 10_000 * SECOND, 1000, protocol);
        let new = |direction| entry(direction, FlowState::Unreplied, 0, 1000, protocol);
        let tier = Tier::Pending as u32;
        let mut world = World::new(
            [((tier, original), old(Direction::Original)), ((tier, reply), old(Direction::Reply))].into(),
        );
        let flow = [(original, new(Direction::Original)), (reply, new(Direction::Reply))];
        let asks_at = removes_at + waits[0];
        world.state.get_mut().traffic =
            Some(Traffic { removes_at, asks_at, writes_at: asks_at + waits[1], flow, gave_up: false });
        world.collect(&[Candidate::new(Tier::Pending, original)]);

        let mut state = world.state.into_inner();
        // Whatever the packet has not done yet comes after the collector's last step.
        (0..30).for_each(|_| state.step());
        let gave_up = state.traffic.as_ref().is_some_and(|traffic| traffic.gave_up);
        let whole = flow.iter().all(|(tuple, flow)| state.entries.get(&(tier, *tuple)) == Some(flow));
        prop_assert!(gave_up != whole, "gave up: {}, whole: {}", gave_up, whole);
    }
}

#[test]
fn a_flow_that_has_taken_a_lost_halfs_tuple_is_left_alone() {
    let [original, reply] = tuples(1000, protocol::UDP);
    let old = entry(Direction::Original, FlowState::Unreplied, 1000 * SECOND, 1000, protocol::UDP);
    // Another sandbox's flow has got the reply's tuple, and only sends since.
    let mut taken = entry(Direction::Reply, FlowState::Unreplied, 999 * SECOND, 1000, protocol::UDP);
    taken.translation.destination = Ipv4Addr::new(10, 0, 0, 77).into();
    let tier = Tier::Pending;
    let mut world = World::new([((tier as u32, original), old), ((tier as u32, reply), taken)].into());
    assert_eq!(world.collect(&[Candidate::new(tier, original)]), [true]);
    assert_eq!(world.state.get_mut().entries.keys().collect::<Vec<_>>(), [&(tier as u32, reply)]);
}

#[test]
fn a_batch_tells_which_of_its_flows_went() {
    let mut entries = Entries::new();
    let mut candidates = Vec::new();
    for index in 0..BATCH {
        let port = u16::try_from(index).expect("a small number") + 1000;
        let [original, reply] = tuples(port, protocol::UDP);
        let idle = if index % 3 == 0 { 1000 * SECOND } else { SECOND };
        let tier = Tier::Assured;
        for (tuple, direction) in [(original, Direction::Original), (reply, Direction::Reply)] {
            let flow = entry(direction, FlowState::Established, idle, port, protocol::UDP);
            entries.insert((tier as u32, tuple), flow);
        }
        candidates.push(Candidate::new(tier, original));
    }
    let mut world = World::new(entries);
    let removed = world.collect(&candidates);
    let expected: Vec<_> = (0..BATCH).map(|index| index % 3 == 0).collect();
    assert_eq!(removed, expected);
    let left = removed.iter().filter(|removed| !**removed).count();
    assert_eq!(world.entries(), 2 * left);
    assert_eq!(world.state.get_mut().announced, Some(NOBODY), "nothing stays announced");
}

#[test]
fn what_a_flow_leaves_behind_when_it_is_proved_goes_silently() {
    let [original, reply] = tuples(1000, protocol::TCP);
    let mut entries = Entries::new();
    for (tuple, direction) in [(original, Direction::Original), (reply, Direction::Reply)] {
        let left = entry(direction, FlowState::Closed, 100 * SECOND, 1000, protocol::TCP);
        let alive = entry(direction, FlowState::Established, 0, 1000, protocol::TCP);
        entries.insert((Tier::Pending as u32, tuple), left);
        entries.insert((Tier::Assured as u32, tuple), alive);
    }
    let mut world = World::new(entries);
    assert_eq!(world.collect(&[Candidate::new(Tier::Pending, original)]), [true]);
    assert_eq!((world.entries(), world.state.get_mut().told.len()), (2, 0));
}

#[test]
fn what_is_no_flow_removes_nothing() {
    let mut world = World::new(Entries::new());
    let [original, _] = tuples(1000, protocol::TCP);
    assert_eq!(world.collect(&[Candidate::new(Tier::Assured, original)]), [false]);
    assert_eq!(world.collect(&[]), [false; 0]);
}
