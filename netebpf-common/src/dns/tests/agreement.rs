//! Only what hickory reads as a plain query is answered, and hickory reads the answer as it is meant.

use core::net::IpAddr;
use std::{
    collections::BTreeSet,
    string::{String, ToString as _},
    vec,
    vec::Vec,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode},
    rr::RecordType,
};
use proptest::prelude::*;

use super::segment;
use crate::{
    abi::{Address, Family, Name, NameKey},
    model::{FrameSpec, NAMES, Origin, Query, World},
    verdict::Verdict,
};

/// What hickory makes of a query that the kernel has answered, and of its answer.
fn agree(world: &World, sandbox: usize, query: &[u8], reply: &[u8]) {
    let asked = Message::from_vec(query).expect("only well-formed queries are answered");
    let told = Message::from_vec(reply).expect("an answer is well-formed");
    assert_eq!((asked.metadata.message_type, asked.metadata.op_code), (MessageType::Query, OpCode::Query));
    let [question] = &asked.queries[..] else { panic!("{asked:?}") };
    assert!(asked.answers.is_empty() && asked.authorities.is_empty() && asked.additionals.is_empty());
    assert_eq!(told.queries, asked.queries);
    assert_eq!(told.edns.is_some(), asked.edns.is_some());
    assert_eq!(told.metadata.id, asked.metadata.id);
    let name = String::from_utf8(question.name.to_ascii().into()).unwrap().to_lowercase();
    let meaning = (0..4).find_map(|place| {
        let scope = world.tables.views[&world.links.veths[sandbox]].scope(place)?;
        world.tables.names.get(&NameKey::new(scope, name.trim_end_matches('.'))?)
    });
    let meaning = meaning.expect("only names of the table are answered");
    let types =
        [(RecordType::A, Some(Family::V4)), (RecordType::AAAA, Some(Family::V6)), (RecordType::MX, None)];
    let known = types.iter().find(|(kind, _)| *kind == question.query_type);
    let (_, family) = *known.expect("other types are not answered");
    let expected = family.map_or_else(BTreeSet::new, |family| addresses(meaning, family));
    assert_eq!(super::told(&told).into_iter().collect::<BTreeSet<_>>(), expected);
}

/// The addresses of a name, as text.
fn addresses(name: &Name, family: Family) -> BTreeSet<String> {
    let count = name.count(family).expect("names for the server are not answered") as usize;
    let text = |address: Address| IpAddr::from(address).to_string();
    match family {
        Family::V4 => name.v4[..count].iter().map(|word| text(Address::v4_from_wire(*word))).collect(),
        Family::V6 => name.v6[..count].iter().map(|words| text(Address::from_words(*words))).collect(),
    }
}

/// Whether the kernel answers a message; what it answers is what hickory would have read.
fn is_answered(world: &mut World, sandbox: usize, message: &[u8]) -> bool {
    let sent = World::asking(sandbox, segment(true), message.to_vec());
    let (verdict, packet) = world.send_at(0, Origin::Sandbox(sandbox), &sent.build());
    if let Verdict::Answered { .. } = verdict {
        let reply = FrameSpec::read(&packet.bytes).expect("a frame").payload;
        agree(world, sandbox, message, &reply);
        return true;
    }
    false
}

fn queries() -> impl Strategy<Value = Query> {
    let options = prop_oneof![
        Just(None),
        Just(Some(Vec::new())),
        (1..=40_u8).prop_map(|length| Some([vec![0, 10, 0, length], vec![9; length.into()]].concat())),
    ];
    let name = (0..NAMES.len(), any::<u128>()).prop_map(|(name, capitals)| {
        let case = |(place, letter): (usize, char)| {
            if capitals >> (place % 128) & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
        };
        NAMES[name].chars().enumerate().map(case).collect::<String>()
    });
    (any::<u16>(), name, prop_oneof![Just(1_u16), Just(28), Just(15)], options)
        .prop_map(|(id, name, kind, edns)| Query { id, kind, edns, ..Query::new(&name, Family::V4) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn known_names_are_answered_as_hickory_reads_them(query in queries(), sandbox in 0_usize..3) {
        let mut world = World::usual();
        let answered = is_answered(&mut world, sandbox, &query.build());
        let name = core::str::from_utf8(&query.name).unwrap().to_lowercase();
        if sandbox == 1 && ["a", "b", "all", "many", "nothing"].contains(&&*name) {
            prop_assert!(answered, "{:?}", query);
        }
    }

    #[test]
    fn what_is_wrong_somewhere_is_answered_only_if_hickory_reads_the_same(
        query in queries(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        more in prop::collection::vec(any::<u8>(), 0..3),
        sandbox in 0_usize..3,
    ) {
        let mut message = query.build();
        for (place, byte) in changes {
            let length = message.len();
            message[place.index(length)] = byte;
        }
        if let Some(cut) = cut {
            message.truncate(cut.index(message.len()));
        }
        message.extend(more);
        is_answered(&mut World::usual(), sandbox, &message);
    }

    #[test]
    fn noise_harms_nothing(message in prop::collection::vec(any::<u8>(), 0..600), sandbox in 0_usize..3) {
        is_answered(&mut World::usual(), sandbox, &message);
    }
}
