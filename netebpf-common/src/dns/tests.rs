//! Queries as resolvers send them and as nobody should, and what becomes of them.

mod agreement;
mod hostile;
mod server;

use std::{
    collections::BTreeSet,
    string::{String, ToString as _},
    vec::Vec,
};

use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::RecordType,
};

use super::{RESOLVER, TTL, UDP_SIZE};
use crate::{
    abi::{Family, Name},
    model::{FrameSpec, Origin, Query, Segment, World},
    verdict::Verdict,
};

const MX: u16 = 15;

fn segment(checksum: bool) -> Segment {
    Segment::Udp { source: 4000, destination: 53, checksum }
}

/// What becomes of a query of a sandbox.
#[track_caller]
fn ask(world: &mut World, sandbox: usize, query: &Query) -> (Verdict, FrameSpec) {
    let sent = World::asking(sandbox, segment(true), query.build());
    let (verdict, packet) = world.send_at(0, Origin::Sandbox(sandbox), &sent.build());
    (verdict, FrameSpec::read(&packet.bytes).expect("a frame"))
}

/// The answer that the kernel gives.
#[track_caller]
fn answer(world: &mut World, sandbox: usize, query: &Query) -> Message {
    let (verdict, spec) = ask(world, sandbox, query);
    assert_eq!(verdict, Verdict::Answered { ifindex: world.links.veths[sandbox] }, "{query:?}");
    assert!(spec.payload.len() <= 512, "every client takes as much");
    Message::from_vec(&spec.payload).expect("an answer is well-formed")
}

fn told(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.data.to_string()).collect()
}

#[track_caller]
fn check(sandbox: usize, name: &str, family: Family, expected: &[&str]) {
    let message = answer(&mut World::usual(), sandbox, &Query::new(name, family));
    assert_eq!(told(&message), expected, "{name} for {sandbox}");
}

#[test]
fn a_query_becomes_its_answer_and_goes_back_to_who_asked() {
    let mut world = World::usual();
    let query = Query { id: 0xabcd, ..Query::new("A.frOnt", Family::V4) };
    let (verdict, spec) = ask(&mut world, 1, &query);
    assert_eq!(verdict, Verdict::Answered { ifindex: world.links.veths[1] });
    assert_eq!(spec.ends(), ((RESOLVER.into(), 53), (World::address(1, Family::V4), 4000)));
    assert_eq!((spec.destination_mac, spec.source_mac), (World::mac(1), World::bridge_mac(1)));
    assert_eq!(spec.ttl, 64);
    let message = Message::from_vec(&spec.payload).unwrap();
    assert_eq!((message.metadata.id, message.metadata.message_type), (0xabcd, MessageType::Response));
    assert_eq!(message.metadata.response_code, ResponseCode::NoError);
    assert!(message.metadata.recursion_desired && message.metadata.recursion_available);
    assert!(!message.metadata.authoritative && !message.metadata.truncation);
    assert_eq!(message.queries[0].name.to_ascii(), "A.frOnt.", "the name is spelt as the client does");
    let [record] = &message.answers[..] else { panic!("{:?}", message.answers) };
    assert_eq!((record.ttl, record.record_type()), (TTL, RecordType::A));
    assert_eq!(record.name.to_ascii(), "A.frOnt.");
    assert_eq!(told(&message), ["10.1.0.2"]);
    assert!(message.edns.is_none());
}

#[test]
fn each_sandbox_sees_its_links_first_and_then_its_networks_in_order() {
    check(0, "b", Family::V4, &["10.2.0.2"]);
    check(1, "b", Family::V4, &["10.1.0.3"]);
    check(0, "db", Family::V6, &["fd00:1::3"]);
    check(2, "a", Family::V6, &["fd00:1::2"]);
    check(2, "nothing", Family::V4, &[]);
    check(2, "v6only", Family::V4, &[]);
    check(2, "v6only", Family::V6, &["fd00:2::2"]);
    check(0, crate::model::NAMES[11], Family::V4, &["10.1.0.3"]);
    for (sandbox, name) in [(1, "db"), (1, "c"), (0, "unknown"), (2, "server"), (2, "c.front")] {
        let (verdict, _) = ask(&mut World::usual(), sandbox, &Query::new(name, Family::V4));
        assert_eq!(verdict, Verdict::ToResolver { ifindex: 30 }, "{name} for {sandbox}");
    }
}

#[test]
fn the_first_scope_that_knows_a_name_decides_even_without_such_an_address() {
    let mut world = World::usual();
    world.add_name(0x8000_0001, "a", Name::new([], ["fd00:2::9".parse().unwrap()]));
    assert_eq!(told(&answer(&mut world, 2, &Query::new("a", Family::V4))), Vec::<String>::new());
    assert_eq!(told(&answer(&mut world, 2, &Query::new("a", Family::V6))), ["fd00:2::9"]);
}

#[test]
fn a_known_name_has_no_mail_exchange_and_other_types_are_for_the_server() {
    let mut world = World::usual();
    let of_type = |kind| Query { kind, ..Query::new("a", Family::V4) };
    let message = answer(&mut world, 1, &of_type(MX));
    assert_eq!((message.metadata.response_code, told(&message).len()), (ResponseCode::NoError, 0));
    for kind in [2, 5, 12, 16, 33, 65, 255] {
        assert_eq!(ask(&mut world, 1, &of_type(kind)).0, Verdict::ToResolver { ifindex: 30 }, "{kind}");
    }
}

#[test]
fn all_addresses_come_and_each_is_first_about_equally_often() {
    for (family, count) in [(Family::V4, 8), (Family::V6, 7)] {
        let (mut world, mut firsts) = (World::usual(), std::collections::BTreeMap::<_, u32>::new());
        for id in 0..2000_u16 {
            let told = told(&answer(
                &mut world,
                0,
                &Query { id: id.wrapping_mul(7919), ..Query::new("many", family) },
            ));
            assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), count);
            *firsts.entry(told[0].clone()).or_default() += 1;
        }
        let share = 2000 / u32::try_from(count).unwrap();
        assert_eq!(firsts.len(), count);
        assert!(firsts.values().all(|times| (share / 2..share * 2).contains(times)), "{firsts:?}");
    }
}

#[test]
fn edns_is_answered_with_edns_and_a_cookie_is_left_out() {
    let mut world = World::usual();
    let cookie = [&[0, 10, 0, 8][..], b"a cookie"].concat();
    let long = [&[0, 10, 0, 40][..], &[7; 40]].concat();
    for name in ["a", "db", "all", "nothing", "v6only"] {
        for options in [Vec::new(), cookie.clone(), long.clone()] {
            let query = Query { edns: Some(options), ..Query::new(name, Family::V6) };
            let message = answer(&mut world, if name == "v6only" { 2 } else { 0 }, &query);
            let edns = message.edns.expect("EDNS answers EDNS");
            assert_eq!((edns.max_payload(), edns.version(), edns.options().as_ref().len()), (UDP_SIZE, 0, 0));
            assert!(!edns.flags().dnssec_ok);
        }
    }
}

#[test]
fn flags_are_copied_that_are_to_be() {
    let mut world = World::usual();
    let mut message = Query { edns: Some(Vec::new()), ..Query::new("a", Family::V4) }.build();
    let flags = message.len() - 4;
    message[flags] = 0x80;
    message[2] = 0;
    message[3] = 0x30;
    let sent = World::asking(1, segment(true), message);
    let spec = world.send_at(0, Origin::Sandbox(1), &sent.build()).1;
    let told = Message::from_vec(&FrameSpec::read(&spec.bytes).unwrap().payload).unwrap();
    assert!(told.edns.is_some_and(|edns| edns.flags().dnssec_ok));
    assert!(!told.metadata.recursion_desired && told.metadata.recursion_available);
    assert!(told.metadata.checking_disabled && !told.metadata.authentic_data);
}

#[test]
fn a_query_without_checksum_is_answered_without() {
    let mut world = World::usual();
    let sent = World::asking(1, segment(false), Query::new("a", Family::V4).build());
    let (verdict, packet) = world.send_at(0, Origin::Sandbox(1), &sent.build());
    assert!(matches!(verdict, Verdict::Answered { .. }));
    let read = FrameSpec::read(&packet.bytes).unwrap();
    assert_eq!(read.segment, Segment::Udp { source: 53, destination: 4000, checksum: false });
}
