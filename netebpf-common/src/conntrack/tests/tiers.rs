//! Pending and assured flows: who moves, who gives way, what is restored.

use crate::{
    abi::{Family, FlowState},
    model::{FrameSpec, Origin, Rules, Segment, World},
    tables::Tier,
    verdict::{DropReason, Verdict},
};

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
const FIN: u8 = 17;
const OUTSIDE: Origin = Origin::Outside;
const SANDBOX: Origin = Origin::Sandbox(0);

/// A packet of the client's connection to the published port, and one of the server's.
fn request(family: Family, flags: u8) -> FrameSpec {
    World::incoming(World::host(family), Segment::Tcp { source: 4000, destination: 8080, flags })
}

fn answer(family: Family, flags: u8) -> FrameSpec {
    World::routed(0, World::client(family), Segment::Tcp { source: 80, destination: 4000, flags })
}

/// A connection of which three packets have passed.
fn connected(family: Family) -> World {
    let mut world = World::usual();
    world.pass(OUTSIDE, &request(family, SYN));
    world.pass(SANDBOX, &answer(family, SYN | ACK));
    assert!(world.tables.flows.is_empty(), "the server alone proves nothing");
    world.pass(OUTSIDE, &request(family, ACK));
    world
}

fn states(world: &World, tier: Tier) -> std::vec::Vec<FlowState> {
    world.tables.tier(tier).values().map(crate::abi::Flow::state).collect()
}

#[test]
fn the_third_packet_assures_a_flow_and_leaves_a_closed_residue() {
    for family in World::FAMILIES {
        let world = connected(family);
        assert_eq!(states(&world, Tier::Assured), [FlowState::Established; 2]);
        assert_eq!(states(&world, Tier::Pending), [FlowState::Closed; 2]);
        let packets: u64 = world.tables.flows.values().map(|flow| flow.packets).sum();
        assert_eq!(packets, 3);
    }
}

#[test]
fn queries_never_need_more_than_a_pending_flow() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let ping = World::routed(0, World::client(family), Segment::ping(World::client(family), 7));
        for _ in 0..3 {
            let outside = world.pass(SANDBOX, &ping);
            world.pass(OUTSIDE, &World::answer_from(OUTSIDE, &outside).expect("an answer"));
        }
        assert!(world.tables.flows.is_empty());
    }
}

#[test]
fn a_flood_of_openings_displaces_only_what_is_pending() {
    for family in World::FAMILIES {
        let mut world = connected(family);
        world.tables.pending_limit = 16;
        for source in 10_000..10_500 {
            let syn = World::incoming(World::host(family), Segment::syn(source, 8080));
            let inside = world.pass(OUTSIDE, &syn);
            // The server answers all of them, the flooder none of the answers.
            world.pass(SANDBOX, &World::answer_from(SANDBOX, &inside).expect("an answer"));
        }
        assert_eq!(world.tables.flows.len(), 2);
        assert!(world.tables.pending.len() <= 16);
        world.pass(OUTSIDE, &request(family, ACK));
        world.pass(SANDBOX, &answer(family, ACK));
    }
}

#[test]
fn when_the_assured_table_is_full_a_flow_stays_pending_and_works() {
    for family in World::FAMILIES {
        for limit in [1, 2, 3] {
            let mut world = connected(family);
            world.tables.flow_limit = limit;
            world.tables.flows.clear();
            world.tables.pending.clear();
            for source in [1, 2, 3] {
                let segment = |flags| Segment::Tcp { source, destination: 8080, flags };
                let inside = world.pass(OUTSIDE, &World::incoming(World::host(family), segment(SYN)));
                world.pass(SANDBOX, &World::answer_from(SANDBOX, &inside).expect("an answer"));
                for _ in 0..3 {
                    let inside = world.pass(OUTSIDE, &World::incoming(World::host(family), segment(ACK)));
                    world.pass(SANDBOX, &World::answer_from(SANDBOX, &inside).expect("an answer"));
                }
            }
            assert_eq!(world.tables.flows.len(), limit / 2 * 2, "both entries or none");
        }
    }
}

#[test]
fn a_lost_half_is_restored_by_the_next_packet() {
    for family in World::FAMILIES {
        let out = World::routed(0, World::client(family), Segment::udp(1000, 53));
        let back = World::incoming(World::host(family), Segment::udp(53, 1000));
        for lost in [true, false] {
            let mut world = World::usual();
            world.pass(SANDBOX, &out);
            let is_reply = |tuple: &crate::abi::Tuple| tuple.source == World::client(family).into();
            world.tables.pending.retain(|tuple, _| is_reply(tuple) != lost);
            assert_eq!(world.tables.pending.len(), 1);
            assert_eq!(world.pass(SANDBOX, &out).ends().0, (World::host(family), 1000));
            assert_eq!(world.tables.pending.len(), 2);
            assert_eq!(world.pass(OUTSIDE, &back).destination, World::address(0, family));
        }
    }
}

#[test]
fn a_lost_half_whose_tuple_somebody_else_has_by_now_gets_another() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let mine = World::routed(0, World::client(family), Segment::udp(1000, 53));
        let theirs = World::routed(1, World::client(family), Segment::udp(1000, 53));
        let back = World::incoming(World::host(family), Segment::udp(53, 1000));
        world.pass(SANDBOX, &mine);
        world.tables.pending.retain(|tuple, _| tuple.source != World::client(family).into());
        // The other flow takes the tuple and moves to the assured ones; what it left behind is displaced.
        assert_eq!(world.pass(Origin::Sandbox(1), &theirs).ends().0.1, 1000);
        world.pass(OUTSIDE, &back);
        world.pass(Origin::Sandbox(1), &theirs);
        world.tables.pending.retain(|tuple, _| tuple.source == World::address(0, family).into());
        let outside = world.pass(SANDBOX, &mine);
        assert_ne!(outside.ends().0.1, 1000, "two flows would have one reply tuple");
        let answer = World::answer_from(OUTSIDE, &outside).expect("an answer");
        assert_eq!(world.pass(OUTSIDE, &answer).destination, World::address(0, family));
        assert_eq!(world.pass(OUTSIDE, &back).destination, World::address(1, family));
    }
}

#[test]
fn an_answer_whose_original_half_is_lost_still_arrives() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let out = World::routed(0, World::client(family), Segment::udp(1000, 53));
        world.pass(SANDBOX, &out);
        world.tables.pending.retain(|tuple, _| tuple.source == World::client(family).into());
        let back = World::incoming(World::host(family), Segment::udp(53, 1000));
        assert_eq!(world.pass(OUTSIDE, &back).destination, World::address(0, family));
    }
}

#[test]
fn a_spurious_reset_does_not_end_an_established_flow() {
    for family in World::FAMILIES {
        let mut world = connected(family);
        world.pass(SANDBOX, &answer(family, RST));
        assert_eq!(states(&world, Tier::Assured), [FlowState::Reset; 2]);
        world.pass(OUTSIDE, &request(family, ACK));
        assert_eq!(states(&world, Tier::Assured), [FlowState::Established; 2]);
        let (verdict, _) = world.send_at(3_600, OUTSIDE, &request(family, ACK).build());
        assert!(matches!(verdict, Verdict::ToSandbox { .. }), "an hour of silence later");
        assert_eq!(states(&world, Tier::Assured), [FlowState::Established; 2]);
    }
}

#[test]
fn a_true_reset_lets_the_flow_go_after_its_short_time() {
    for family in World::FAMILIES {
        let mut world = connected(family);
        world.pass(SANDBOX, &answer(family, RST));
        let late = world.send_at(11, SANDBOX, &answer(family, RST).build());
        assert_eq!(late.0, Verdict::Drop(DropReason::UnknownFlow));
    }
}

#[test]
fn a_closed_connection_is_opened_again_by_a_syn() {
    for family in World::FAMILIES {
        for end in [RST, FIN] {
            let mut world = connected(family);
            world.pass(SANDBOX, &answer(family, end));
            world.pass(OUTSIDE, &request(family, end));
            world.pass(OUTSIDE, &request(family, SYN));
            assert!(world.tables.flows.is_empty(), "the new connection is not proved yet");
            assert_eq!(states(&world, Tier::Pending), [FlowState::Unreplied; 2]);
            world.pass(SANDBOX, &answer(family, SYN | ACK));
            world.pass(OUTSIDE, &request(family, ACK));
            assert_eq!(states(&world, Tier::Assured), [FlowState::Established; 2]);
        }
    }
}

#[test]
fn the_residue_of_a_flow_that_was_removed_does_not_outlive_it() {
    for family in World::FAMILIES {
        let mut world = connected(family);
        world.tables.flows.clear();
        world.pass(OUTSIDE, &request(family, SYN));
        assert_eq!(states(&world, Tier::Pending), [FlowState::Unreplied; 2], "begun anew");

        let mut world = connected(family);
        world.tables.flows.clear();
        let frame = request(family, ACK).build();
        let (verdict, _) = world.send_at(60, OUTSIDE, &frame);
        assert!(matches!(verdict, Verdict::ToSandbox { .. }));
        assert_eq!(states(&world, Tier::Pending), [FlowState::Unreplied; 2], "picked up as a new flow");
    }
}

#[test]
fn the_residue_of_an_assured_flow_takes_nobodys_port() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let mine = World::routed(0, World::client(family), Segment::udp(1000, 53));
        let theirs = World::routed(1, World::client(family), Segment::udp(1000, 53));
        let back = World::incoming(World::host(family), Segment::udp(53, 1000));
        for _ in 0..2 {
            world.pass(SANDBOX, &mine);
            world.pass(OUTSIDE, &back);
        }
        assert_eq!(world.tables.flows.len(), 2);
        assert_ne!(world.pass(Origin::Sandbox(1), &theirs).ends().0.1, 1000);
        assert_eq!(world.pass(OUTSIDE, &back).destination, World::address(0, family));
    }
}

#[test]
fn what_a_flow_left_behind_confirms_no_other_one() {
    for family in World::FAMILIES {
        let chosen = Rules { snat: [true, false], ..Rules::default() };
        let mut world = World::usual();
        let out = World::routed(0, World::client(family), Segment::udp(1000, 53));
        let back = World::incoming(World::host(family), Segment::udp(53, 1000));
        for _ in 0..2 {
            world.pass(SANDBOX, &out);
            world.pass(OUTSIDE, &back);
        }
        chosen.apply(&mut world);
        assert_eq!(world.pass(SANDBOX, &out).source, World::gateway(2, family));
        Rules::default().apply(&mut world);
        let _late = world.send(OUTSIDE, &back);
        assert_eq!(world.pass(SANDBOX, &out).source, World::host(family), "the rules in force");
    }
}

#[test]
fn a_flow_is_not_proved_by_another_that_has_its_lost_halfs_tuple() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        world.pass(OUTSIDE, &request(family, SYN));
        world.tables.pending.retain(|tuple, _| tuple.source == World::client(family).into());
        // The server opens a connection of its own with the ends that its answers would have had.
        world.pass(SANDBOX, &answer(family, SYN));
        let outside = world.pass(OUTSIDE, &request(family, SYN));
        assert!(world.tables.flows.is_empty());
        assert_eq!(outside.destination, World::address(0, family));
    }
}
