//! States and life times of flows.

mod tiers;

use proptest::prelude::*;

use super::{is_expired, next_state};
use crate::{
    abi::{Address, Direction, Flow, FlowState, Port, Timeouts, Tuple, WayOut, protocol},
    model::{Origin, Segment, World},
    nat,
    parse::TransportKind,
    verdict::Verdict,
};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

fn states(packets: &[(Direction, u8)]) -> FlowState {
    let step = |state, &(direction, flags): &(Direction, u8)| {
        next_state(state, direction, TransportKind::Tcp, flags)
    };
    packets.iter().fold(FlowState::Unreplied, step)
}

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
    let packets = steps.map(|(direction, flags, _)| (direction, flags));
    for (number, (_, flags, expected)) in steps.into_iter().enumerate() {
        assert_eq!(states(&packets[..=number]), expected, "after {flags:#x}");
    }
}

#[test]
fn traffic_after_a_reset_proves_it_spurious() {
    use Direction::{Original, Reply};
    let reset = [(Original, SYN), (Reply, SYN | ACK), (Reply, RST)];
    assert_eq!(states(&reset), FlowState::Reset);
    for direction in [Original, Reply] {
        assert_eq!(states(&[&reset[..], &[(direction, ACK)]].concat()), FlowState::Established);
        assert_eq!(states(&[&reset[..], &[(direction, RST | ACK)]].concat()), FlowState::Reset);
    }
}

fn packets() -> impl Strategy<Value = std::vec::Vec<(Direction, u8)>> {
    let direction =
        any::<bool>().prop_map(|reply| if reply { Direction::Reply } else { Direction::Original });
    proptest::collection::vec((direction, any::<u8>()), 0..20)
}

proptest! {
    #[test]
    fn a_reset_shortens_any_flows_life_until_traffic_goes_on(packets in packets(), direction: bool, flags: u8) {
        let direction = if direction { Direction::Reply } else { Direction::Original };
        let state = states(&[&packets[..], &[(direction, flags | RST)]].concat());
        prop_assert_eq!(state, FlowState::Reset);
        let later = states(&[&packets[..], &[(direction, flags | RST), (direction, ACK)]].concat());
        prop_assert_eq!(later, FlowState::Established);
    }

    #[test]
    fn nothing_but_a_reset_or_both_fins_ends_a_flow(packets in packets()) {
        let ended = matches!(states(&packets), FlowState::Closed | FlowState::Reset);
        let fin = |direction| packets.iter().any(|packet| packet.0 == direction && packet.1 & FIN != 0);
        let reset = packets.iter().any(|packet| packet.1 & RST != 0);
        prop_assert!(!ended || reset || fin(Direction::Original) && fin(Direction::Reply));
    }

    #[test]
    fn other_protocols_are_unreplied_until_they_are_answered(packets in packets()) {
        let kinds = [TransportKind::Udp, TransportKind::Sctp, TransportKind::EchoRequest, TransportKind::Generic];
        for kind in kinds {
            let step = |state, packet: &(Direction, u8)| next_state(state, packet.0, kind, packet.1);
            let answered = packets.iter().any(|packet| packet.0 == Direction::Reply);
            let expected = if answered { FlowState::Established } else { FlowState::Unreplied };
            prop_assert_eq!(packets.iter().fold(FlowState::Unreplied, step), expected);
        }
    }

    #[test]
    fn a_flow_expires_when_its_time_out_has_passed_and_not_before(idle in 0..1_000_000_u64) {
        let flow = flow(FlowState::Unreplied);
        let limit = u64::from(Timeouts::default().udp_unreplied) * 1000;
        let now = idle * 1_000_000;
        prop_assert_eq!(is_expired(&flow, &Timeouts::default(), protocol::UDP.into(), now), idle > limit);
    }
}

/// A flow that was last seen at the beginning of time.
fn flow(state: FlowState) -> Flow {
    let tuple = Tuple {
        source: Address::UNSPECIFIED_V4,
        destination: Address::UNSPECIFIED_V4,
        source_port: Port::new(1),
        destination_port: Port::new(2),
        protocol: 0,
    };
    let way = WayOut::uplink(1, Address::UNSPECIFIED_V4, 1500);
    let mut flow = Flow::new(Direction::Original, nat::translation(&tuple, &tuple), way, 1, 0);
    flow.set_state(state);
    flow
}

#[test]
fn each_state_lives_as_long_as_its_field_says() {
    let timeouts = Timeouts {
        tcp_unreplied: 1,
        tcp_established: 2,
        tcp_closing: 3,
        tcp_closed: 4,
        udp_unreplied: 5,
        udp_stream: 6,
        icmp: 7,
        sctp: 8,
        generic: 9,
    };
    let cases = [
        (protocol::TCP, FlowState::Unreplied, 1),
        (protocol::TCP, FlowState::Established, 2),
        (protocol::TCP, FlowState::OriginalClosed, 3),
        (protocol::TCP, FlowState::ReplyClosed, 3),
        (protocol::TCP, FlowState::Closed, 4),
        (protocol::TCP, FlowState::Reset, 4),
        (protocol::UDP, FlowState::Unreplied, 5),
        (protocol::UDP, FlowState::Established, 6),
        (protocol::ICMP, FlowState::Unreplied, 7),
        (protocol::ICMPV6, FlowState::Established, 7),
        (protocol::SCTP, FlowState::Established, 8),
        (47, FlowState::Unreplied, 9),
    ];
    for (protocol, state, seconds) in cases {
        let last = seconds * 1_000_000_000;
        let flow = flow(state);
        assert!(!is_expired(&flow, &timeouts, protocol.into(), last), "{protocol} {state:?}");
        assert!(is_expired(&flow, &timeouts, protocol.into(), last + 1), "{protocol} {state:?}");
    }
}

#[test]
fn one_way_traffic_keeps_the_answers_entry_alive() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let request = World::routed(0, World::client(family), Segment::udp(1000, 514)).build();
        for second in 0..200 {
            let (verdict, _) = world.send_at(second, Origin::Sandbox(0), &request);
            assert!(matches!(verdict, Verdict::ToUplink { .. }));
        }
        let reply = World::incoming(World::host(family), Segment::udp(514, 1000)).build();
        let (verdict, _) = world.send_at(200, Origin::Outside, &reply);
        assert_eq!(verdict, Verdict::ToSandbox { ifindex: world.links.veths[0] });
    }
}

#[test]
fn an_idle_flow_is_forgotten_and_begun_again() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let request = World::routed(0, World::client(family), Segment::udp(1000, 514)).build();
        for second in [0, 3600] {
            let (verdict, _) = world.send_at(second, Origin::Sandbox(0), &request);
            assert!(matches!(verdict, Verdict::ToUplink { .. }));
        }
        assert_eq!(world.tables.pending.len(), 2);
        let later = crate::model::NOW + 3_600_000_000_000;
        assert!(world.tables.pending.values().all(|flow| flow.last_seen == later && flow.packets <= 1));
    }
}

#[test]
fn a_query_is_never_taken_for_an_answer_whatever_its_identifier() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let ping = World::routed(0, World::client(family), Segment::ping(World::client(family), 0));
        let outside = world.pass(Origin::Sandbox(0), &ping);
        let back = World::incoming(World::host(family), Segment::ping(World::host(family), 0));
        assert_eq!(world.send(Origin::Outside, &back), Verdict::Pass, "the host is pinged");
        world.pass(Origin::Outside, &World::answer_from(Origin::Outside, &outside).expect("an answer"));
    }
}
