//! Translation keeps its promises, on whole packets through the whole pipeline.

mod errors;

use std::{collections::BTreeSet, vec::Vec};

use proptest::prelude::*;

use crate::{
    abi::{Family, Hook, Port, Tuple, protocol},
    model::{BytePacket, Extension, FrameSpec, NOW, Origin, Segment, World},
    nat::MAX_ATTEMPTS,
    run::{Arrival, Mark},
    tables::Tier,
    verdict::{DropReason, Verdict},
};

const OUTSIDE: Origin = Origin::Outside;

pub(super) fn families() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::V4), Just(Family::V6)]
}

/// A segment that opens a flow to the client.
pub(super) fn segments(family: Family) -> impl Strategy<Value = Segment> {
    let port = 1..=u16::MAX;
    prop_oneof![
        (port.clone(), port.clone()).prop_map(|(source, destination)| Segment::syn(source, destination)),
        (port.clone(), port.clone(), any::<bool>())
            .prop_map(|(source, destination, checksum)| Segment::Udp { source, destination, checksum }),
        (port.clone(), port).prop_map(|(source, destination)| Segment::Sctp { source, destination }),
        any::<u16>().prop_map(move |identifier| Segment::ping(World::client(family), identifier)),
        Just(Segment::Other(47)),
    ]
}

fn outgoing(sandbox: usize, family: Family, segment: Segment) -> FrameSpec {
    World::routed(sandbox, World::client(family), segment)
}

/// What leaves the host of a packet that sandbox 0 sent: around its stack, or through it.
fn leave(world: &mut World, sent: &FrameSpec) -> FrameSpec {
    if !sent.source.is_ipv4() || sent.option_words == 0 {
        return world.pass(Origin::Sandbox(0), sent);
    }
    assert_eq!(world.send(Origin::Sandbox(0), sent), Verdict::Pass, "options are the stack's business");
    let routed = FrameSpec { ttl: sent.ttl - 1, ..sent.clone() };
    let mut packet = BytePacket::new(routed.build());
    let arrival = Arrival { ingress: world.links.bridges[0], ..world.arrival(world.links.uplink) };
    assert_eq!(world.run(Hook::ToNetdev, arrival, &mut packet), Verdict::ToStack);
    FrameSpec::read(&packet.bytes).expect("a frame")
}

fn payloads() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..64)
}

proptest! {
    #[test]
    fn an_answer_to_a_masqueraded_packet_comes_back_as_an_answer_to_the_original(
        (family, segment) in families().prop_flat_map(|family| (Just(family), segments(family))),
        payload in payloads(), option_words in 0..=10_u8, headers in 0..3_usize,
    ) {
        let mut world = World::usual();
        let extensions = [Extension::HopByHop, Extension::Destination, Extension::Atomic][..headers].to_vec();
        let sent = FrameSpec { option_words, extensions, payload, ..outgoing(0, family, segment) };
        let outside = leave(&mut world, &sent);
        prop_assert_eq!(outside.source, World::host(family));
        prop_assert_eq!(outside.destination, sent.destination);
        prop_assert_eq!(outside.ttl, 63, "one hop counted");
        prop_assert_eq!(&outside.payload, &sent.payload);

        let answer = World::answer_from(OUTSIDE, &outside).expect("an answer");
        let back = world.pass(OUTSIDE, &answer);
        prop_assert_eq!(back.ends(), sent.answer().expect("an answer").ends());
        prop_assert_eq!((back.destination_mac, back.source_mac), (World::mac(0), World::bridge_mac(0)));
        prop_assert_eq!(back.payload, answer.payload);
    }

    #[test]
    fn a_published_port_shows_the_client_to_the_server_and_the_host_to_the_client(
        family in families(), port in 1..=u16::MAX, offset in 0..100_u16,
    ) {
        for (sandbox, segment, answering) in [
            (0, Segment::syn(port, 8080), 80),
            (1, Segment::udp(port, 5353), 53),
            (0, Segment::Sctp { source: port, destination: 7000 }, 70),
            (1, Segment::syn(port, 8443), 443),
            (3, Segment::syn(port, 20_000 + offset), 1000 + offset),
        ] {
            let mut world = World::usual();
            let request = World::incoming(World::host(family), segment);
            let inside = world.pass(OUTSIDE, &request);
            let server = (World::address(sandbox, family), answering);
            prop_assert_eq!(inside.ends(), (request.ends().0, server));
            prop_assert_eq!(inside.destination_mac, World::mac(sandbox));

            let at = Origin::Sandbox(sandbox);
            let back = world.pass(at, &World::answer_from(at, &inside).expect("an answer"));
            prop_assert_eq!(back.ends(), request.answer().expect("an answer").ends());
        }
    }

    #[test]
    fn no_two_flows_share_a_masquerade_tuple(
        family in families(),
        sources in proptest::collection::vec((0..4_usize, 1000..1004_u16), 1..40),
        answered in any::<u64>(),
    ) {
        let mut world = World::usual();
        let mut seen = BTreeSet::new();
        let mut flows = BTreeSet::new();
        for (number, (sandbox, source)) in sources.into_iter().enumerate() {
            let spec = outgoing(sandbox, family, Segment::udp(source, 53));
            let (verdict, packet) = world.send_at(0, Origin::Sandbox(sandbox), &spec.build());
            if matches!(verdict, Verdict::ToUplink { .. }) {
                let outside = FrameSpec::read(&packet.bytes).expect("a frame");
                let fresh = flows.insert((sandbox, source));
                prop_assert_eq!(seen.insert(outside.ends()), fresh, "one tuple for each flow, and always the same");
                if answered >> (number % 64) & 1 == 1 {
                    world.pass(OUTSIDE, &World::answer_from(OUTSIDE, &outside).expect("an answer"));
                }
            }
        }
        prop_assert_eq!(seen.len(), flows.len());
    }

    #[test]
    fn translating_and_answering_leaves_each_packet_as_it_was(
        (family, segment) in families().prop_flat_map(|family| (Just(family), segments(family))),
        payload in payloads(),
    ) {
        // The client sends back what it got, as it is: whoever answers at the sandbox must see what it sent.
        let mut world = World::usual();
        let sent = FrameSpec { payload: payload.clone(), ..outgoing(2, family, segment) };
        let outside = world.pass(Origin::Sandbox(2), &sent);
        let mirrored = FrameSpec { payload, ..World::answer_from(OUTSIDE, &outside).expect("an answer") };
        let back = world.pass(OUTSIDE, &mirrored);
        let (source, destination) = sent.ends();
        prop_assert_eq!(back.ends(), (destination, source));
        prop_assert_eq!(back.payload, sent.payload);
    }
}

#[test]
fn when_the_table_is_full_the_oldest_pending_flow_gives_way() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        world.tables.pending_limit = 8;
        for source in 2000..2020 {
            world.pass(Origin::Sandbox(0), &outgoing(0, family, Segment::udp(source, 53)));
        }
        assert_eq!(world.tables.pending.len(), 8);
        let last = world.tables.pending.keys().filter(|tuple| tuple.source_port == Port::new(2019)).count();
        assert_eq!(last, 1);
    }
}

#[test]
fn a_port_that_a_host_socket_uses_is_not_taken() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        world.tables.host_sockets.insert(reply_to(family, 4000));
        let outside = world.pass(Origin::Sandbox(0), &outgoing(0, family, Segment::udp(4000, 53)));
        assert_ne!(outside.ends().0.1, 4000);
    }
}

/// The tuple of answers of the client's name server to a host port.
fn reply_to(family: Family, port: u16) -> Tuple {
    Tuple {
        source: World::client(family).into(),
        destination: World::host(family).into(),
        source_port: Port::new(53),
        destination_port: Port::new(port),
        protocol: u32::from(protocol::UDP),
    }
}

#[test]
fn the_port_of_a_flow_that_is_never_answered_is_not_taken_while_it_is_in_use() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let mut send = |sandbox: usize, second: u64| {
            let frame = outgoing(sandbox, family, Segment::udp(1000, 514)).build();
            let (_, packet) = world.send_at(second, Origin::Sandbox(sandbox), &frame);
            FrameSpec::read(&packet.bytes).expect("a frame").ends().0.1
        };
        for second in 0..200 {
            assert_eq!(send(0, second), 1000);
        }
        assert_ne!(send(1, 200), 1000, "the answer's entry is idle, the flow is not");
        assert_eq!(send(0, 201), 1000);
    }
}

#[test]
fn when_no_port_can_be_had_the_packet_is_dropped_and_counted_as_such() {
    let family = Family::V6;
    let mut world = World::usual();
    for port in 0..=u16::MAX {
        world.tables.host_sockets.insert(reply_to(family, port));
    }
    let verdict = world.send(Origin::Sandbox(0), &outgoing(0, family, Segment::udp(4000, 53)));
    assert_eq!(verdict, Verdict::Drop(DropReason::NatPortsExhausted));
    assert!(world.tables.pending.is_empty(), "after {MAX_ATTEMPTS} attempts nothing is left behind");
}

#[test]
fn what_has_no_port_to_change_serves_one_sandbox_at_a_time() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let first = outgoing(0, family, Segment::Other(47));
        let second = outgoing(1, family, Segment::Other(47));
        assert_eq!(world.pass(Origin::Sandbox(0), &first).source, World::host(family));
        let verdict = world.send(Origin::Sandbox(1), &second);
        assert_eq!(verdict, Verdict::Drop(DropReason::NatPortsExhausted));
        world.pass(Origin::Sandbox(0), &first);
    }
}

#[test]
fn whatever_has_a_port_gets_another_one_when_its_own_is_taken() {
    for family in World::FAMILIES {
        let sctp = Segment::Sctp { source: 9, destination: 9 };
        let ping = Segment::ping(World::client(family), 9);
        for segment in [Segment::syn(9, 9), Segment::udp(9, 9), sctp, ping] {
            let mut world = World::usual();
            for sandbox in [0, 1] {
                let spec = outgoing(sandbox, family, segment.clone());
                let outside = world.pass(Origin::Sandbox(sandbox), &spec);
                assert_eq!(outside.ends().0.1 == 9, sandbox == 0);
                let back = world.pass(OUTSIDE, &World::answer_from(OUTSIDE, &outside).expect("an answer"));
                assert_eq!(back.ends(), spec.answer().expect("an answer").ends());
            }
        }
    }
}

#[test]
fn a_hairpin_client_comes_as_the_gateway_of_the_servers_network() {
    for family in World::FAMILIES {
        for client in [0, 1, 2] {
            let mut world = World::usual();
            let from = Origin::Sandbox(client);
            let request = World::routed(client, World::host(family), Segment::syn(5000, 8080));
            let inside = world.pass(from, &request);
            assert_eq!(inside.source, World::gateway(0, family));
            let at = Origin::Sandbox(0);
            let back = world.pass(at, &World::answer_from(at, &inside).expect("an answer"));
            assert_eq!(back.ends(), request.answer().expect("an answer").ends());
            assert_eq!(back.destination_mac, World::mac(client));
        }
    }
}

#[test]
fn a_flow_follows_the_rules_that_are_in_force() {
    for family in World::FAMILIES {
        for tier in [Tier::Pending, Tier::Assured] {
            let mut world = World::usual();
            let request = World::incoming(World::host(family), Segment::syn(5000, 8080));
            let inside = world.pass(OUTSIDE, &request);
            if tier == Tier::Assured {
                let at = Origin::Sandbox(0);
                world.pass(at, &World::answer_from(at, &inside).expect("an answer"));
                let segment = Segment::Tcp { source: 5000, destination: 8080, flags: 16 };
                world.pass(OUTSIDE, &FrameSpec { segment, ..request.clone() });
                assert_eq!(world.tables.flows.len(), 2);
            }
            world.set_config(|config| config.epoch += 2);
            world.pass(OUTSIDE, &request);
            let epoch = world.config.epoch;
            assert!(
                world.tables.tier(tier).values().all(|flow| flow.epoch == epoch),
                "both entries are renewed"
            );

            world.tables.published.clear();
            world.set_config(|config| config.epoch += 2);
            assert_eq!(
                world.send(OUTSIDE, &request),
                Verdict::Pass,
                "no longer published: the host's business"
            );
            assert!(world.tables.tier(tier).is_empty());
            assert_eq!(world.send(OUTSIDE, &request), Verdict::Pass, "and no residue of it lives on");
        }
    }
}

/// Sends the host's own SYN from port 4000 to the client's port 80.
fn host_opens(world: &mut World, family: Family) -> (Verdict, FrameSpec) {
    let source = World::host(family);
    let spec = FrameSpec { source, ..World::incoming(World::client(family), Segment::syn(4000, 80)) };
    let arrival =
        Arrival { ifindex: world.links.uplink, ingress: 0, mark: Mark::None, bare: false, now: NOW };
    let mut packet = BytePacket::from(spec.build());
    let verdict = world.run(Hook::ToNetdev, arrival, &mut packet);
    (verdict, FrameSpec::read(&packet.bytes).expect("a packet"))
}

#[test]
fn the_hosts_own_connection_gives_way_to_a_flow_and_has_its_answers() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        world.pass(Origin::Sandbox(0), &outgoing(0, family, Segment::syn(4000, 80)));
        let (verdict, sent) = host_opens(&mut world, family);
        assert_eq!(verdict, Verdict::ToStack);
        let port = sent.ends().0.1;
        assert_ne!(port, 4000);
        let answer = Segment::Tcp { source: 80, destination: port, flags: 18 };
        assert_eq!(world.send(OUTSIDE, &World::incoming(World::host(family), answer)), Verdict::ToStack);
    }
}

#[test]
fn the_hosts_own_connection_has_its_answers_where_a_flow_is_over() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        for flags in [2, 4] {
            let segment = Segment::Tcp { source: 4000, destination: 80, flags };
            world.pass(Origin::Sandbox(0), &outgoing(0, family, segment));
        }
        assert_eq!(host_opens(&mut world, family).0, Verdict::Pass);
        let answer = Segment::Tcp { source: 80, destination: 4000, flags: 18 };
        assert_eq!(world.send(OUTSIDE, &World::incoming(World::host(family), answer)), Verdict::Pass);
    }
}
