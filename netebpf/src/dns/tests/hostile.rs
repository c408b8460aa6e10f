//! Clients that send what they should not.

use std::sync::LazyLock;

use hickory_server::proto::op::ResponseCode;
use proptest::{collection::vec, prelude::*};

use super::*;

static RESOLVER: LazyLock<Resolver> = LazyLock::new(play::resolver);

fn resolver() -> Resolver {
    resolver_for(&[], Limits::default(), |_| {})
}

fn code_of(message: &[u8]) -> Option<ResponseCode> {
    match resolver().respond(peer(1, 1), Transport::Udp, message) {
        Response::Silence => None,
        Response::Ready(answer) => Some(read(&answer).metadata.response_code),
        Response::Later(_) => panic!("nobody else is asked"),
    }
}

fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = bytes(&query("db.", RecordType::A));
    change(&mut message);
    message
}

#[test]
fn what_is_no_query_has_no_answer() {
    assert_eq!(code_of(b""), None);
    assert_eq!(code_of(&[0; 11]), None);
    assert_eq!(code_of(&changed(|message| message[2] |= 0x80)), None, "an answer");
    assert_eq!(code_of(&[0xff; 512]), None);
}

#[test]
fn malformed_queries_are_told_so() {
    for message in [
        changed(|message| message.truncate(12)),
        changed(|message| message.truncate(18)),
        changed(|message| message[5] = 0),
        changed(|message| message[5] = 2),
        changed(|message| message[4] = 0xff),
        changed(|message| message[7] = 1),
        changed(|message| message[9] = 1),
        changed(|message| message[11] = 1),
        changed(|message| message[10] = 0xff),
        // A name that begins with a pointer, to itself.
        changed(|message| message.splice(12.., *b"\xc0\x0c\0\x01\0\x01").for_each(drop)),
        changed(|message| message[12] = 0x40),
    ] {
        assert_eq!(code_of(&message), Some(ResponseCode::FormErr), "{message:x?}");
    }
    let too_long = [b"\x3f".to_vec(), vec![b'a'; 63]].concat().repeat(5);
    let message = [&changed(|message| message.truncate(12)), too_long.as_slice(), b"\0\0\x01\0\x01"].concat();
    assert_eq!(code_of(&message), Some(ResponseCode::FormErr));
    assert_eq!(code_of(&bytes(&notification())), Some(ResponseCode::NotImp));
}

#[test]
fn an_answer_to_a_malformed_query_is_a_header_alone() {
    let message = changed(|message| message[5] = 2);
    let Response::Ready(answer) = resolver().respond(peer(1, 1), Transport::Udp, &message) else {
        panic!("it is answered");
    };
    assert_eq!(answer, b"\x12\x34\x81\x81\0\0\0\0\0\0\0\0");
}

#[test]
fn strangers_are_refused() {
    let resolver = resolver();
    for stranger in [peer(1, 200), peer(3, 1), "[::1]:53".parse().expect("an address")] {
        let Response::Ready(answer) =
            resolver.respond(stranger, Transport::Udp, &bytes(&query("db.", RecordType::A)))
        else {
            panic!("it is answered");
        };
        assert_eq!(read(&answer).metadata.response_code, ResponseCode::Refused);
    }
}

#[test]
fn the_fuzzers_finds_do_no_harm() {
    let finds = finds();
    assert!(!finds.is_empty());
    for find in finds {
        play::play(&RESOLVER, &find);
    }
}

proptest! {
    #[test]
    fn nothing_that_a_client_sends_does_harm(message in vec(any::<u8>(), 0..600)) {
        play::play(&RESOLVER, &message);
    }

    #[test]
    fn queries_with_faults_do_no_harm(
        choice in any::<u8>(),
        name in "(([a-c]|db|web|many|net|other|secret|arpa|1|0){1,2}\\.){0,4}",
        kind in prop_oneof![Just(1), Just(12), Just(15), Just(28), any::<u16>()],
        size in prop::option::of(any::<u16>()),
        faults in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let asked = query(&name, RecordType::from(kind));
        let asked = if let Some(size) = size { with_edns(asked, size) } else { asked };
        let mut message = [vec![choice], bytes(&asked)].concat();
        for (place, value) in faults {
            let place = place.index(message.len());
            message[place] = value;
        }
        play::play(&RESOLVER, &message);
    }
}
