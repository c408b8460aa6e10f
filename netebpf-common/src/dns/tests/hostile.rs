//! What is no query, what nobody may send, and too much of it.

use std::{vec, vec::Vec};

use super::{ask, segment};
use crate::{
    abi::{Family, LinkKey, QueryLimit, Resolver},
    dns::{CLIENT_WITHOUT_IPV4, RESOLVER},
    model::{FrameSpec, Origin, Query, Segment, World},
    verdict::{DropReason, Verdict},
};

const TO_SERVER: Verdict = Verdict::ToResolver { ifindex: 30 };

#[track_caller]
fn check(world: &mut World, from: usize, spec: &FrameSpec, expected: Verdict) {
    assert_eq!(world.send(Origin::Sandbox(from), spec), expected, "{spec:?}");
}

fn query() -> Vec<u8> {
    Query::new("a", Family::V4).build()
}

#[test]
fn odd_queries_are_left_to_the_server() {
    let simple = query();
    let changed = |place: usize, byte: u8| {
        let mut message = simple.clone();
        message[place] = byte;
        message
    };
    let odd = [
        ("an answer", changed(2, 0x81)),
        ("a notification", changed(2, 0x21)),
        ("a truncated query", changed(2, 0x03)),
        ("an authoritative query", changed(2, 0x05)),
        ("a reserved bit", changed(3, 0x40)),
        ("RA in a query", changed(3, 0x80)),
        ("a code in a query", changed(3, 0x01)),
        ("no question", changed(5, 0)),
        ("two questions", changed(5, 2)),
        ("an answer section", changed(7, 1)),
        ("an authority section", changed(9, 1)),
        ("an additional section that is not there", changed(11, 1)),
        ("two additional records", changed(11, 2)),
        ("a pointer for a name", changed(12, 0xc0)),
        ("a label beyond the end", changed(12, 60)),
        ("another class", Query { class: 3, ..Query::new("a", Family::V4) }.build()),
        ("the root", Query::new("", Family::V4).build()),
        ("a byte too many", [&simple[..], &[0]].concat()),
        ("a byte too few", simple[..simple.len() - 1].to_vec()),
        ("nothing", vec![0]),
        ("a long name", Query::new(&"abcdefg.".repeat(16), Family::V4).build()),
        ("many labels", Query::new(&"a.".repeat(40), Family::V4).build()),
        (
            "options that are none",
            Query { edns: Some(vec![0, 10, 0, 9, 1]), ..Query::new("a", Family::V4) }.build(),
        ),
        ("another option", Query { edns: Some(vec![0, 3, 0, 0]), ..Query::new("a", Family::V4) }.build()),
        ("long options", Query { edns: Some(vec![0; 100]), ..Query::new("a", Family::V4) }.build()),
    ];
    for (what, message) in odd {
        let sent = World::asking(1, segment(true), message);
        assert_eq!(World::usual().send(Origin::Sandbox(1), &sent), TO_SERVER, "{what}");
    }
    let versions = [(5, 1), (6, 1), (0, 1)];
    for (place, byte) in versions {
        let mut message = Query { edns: Some(Vec::new()), ..Query::new("a", Family::V4) }.build();
        let opt = message.len() - 11;
        message[opt + place] = byte;
        check(&mut World::usual(), 1, &World::asking(1, segment(true), message), TO_SERVER);
    }
}

#[test]
fn what_is_no_dns_is_dropped() {
    let mut world = World::usual();
    let not_dns = Verdict::Drop(DropReason::NotDns);
    let segments = [
        Segment::ping(RESOLVER.into(), 1),
        Segment::Sctp { source: 4000, destination: 53 },
        Segment::udp(4000, 54),
        Segment::udp(53, 4000),
        Segment::Tcp { source: 4000, destination: 80, flags: 2 },
        Segment::Other(47),
    ];
    for segment in segments {
        check(&mut world, 0, &World::asking(0, segment, query()), not_dns);
    }
    let long = World::asking(0, segment(true), vec![0; 200]);
    for part in long.cut(64) {
        assert_eq!(world.send_at(0, Origin::Sandbox(0), &part).0, not_dns);
    }
    let short = FrameSpec { segment: Segment::Other(17), ..World::asking(0, segment(true), vec![0; 3]) };
    check(&mut world, 0, &short, not_dns);
}

#[test]
fn nobody_asks_as_another_and_who_has_no_names_asks_nobody() {
    let mut world = World::usual();
    let spoofed = Verdict::Drop(DropReason::Spoofed);
    for source in [World::address(1, Family::V4), CLIENT_WITHOUT_IPV4.into(), RESOLVER.into()] {
        check(&mut world, 0, &FrameSpec { source, ..World::asking(0, segment(true), query()) }, spoofed);
    }
    let other_mac = FrameSpec { source_mac: World::mac(1), ..World::asking(0, segment(true), query()) };
    check(&mut world, 0, &other_mac, spoofed);
    let expected = Verdict::Drop(DropReason::NoResolver);
    check(&mut world, 3, &World::asking(3, segment(true), query()), expected);
    world.set_config(|config| config.resolver = Resolver::default());
    check(&mut world, 0, &World::asking(0, segment(true), Query::new("x", Family::V4).build()), expected);
    let (verdict, _) = ask(&mut world, 0, &Query::new("a", Family::V4));
    assert!(matches!(verdict, Verdict::Answered { .. }), "known names need no server");
}

#[test]
fn any_mac_leads_to_the_name_server() {
    let mut world = World::usual();
    for destination_mac in [World::mac(1), World::bridge_mac(0), crate::pipeline::RESOLVER_MAC] {
        let sent = FrameSpec { destination_mac, ..World::asking(0, segment(true), query()) };
        let veth = world.links.veths[0];
        check(&mut world, 0, &sent, Verdict::Answered { ifindex: veth });
    }
}

#[test]
fn a_flood_is_limited_for_its_sender_alone_and_known_names_are_not_limited() {
    let mut world = World::usual();
    world.set_config(|config| {
        config.resolver = Resolver::new(30, QueryLimit { interval: 1_000_000, burst: 10 });
    });
    let unknown = |sandbox| World::asking(sandbox, segment(true), Query::new("x", Family::V4).build());
    let verdicts: Vec<_> = (0..100).map(|_| world.send(Origin::Sandbox(0), &unknown(0))).collect();
    let limited = Verdict::Drop(DropReason::QueriesLimited);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == TO_SERVER).count(), 11);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == limited).count(), 89);
    check(&mut world, 1, &unknown(1), TO_SERVER);
    let (verdict, _) = ask(&mut world, 0, &Query::new("a", Family::V4));
    assert!(matches!(verdict, Verdict::Answered { .. }));
    let (verdict, _) = world.send_at(1, Origin::Sandbox(0), &unknown(0).build());
    assert_eq!(verdict, TO_SERVER, "a second later there is room again");
    let asker = world.tables.askers[&world.links.veths[0]];
    assert_eq!((asker.answered, asker.forwarded, asker.limited), (1, 12, 89));
}

#[test]
fn a_sandbox_without_ipv4_asks_from_an_address_kept_for_this() {
    let mut world = World::usual();
    world.remove_family(0, Family::V4);
    let sent = |source| FrameSpec { source, ..World::asking(0, segment(true), query()) };
    let veth = world.links.veths[0];
    check(&mut world, 0, &sent(CLIENT_WITHOUT_IPV4.into()), Verdict::Answered { ifindex: veth });
    let disabled = Verdict::Drop(DropReason::Ipv4Disabled);
    check(&mut world, 0, &sent(World::address(0, Family::V4)), disabled);
    let elsewhere = FrameSpec {
        source: CLIENT_WITHOUT_IPV4.into(),
        ..World::routed(0, World::client(Family::V4), segment(true))
    };
    check(&mut world, 0, &elsewhere, disabled);
    assert!(world.tables.endpoint_links.contains_key(&LinkKey::new(veth, Family::V6)));
}
