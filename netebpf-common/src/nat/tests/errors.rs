//! ICMP errors: who sent a packet is told about exactly that packet, whoever reports.

use std::vec::Vec;

use proptest::prelude::*;

use super::{families, segments};
use crate::{
    abi::{Family, Hook},
    model::{BytePacket, FrameSpec, Origin, Segment, World, checksums_are_right},
    run::Arrival,
    verdict::{DropReason, Verdict},
};

const OUTSIDE: Origin = Origin::Outside;

/// "Destination unreachable", "too big" and "time exceeded", as each version numbers them.
fn kinds(family: Family) -> impl Strategy<Value = u8> {
    match family {
        Family::V4 => proptest::sample::select(std::vec![3, 11, 12]),
        Family::V6 => proptest::sample::select(std::vec![1, 2, 3, 4]),
    }
}

/// The quoted packet as it was sent, but for the hop that was counted and a transport checksum that is not covered.
#[track_caller]
fn assert_quotes(error: &FrameSpec, sent: &FrameSpec, quoted: usize) {
    let told = FrameSpec::read_packet(&error.payload);
    let mut sent = FrameSpec { ttl: sent.ttl, ..sent.clone() }.packet();
    let headers = if error.source.is_ipv4() { 20 } else { 40 };
    sent.truncate(headers + quoted);
    let mut quote = error.payload.clone();
    // Hops, and in IPv4 the header checksum over them, are those of the place where the packet ended.
    let moving: &[usize] = if error.source.is_ipv4() { &[8, 10, 11] } else { &[7] };
    for &at in moving {
        (quote[at], sent[at]) = (0, 0);
    }
    // An SCTP checksum is over the whole packet, so in a quote nobody can check it, and it is left as it was.
    if let Some(FrameSpec { segment: Segment::Sctp { .. }, .. }) = &told {
        for bytes in [&mut quote, &mut sent] {
            bytes.iter_mut().skip(headers + 8).take(4).for_each(|byte| *byte = 0);
        }
    }
    assert_eq!(quote, sent, "{told:?}");
}

fn report(arrived: &FrameSpec, reporter: core::net::IpAddr, kind: u8, quoted: usize) -> FrameSpec {
    FrameSpec::error_about(&arrived.build(), reporter, kind, quoted).expect("a quoted packet")
}

/// How much of a packet routers quote: the least that is allowed, and more than there is.
const QUOTED: [usize; 2] = [8, 500];

proptest! {
    #[test]
    fn a_router_outside_reports_to_the_sandbox_that_sent(
        (family, segment, kind) in families().prop_flat_map(|family| (Just(family), segments(family), kinds(family))),
        payload in proptest::collection::vec(any::<u8>(), 8..40),
        quoted in proptest::sample::select(&QUOTED[..]),
    ) {
        let mut world = World::usual();
        // Another sandbox has the port already, so that this one's is changed.
        let _verdict = world.send(Origin::Sandbox(1), &World::routed(1, World::client(family), segment.clone()));
        let sent = FrameSpec { payload, ..World::routed(0, World::client(family), segment) };
        let (verdict, packet) = world.send_at(0, Origin::Sandbox(0), &sent.build());
        prop_assume!(matches!(verdict, Verdict::ToUplink { .. }));
        let router = World::outside(family, 77);
        let error = FrameSpec::error_about(&packet.bytes, router, kind, quoted).expect("a quote");
        let told = world.pass(OUTSIDE, &World::sent_by(OUTSIDE, error));
        prop_assert_eq!((told.source, told.destination), (router, World::address(0, family)));
        prop_assert_eq!(told.destination_mac, World::mac(0));
        assert_quotes(&told, &sent, quoted);
    }

    #[test]
    fn a_server_reports_to_the_client_of_its_published_port(
        family in families(), kind in prop_oneof![Just(0_usize), Just(1)],
        payload in proptest::collection::vec(any::<u8>(), 8..40),
        quoted in proptest::sample::select(&QUOTED[..]),
    ) {
        let kind = match family { Family::V4 => [3, 11][kind], Family::V6 => [1, 3][kind] };
        for (server, segment) in [(0, Segment::syn(999, 8080)), (1, Segment::udp(999, 5353))] {
            let mut world = World::usual();
            let payload = payload.clone();
            let sent = FrameSpec { payload, ..World::incoming(World::host(family), segment) };
            let inside = world.pass(OUTSIDE, &sent);
            let at = Origin::Sandbox(server);
            let error = report(&inside, World::address(server, family), kind, quoted);
            let told = world.pass(at, &World::sent_by(at, error));
            prop_assert_eq!((told.source, told.destination), (World::host(family), World::client(family)));
            assert_quotes(&told, &sent, quoted);
        }
    }

    #[test]
    fn both_ends_of_a_hairpin_hear_of_each_others_errors(
        family in families(), quoted in proptest::sample::select(&QUOTED[..]), client in 0..4_usize,
    ) {
        let mut world = World::usual();
        let kind = match family { Family::V4 => 3, Family::V6 => 1 };
        let sent = World::routed(client, World::host(family), Segment::syn(999, 8080));
        let inside = world.pass(Origin::Sandbox(client), &sent);
        let server = Origin::Sandbox(0);
        let told = world.pass(server, &World::sent_by(server, report(&inside, World::address(0, family), kind, quoted)));
        prop_assert_eq!((told.source, told.destination), (World::host(family), World::address(client, family)));
        assert_quotes(&told, &sent, quoted);

        let answer = World::answer_from(server, &inside).expect("an answer");
        let back = world.pass(server, &answer);
        let from = Origin::Sandbox(client);
        let told = world.pass(from, &World::sent_by(from, report(&back, World::address(client, family), kind, quoted)));
        prop_assert_eq!(told.destination, World::address(0, family));
        assert_quotes(&told, &answer, quoted);
    }
}

#[test]
fn an_error_about_nothing_that_was_sent_reaches_nobody() {
    for family in World::FAMILIES {
        let (mut world, kind) = (World::usual(), if family == Family::V4 { 3 } else { 1 });
        let never_sent = FrameSpec::new(World::host(family), World::client(family), Segment::udp(1000, 53));
        let error = report(&never_sent, World::client(family), kind, 500);
        assert_eq!(
            world.send(OUTSIDE, &World::sent_by(OUTSIDE, error)),
            Verdict::Pass,
            "the host's own business"
        );

        let at_sandbox =
            FrameSpec::new(World::address(0, family), World::client(family), Segment::udp(1000, 53));
        let error = report(&at_sandbox, World::client(family), kind, 500);
        let verdict = world.send(OUTSIDE, &World::sent_by(OUTSIDE, error));
        assert_eq!(verdict, Verdict::Drop(DropReason::DirectAccess));
    }
}

#[test]
fn an_error_goes_to_nobody_but_who_sent_the_quoted_packet() {
    for family in World::FAMILIES {
        let (mut world, kind) = (World::usual(), if family == Family::V4 { 3 } else { 1 });
        let outside =
            world.pass(Origin::Sandbox(0), &World::routed(0, World::client(family), Segment::udp(1000, 53)));
        for victim in [World::address(1, family), World::address(2, family)] {
            let error =
                FrameSpec { destination: victim, ..report(&outside, World::client(family), kind, 500) };
            let verdict = world.send(OUTSIDE, &World::sent_by(OUTSIDE, error));
            assert_eq!(verdict, Verdict::Drop(DropReason::DirectAccess));
        }
        let error = FrameSpec {
            source: World::address(2, family),
            destination: World::address(0, family),
            ..report(&outside, World::address(2, family), kind, 500)
        };
        let at = Origin::Sandbox(2);
        assert_eq!(world.send(at, &World::sent_by(at, error)), Verdict::Drop(DropReason::Isolated));
    }
}

#[test]
fn an_error_about_an_error_or_a_later_fragment_is_about_no_flow() {
    for family in World::FAMILIES {
        let (mut world, kind) = (World::usual(), if family == Family::V4 { 3 } else { 1 });
        let segment = Segment::Icmp { kind, identifier: 0 };
        let error = FrameSpec::new(World::host(family), World::client(family), segment);
        let about_error = report(&error, World::client(family), kind, 500);
        let later = FrameSpec {
            piece: crate::model::Piece { offset: 8, more: false },
            payload: std::vec![0; 16],
            ..FrameSpec::new(World::host(family), World::client(family), Segment::udp(1, 2))
        };
        let about_later = report(&later, World::client(family), kind, 500);
        for error in [about_error, about_later] {
            assert_eq!(world.send(OUTSIDE, &World::sent_by(OUTSIDE, error)), Verdict::Pass);
        }
    }
}

#[test]
fn what_the_host_reports_about_a_translated_packet_is_translated_on_its_way_out() {
    for family in World::FAMILIES {
        let (mut world, kind) = (World::usual(), if family == Family::V4 { 11 } else { 3 });
        // The client's packet has one hop left: it is translated, and the stack reports that it ended.
        let sent = FrameSpec { ttl: 1, ..World::incoming(World::host(family), Segment::syn(999, 8080)) };
        let (verdict, packet) = world.send_at(0, OUTSIDE, &sent.build());
        assert_eq!(verdict, Verdict::ToStack);
        let error = FrameSpec::error_about(&packet.bytes, World::host(family), kind, 500).expect("a quote");
        let mut packet = BytePacket::new(error.build());
        let arrival = Arrival { ingress: 0, ..world.arrival(world.links.uplink) };
        assert_eq!(world.run(Hook::ToNetdev, arrival, &mut packet), Verdict::ToStack);
        assert!(checksums_are_right(&packet.bytes));
        let told = FrameSpec::read(&packet.bytes).expect("a frame");
        assert_eq!((told.source, told.destination), (World::host(family), World::client(family)));
        assert_quotes(&told, &sent, 500);
        let own = FrameSpec::new(World::host(family), World::client(family), Segment::udp(1, 2)).build();
        let mut packet = BytePacket::new(own.clone());
        assert_eq!(world.run(Hook::ToNetdev, arrival, &mut packet), Verdict::Pass);
        assert_eq!(packet.bytes, own);
    }
}

#[test]
fn a_quote_that_is_cut_off_is_about_no_flow() {
    for family in World::FAMILIES {
        let (mut world, kind) = (World::usual(), if family == Family::V4 { 3 } else { 1 });
        let spec = World::routed(0, World::client(family), Segment::udp(1000, 53));
        let outside = world.pass(Origin::Sandbox(0), &spec);
        let whole: Vec<u8> = report(&outside, World::client(family), kind, 8).payload;
        for length in 0..whole.len() {
            let error = report(&outside, World::client(family), kind, 8);
            let error = FrameSpec { payload: whole[..length].to_vec(), ..error };
            assert_eq!(world.send(OUTSIDE, &World::sent_by(OUTSIDE, error)), Verdict::Pass, "{length} bytes");
        }
    }
}

#[test]
fn a_sandbox_reports_nothing_about_anothers_flow() {
    for family in World::FAMILIES {
        let (mut world, kind) = (World::usual(), if family == Family::V4 { 3 } else { 1 });
        let inside = world.pass(OUTSIDE, &World::incoming(World::host(family), Segment::syn(999, 8080)));
        for sandbox in [1, 2] {
            let at = Origin::Sandbox(sandbox);
            let error = World::sent_by(at, report(&inside, World::address(sandbox, family), kind, 500));
            assert_eq!(world.send(at, &error), Verdict::Drop(DropReason::UnknownFlow));
            let mut packet = BytePacket::new(error.build());
            let ingress = world.links.bridges[sandbox / 2];
            let arrival = Arrival { ingress, ..world.arrival(world.links.uplink) };
            let verdict = world.run(Hook::ToNetdev, arrival, &mut packet);
            assert_eq!(verdict, Verdict::Drop(DropReason::UnknownFlow), "nor by the slow way");
        }
    }
}
