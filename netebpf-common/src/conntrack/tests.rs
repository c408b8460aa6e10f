//! States and life times of flows.

use proptest::prelude::*;

use super::{is_expired, next_state};
use crate::{
    abi::{Address, Direction, EndpointFlags, Flow, FlowState, Port, Timeouts, Tuple, WayOut, protocol},
    model::{BytePacket, FrameSpec, Links, NOW, Segment, World},
    nat,
    parse::TransportKind,
    verdict::Verdict,
};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

#[test]
fn a_tcp_connection_opens_and_closes() {
    use Direction::{Original, Reply};
    let steps = [
        (Original, SYN, FlowState::Unreplied),
        (Reply, SYN | ACK, FlowState::Established),
        (Original, ACK, FlowState::Established),
        (Reply, FIN | ACK, FlowState::ReplyClosed),
        (Original, ACK, FlowState::ReplyClosed),
        (Original, FIN | ACK, FlowState::Closed),
        (Reply, ACK, FlowState::Closed),
    ];
    let mut state = FlowState::Unreplied;
    for (direction, flags, expected) in steps {
        state = next_state(state, direction, TransportKind::Tcp, flags);
        assert_eq!(state, expected, "after {flags:#x} in direction {direction:?}");
    }
}

proptest! {
    #[test]
    fn a_reset_closes_any_flow_and_nothing_opens_it_again(
        packets in proptest::collection::vec((any::<bool>(), any::<u8>()), 0..20),
    ) {
        let mut state = FlowState::Unreplied;
        let mut reset = false;
        for (reply, flags) in packets {
            let direction = if reply { Direction::Reply } else { Direction::Original };
            state = next_state(state, direction, TransportKind::Tcp, flags);
            reset |= flags & RST != 0;
            prop_assert!(!reset || state == FlowState::Closed);
        }
    }

    #[test]
    fn a_flow_expires_when_its_time_out_has_passed_and_not_before(idle in 0..1_000_000_u64) {
        let tuple = Tuple {
            source: Address::UNSPECIFIED_V4,
            destination: Address::UNSPECIFIED_V4,
            source_port: Port::new(1),
            destination_port: Port::new(2),
            protocol: u32::from(protocol::UDP),
        };
        let way = WayOut::uplink(1, Address::UNSPECIFIED_V4);
        let flow = Flow::new(Direction::Original, nat::translation(&tuple, &tuple), way, 1, NOW);
        let limit = u64::from(Timeouts::default().udp_unreplied) * 1000;
        let now = NOW + idle * 1_000_000;
        prop_assert_eq!(is_expired(&flow, &Timeouts::default(), tuple.protocol, now), idle > limit);
    }
}

#[test]
fn each_state_lives_as_long_as_its_field_says() {
    let tuple = |protocol: u8| Tuple {
        source: Address::UNSPECIFIED_V4,
        destination: Address::UNSPECIFIED_V4,
        source_port: Port::new(1),
        destination_port: Port::new(2),
        protocol: u32::from(protocol),
    };
    let timeouts = Timeouts::default();
    let cases = [
        (protocol::TCP, FlowState::Unreplied, timeouts.tcp_unreplied),
        (protocol::TCP, FlowState::Established, timeouts.tcp_established),
        (protocol::TCP, FlowState::OriginalClosed, timeouts.tcp_closing),
        (protocol::TCP, FlowState::ReplyClosed, timeouts.tcp_closing),
        (protocol::TCP, FlowState::Closed, timeouts.tcp_closed),
        (protocol::UDP, FlowState::Unreplied, timeouts.udp_unreplied),
        (protocol::UDP, FlowState::Established, timeouts.udp_stream),
        (protocol::ICMP, FlowState::Established, timeouts.icmp),
    ];
    for (protocol, state, seconds) in cases {
        let tuple = tuple(protocol);
        let way = WayOut::uplink(1, Address::UNSPECIFIED_V4);
        let mut flow = Flow::new(Direction::Original, nat::translation(&tuple, &tuple), way, 1, NOW);
        flow.set_state(state);
        let last = NOW + u64::from(seconds) * 1_000_000_000;
        assert!(!is_expired(&flow, &timeouts, tuple.protocol, last), "{protocol} {state:?}");
        assert!(is_expired(&flow, &timeouts, tuple.protocol, last + 1), "{protocol} {state:?}");
    }
}

fn datagram(world: &mut World, now: u64) -> Verdict {
    let spec = FrameSpec {
        source_mac: World::mac(0),
        destination_mac: World::bridge_mac(0),
        source: World::address(0),
        destination: World::CLIENT,
        ttl: 64,
        option_words: 0,
        fragment: 0,
        segment: Segment::Udp { source: 1000, destination: 514, checksum: true },
        payload: std::vec::Vec::new(),
    };
    let arrival = crate::run::Arrival { now, ..world.arrival(world.links.veths[0]) };
    world.run(crate::abi::Hook::FromContainer, arrival, &mut BytePacket(spec.build()))
}

#[test]
fn one_way_traffic_keeps_the_answers_entry_alive() {
    let mut world = World::new(Links::default(), EndpointFlags::ICC);
    for second in 0..200 {
        assert!(matches!(datagram(&mut world, NOW + second * 1_000_000_000), Verdict::ToUplink { .. }));
    }
    let reply = FrameSpec {
        source_mac: World::bridge_mac(1),
        destination_mac: World::bridge_mac(0),
        source: World::CLIENT,
        destination: World::HOST,
        ttl: 64,
        option_words: 0,
        fragment: 0,
        segment: Segment::Udp { source: 514, destination: 1000, checksum: true },
        payload: std::vec::Vec::new(),
    };
    let arrival = crate::run::Arrival { now: NOW + 200_000_000_000, ..world.arrival(world.links.uplink) };
    let verdict = world.run(crate::abi::Hook::FromNetdev, arrival, &mut BytePacket(reply.build()));
    assert_eq!(verdict, Verdict::ToSandbox { ifindex: world.links.veths[0] });
}

#[test]
fn an_idle_flow_is_forgotten_and_begun_again() {
    let mut world = World::new(Links::default(), EndpointFlags::ICC);
    assert!(matches!(datagram(&mut world, NOW), Verdict::ToUplink { .. }));
    let later = NOW + 3_600_000_000_000;
    assert!(matches!(datagram(&mut world, later), Verdict::ToUplink { .. }));
    assert_eq!(world.tables.flows.len(), 2);
    assert!(world.tables.flows.values().all(|flow| flow.last_seen == later));
}
