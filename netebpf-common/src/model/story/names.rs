//! Queries for names, and what a name server may send: well formed, odd, and broken.

use std::{vec, vec::Vec};

use super::{Choices, any_address};
use crate::{
    abi::Family,
    dns,
    model::{FrameSpec, NAMES, Origin, Query, Segment, World},
};

/// A packet to or from the name server, and who sends it.
pub(super) fn ask_or_tell(choices: &mut Choices<'_>, world: &World) -> (Origin, FrameSpec) {
    let (client, port) =
        (1024 + u16::from(choices.byte() % 4), if choices.one_in(12) { 54 } else { dns::PORT });
    let payload = message(choices);
    let tcp = |source, destination| Segment::Tcp { source, destination, flags: 16 };
    if choices.one_in(5) {
        let segment = match choices.below(3) {
            0 => tcp(port, client),
            _ => Segment::Udp { source: port, destination: client, checksum: !choices.one_in(4) },
        };
        let link = world.links.veths.get(choices.below(5)).copied().unwrap_or(u32::MAX >> 6);
        let mut spec = World::told(link, segment, payload);
        if choices.one_in(10) {
            spec.source = any_address(choices, Family::V4);
        }
        return (Origin::Outside, spec);
    }
    let segment = match choices.below(12) {
        0 => tcp(client, port),
        1 => Segment::ping(dns::RESOLVER.into(), client),
        2 => Segment::Sctp { source: client, destination: port },
        _ => Segment::Udp { source: client, destination: port, checksum: !choices.one_in(4) },
    };
    let sandbox = choices.below(4);
    let mut spec = World::asking(sandbox, segment, payload);
    if choices.one_in(12) {
        spec.source =
            choices.pick(&[dns::CLIENT_WITHOUT_IPV4.into(), World::address(sandbox ^ 1, Family::V4)]);
    }
    (Origin::Sandbox(sandbox), spec)
}

fn message(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut name: Vec<u8> = choices.pick(&NAMES).into();
    if choices.one_in(2) {
        let capitals = choices.word();
        let bits = (0..32).cycle().map(|bit| capitals >> bit & 1 == 1);
        name.iter_mut()
            .zip(bits)
            .filter(|(_, capital)| *capital)
            .for_each(|(byte, _)| byte.make_ascii_uppercase());
    }
    let query = Query {
        id: choices.half(),
        flags: if choices.one_in(10) {
            [choices.byte(), choices.byte()]
        } else {
            [1, choices.pick(&[0, 0x20, 0x10])]
        },
        name,
        kind: choices.pick(&[1, 1, 1, 28, 28, 15, 16, 255, 65]),
        class: if choices.one_in(20) { 3 } else { 1 },
        edns: choices.one_in(2).then(|| options(choices)),
    };
    let mut message = query.build();
    if choices.one_in(8) {
        let place = choices.below(message.len());
        message[place] = choices.byte();
    }
    if choices.one_in(16) {
        message.truncate(choices.below(message.len()));
    }
    if choices.one_in(16) {
        message.extend(vec![0; choices.below(200)]);
    }
    message
}

/// No options, a cookie, or something that may be none.
fn options(choices: &mut Choices<'_>) -> Vec<u8> {
    let length = choices.pick(&[8_u8, 24, 40]);
    match choices.below(8) {
        0..=2 => Vec::new(),
        3..=5 => [vec![0, 10, 0, length], vec![choices.byte(); length.into()]].concat(),
        _ => vec![choices.byte(); choices.below(90)],
    }
}
