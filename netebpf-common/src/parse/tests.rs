//! Headers that contradict themselves, fragments, extension headers.

use std::{vec, vec::Vec};

use proptest::prelude::*;

use crate::{
    abi::Family,
    model::{Extension, FrameSpec, Origin, Piece, Segment, World},
    verdict::{DropReason, Verdict},
};

const SANDBOX: Origin = Origin::Sandbox(0);
const MALFORMED: Verdict = Verdict::Drop(DropReason::Malformed);
const FRAGMENT: Verdict = Verdict::Drop(DropReason::Fragment);

fn datagram(family: Family) -> FrameSpec {
    let spec = World::routed(0, World::client(family), Segment::udp(1000, 53));
    FrameSpec { payload: vec![7; 200], ..spec }
}

fn verdict_of(frame: &[u8]) -> Verdict {
    World::usual().send_at(0, SANDBOX, frame).0
}

/// The frame with some bytes replaced.
fn patched(spec: &FrameSpec, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut frame = spec.build();
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    frame
}

#[test]
fn a_header_that_contradicts_itself_is_refused() {
    let (v4, v6) = (datagram(Family::V4), datagram(Family::V6));
    for frame in [
        patched(&v4, 14, &[0x55]),
        patched(&v4, 14, &[0x44]),
        patched(&v4, 16, &[0, 19]),
        patched(&v4, 16, &[0xff, 0xff]),
        patched(&v4, 16, &[0, 27]),
        patched(&v6, 14, &[0x40]),
        patched(&v6, 18, &[0xff, 0xff]),
        patched(&v6, 18, &[0, 7]),
    ] {
        let mut world = World::usual();
        assert_eq!(world.send_at(0, SANDBOX, &frame).0, MALFORMED, "{frame:?}");
        assert!(world.tables.pending.is_empty());
    }
}

#[test]
fn a_tcp_header_that_is_longer_than_the_packet_or_too_short_is_refused() {
    for family in World::FAMILIES {
        let spec = World::routed(0, World::client(family), Segment::syn(1, 2));
        let offset = if family == Family::V4 { 14 + 20 + 12 } else { 14 + 40 + 12 };
        assert_eq!(verdict_of(&patched(&spec, offset, &[0x40])), MALFORMED);
        assert_eq!(verdict_of(&patched(&spec, offset, &[0x60])), MALFORMED);
    }
}

#[test]
fn every_length_too_short_for_its_headers_is_refused() {
    for family in World::FAMILIES {
        for segment in [Segment::syn(1, 2), Segment::udp(1, 2), Segment::Sctp { source: 1, destination: 2 }] {
            let frame = World::routed(0, World::client(family), segment).build();
            for length in 0..frame.len() {
                assert_eq!(verdict_of(&frame[..length]), MALFORMED, "{length} of {}", frame.len());
            }
        }
    }
}

#[test]
fn bytes_behind_the_packet_are_padding() {
    for family in World::FAMILIES {
        let spec = World::routed(0, World::client(family), Segment::Sctp { source: 1, destination: 2 });
        let frame = [spec.build(), vec![0; 18]].concat();
        let (verdict, packet) = World::usual().send_at(0, SANDBOX, &frame);
        assert!(matches!(verdict, Verdict::ToUplink { .. }));
        assert_eq!(packet.bytes.len(), frame.len());
    }
}

#[test]
fn a_packet_is_found_behind_any_extension_headers_up_to_a_limit() {
    let known = [Extension::HopByHop, Extension::Destination, Extension::Authentication, Extension::Atomic];
    for count in 0..8 {
        for first in known {
            let extensions: Vec<_> = (0..count).map(|_| first).collect();
            let spec = FrameSpec { extensions, ..datagram(Family::V6) };
            let mut world = World::usual();
            let verdict = world.send(SANDBOX, &spec);
            if count > 6 {
                assert_eq!(verdict, Verdict::Drop(DropReason::UnsupportedProtocol));
            } else {
                assert!(matches!(verdict, Verdict::ToUplink { .. }), "{count} times {first:?}: {verdict:?}");
            }
        }
    }
}

#[test]
fn a_source_route_is_not_followed() {
    let route = |left| FrameSpec { extensions: vec![Extension::Routing(left)], ..datagram(Family::V6) };
    let unsupported = Verdict::Drop(DropReason::UnsupportedProtocol);
    assert_eq!(World::usual().send(SANDBOX, &route(1)), unsupported);
    assert!(matches!(World::usual().send(SANDBOX, &route(0)), Verdict::ToUplink { .. }));
}

#[test]
fn an_extension_header_that_ends_behind_the_packet_is_refused() {
    let spec = FrameSpec { extensions: vec![Extension::Destination], ..datagram(Family::V6) };
    assert_eq!(verdict_of(&patched(&spec, 14 + 41, &[0xff])), MALFORMED);
    let short = FrameSpec { payload: Vec::new(), segment: Segment::Other(59), ..spec };
    let mut frame = short.build();
    frame.truncate(frame.len() - 4);
    frame[18..20].copy_from_slice(&[0, 4]);
    assert_eq!(verdict_of(&frame), MALFORMED);
}

proptest! {
    #[test]
    fn fragments_go_the_way_of_their_first_one(
        v6: bool, size in 1..20_usize, out: bool, order in Just(()).prop_perturb(|(), mut rng| rng.random::<u64>()),
    ) {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let mut world = World::usual();
        let (origin, spec) = if out {
            (SANDBOX, datagram(family))
        } else {
            let spec = World::incoming(World::host(family), Segment::udp(999, 5353));
            (Origin::Outside, FrameSpec { payload: vec![9; 200], ..spec })
        };
        let mut frames = spec.cut(size * 8);
        let whole = world.pass(origin, &spec);
        let first = frames.remove(0);
        let step = usize::try_from(order % 7).expect("small") % frames.len().max(1);
        frames.rotate_left(step);
        let mut parts = Vec::new();
        for frame in std::iter::once(&first).chain(&frames) {
            let (verdict, packet) = world.send_at(0, origin, frame);
            prop_assert!(matches!(verdict, Verdict::ToUplink { .. } | Verdict::ToSandbox { .. }), "{:?}", verdict);
            let read = FrameSpec::read(&packet.bytes).expect("a frame");
            prop_assert_eq!((read.source, read.destination), (whole.source, whole.destination));
            let header = if family == Family::V4 { 34 } else if packet.bytes[20] == 44 { 62 } else { 54 };
            parts.push((read.piece.offset, packet.bytes[header..].to_vec()));
        }
        parts.sort();
        let payload: Vec<u8> = parts.into_iter().flat_map(|part| part.1).collect();
        let packet = whole.packet();
        let header = if family == Family::V4 { 20 } else { 40 };
        prop_assert_eq!(&payload[..], &packet[header..], "put together it is the packet, checksum included");
    }

    #[test]
    fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), v6: bool, kept in 0..80_usize) {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let extensions = vec![Extension::HopByHop, Extension::Atomic];
        let mut frame = FrameSpec { extensions, ..datagram(family) }.build();
        let end = frame.len().min(kept + bytes.len());
        let kept = kept.min(end);
        frame[kept..end].copy_from_slice(&bytes[..end - kept]);
        for origin in [SANDBOX, Origin::Outside, Origin::Machine] {
            let _verdict = World::usual().send_at(0, origin, &frame);
        }
    }
}

#[test]
fn a_fragment_without_its_first_one_is_dropped() {
    for family in World::FAMILIES {
        let frames = datagram(family).cut(64);
        let mut world = World::usual();
        for frame in &frames[1..] {
            assert_eq!(world.send_at(0, SANDBOX, frame).0, FRAGMENT);
        }
        let other = FrameSpec { identification: 99, ..datagram(family) };
        world.pass(SANDBOX, &FrameSpec { piece: Piece { offset: 0, more: true }, ..other });
        assert_eq!(world.send_at(0, SANDBOX, &frames[1]).0, FRAGMENT, "another packet's first fragment");
    }
}

#[test]
fn fragments_are_waited_for_as_long_as_linux_does() {
    for family in World::FAMILIES {
        let frames = datagram(family).cut(64);
        let mut world = World::usual();
        assert!(matches!(world.send_at(0, SANDBOX, &frames[0]).0, Verdict::ToUplink { .. }));
        assert!(matches!(world.send_at(30, SANDBOX, &frames[1]).0, Verdict::ToUplink { .. }));
        assert_eq!(world.send_at(31, SANDBOX, &frames[2]).0, FRAGMENT);
    }
}

#[test]
fn fragments_from_outside_to_the_host_itself_pass() {
    for family in World::FAMILIES {
        let spec =
            FrameSpec { payload: vec![7; 200], ..World::incoming(World::host(family), Segment::udp(1, 2)) };
        for frame in spec.cut(64) {
            assert_eq!(World::usual().send_at(0, Origin::Outside, &frame).0, Verdict::Pass);
        }
        let to_container = FrameSpec { destination: World::address(0, family), ..spec };
        for frame in &to_container.cut(64)[1..] {
            assert_eq!(World::usual().send_at(0, Origin::Outside, frame).0, FRAGMENT);
        }
    }
}

#[test]
fn icmp_errors_in_fragments_are_not_translated() {
    for (family, kind) in [(Family::V4, 3), (Family::V6, 1)] {
        let mut world = World::usual();
        let outside = world.pass(SANDBOX, &datagram(family));
        let router = World::client(family);
        let error = FrameSpec::error_about(&outside.build(), router, kind, 500).expect("a quote");
        let first =
            FrameSpec { piece: Piece { offset: 0, more: true }, ..World::sent_by(Origin::Outside, error) };
        assert_eq!(world.send(Origin::Outside, &first), Verdict::Pass, "the host's own business");
    }
}

#[test]
fn what_icmp_does_besides_queries_and_errors_is_the_links_business() {
    for (family, kinds) in [(Family::V4, &[5_u8, 9, 10, 17][..]), (Family::V6, &[130, 133, 137, 143])] {
        for &kind in kinds {
            let segment = Segment::Icmp { kind, identifier: 0 };
            let mut world = World::usual();
            let to_host = World::incoming(World::host(family), segment.clone());
            assert_eq!(world.send(Origin::Outside, &to_host), Verdict::Pass);
            let to_container = World::incoming(World::address(0, family), segment);
            let refused = Verdict::Drop(DropReason::UnsupportedProtocol);
            assert_eq!(world.send(Origin::Outside, &to_container), refused);
        }
    }
}
