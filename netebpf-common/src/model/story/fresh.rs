//! Packets out of nothing that are likely to meet a rule or an edge.

use std::{vec, vec::Vec};

use super::{Choices, GROUPS, any_address, names};
use crate::{
    abi::Family,
    model::{Extension, FrameSpec, Origin, Piece, Segment, World},
};

/// A packet, and where it comes from.
pub(super) fn fresh(choices: &mut Choices<'_>, world: &World) -> (Origin, FrameSpec) {
    let family = choices.pick(&World::FAMILIES);
    if choices.one_in(5) {
        return names::ask_or_tell(choices, world);
    }
    let segment = any_segment(choices, family);
    match choices.below(9) {
        0..=2 => (Origin::Outside, from_outside(choices, family, segment)),
        3 => (Origin::Machine, from_machine(choices, family, segment)),
        _ => {
            let sandbox = choices.below(4);
            (Origin::Sandbox(sandbox), from_sandbox(choices, sandbox, family, segment))
        }
    }
}

/// The bytes of a packet, with options, extension headers, odd hops, and now and then as a fragment.
pub(super) fn shape(choices: &mut Choices<'_>, spec: &FrameSpec) -> Vec<u8> {
    let known = [
        Extension::HopByHop,
        Extension::Destination,
        Extension::Authentication,
        Extension::Atomic,
        Extension::Routing(0),
        Extension::Routing(1),
    ];
    let headers = if choices.one_in(6) { choices.below(8) } else { 0 };
    let spec = FrameSpec {
        option_words: u8::try_from(headers).unwrap_or(0),
        extensions: (0..headers).map(|_| choices.pick(&known)).collect(),
        ttl: if choices.one_in(16) { choices.byte() % 3 } else { 64 },
        identification: u32::from(choices.byte() % 4),
        piece: if choices.one_in(12) { any_piece(choices) } else { Piece::default() },
        payload: if spec.payload.is_empty() {
            vec![choices.byte(); choices.below(40)]
        } else {
            spec.payload.clone()
        },
        ..spec.clone()
    };
    spec.build()
}

fn any_piece(choices: &mut Choices<'_>) -> Piece {
    choices.pick(&[
        Piece { offset: 0, more: true },
        Piece { offset: 3, more: true },
        Piece { offset: 5, more: false },
    ])
}

fn from_sandbox(choices: &mut Choices<'_>, sandbox: usize, family: Family, segment: Segment) -> FrameSpec {
    let neighbour = sandbox ^ 1;
    let mut spec = match choices.below(10) {
        0 | 1 => World::direct(sandbox, neighbour, family, segment),
        2 => FrameSpec {
            destination_mac: choices.pick(&[GROUPS[0], GROUPS[1], World::mac(neighbour)]),
            ..World::routed(sandbox, any_address(choices, family), segment)
        },
        _ => World::routed(sandbox, any_address(choices, family), segment),
    };
    if choices.one_in(20) {
        spec.source = any_address(choices, family);
    }
    if choices.one_in(40) {
        spec.source_mac = World::mac(neighbour);
    }
    spec
}

fn from_outside(choices: &mut Choices<'_>, family: Family, segment: Segment) -> FrameSpec {
    let destination = if choices.one_in(3) { any_address(choices, family) } else { World::host(family) };
    let source = if choices.one_in(10) {
        any_address(choices, family)
    } else {
        World::outside(family, 9 + choices.byte() % 3)
    };
    FrameSpec { source, ..World::incoming(destination, segment) }
}

fn from_machine(choices: &mut Choices<'_>, family: Family, segment: Segment) -> FrameSpec {
    let destination =
        if choices.one_in(2) { any_address(choices, family) } else { World::gateway(0, family) };
    let own = World::plugged(destination, segment);
    let source = if choices.one_in(8) { any_address(choices, family) } else { own.source };
    FrameSpec { source, ..own }
}

fn any_segment(choices: &mut Choices<'_>, family: Family) -> Segment {
    let ports = [80, 8080, 53, 5353, 90, 9090, 443, 8443, 7000, 70, 20_005, 1005, 1000, 1001, 1002, 1003];
    let (source, destination) = (choices.pick(&ports), choices.pick(&ports));
    match choices.below(10) {
        0..=3 => Segment::Tcp { source, destination, flags: choices.pick(&[2, 2, 2, 18, 16, 17, 4, 20]) },
        4 | 5 => Segment::Udp { source, destination, checksum: !choices.one_in(4) },
        6 => Segment::Sctp { source, destination },
        7 | 8 => {
            let kinds: &[u8] = match family {
                Family::V4 => &[8, 8, 8, 13, 0, 3, 5, 11],
                Family::V6 => &[128, 128, 128, 129, 1, 2, 3, 133, 134, 135, 136, 137],
            };
            Segment::Icmp { kind: choices.pick(kinds), identifier: u16::from(choices.byte() % 3) }
        }
        _ => Segment::Other(choices.pick(&[47, 2, 33, 59])),
    }
}

/// Now and then: a few wrong bytes, or an end too soon.
pub(super) fn damage(choices: &mut Choices<'_>, frame: &mut Vec<u8>) {
    if choices.one_in(20) {
        for _ in 0..=choices.below(2) {
            let place = usize::from(choices.half()) % frame.len();
            // No address becomes a broadcast or anycast one of a real subnet, which only a kernel's routing table knows.
            if !(26..54).contains(&place) {
                frame[place] = choices.byte();
            }
        }
    }
    if choices.one_in(40) {
        let length = usize::from(choices.half()) % frame.len();
        frame.truncate(length);
    }
}
