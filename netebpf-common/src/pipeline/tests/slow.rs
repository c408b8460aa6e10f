//! The slow way: what the host stack has to do, and that hooks translate where it enters and leaves.

use std::vec;

use super::{OUTSIDE, SYN, check, forwarded};
use crate::{
    abi::{Family, Hook, LinkKey, Uplink},
    model::{BytePacket, FrameSpec, Links, Origin, Segment, World, packet_checksums_are_right},
    run::{Arrival, Mark},
    verdict::{DropReason, Verdict},
};

#[test]
fn the_last_hop_is_the_host_stacks_to_answer() {
    for family in World::FAMILIES {
        for ttl in [0, 1] {
            let mut world = World::usual();
            let spec = FrameSpec { ttl, ..World::routed(0, World::client(family), SYN) };
            assert_eq!(world.send(Origin::Sandbox(0), &spec), Verdict::Pass);
            let published = FrameSpec { ttl, ..World::incoming(World::host(family), Segment::syn(1, 8080)) };
            let (verdict, packet) = world.send_at(0, OUTSIDE, &published.build());
            assert_eq!(verdict, Verdict::ToStack);
            let inside = FrameSpec::read(&packet.bytes).expect("a frame");
            assert_eq!((inside.ttl, inside.destination), (ttl, World::address(0, family)));
            let hairpin = FrameSpec { ttl, ..World::routed(2, World::host(family), Segment::syn(1, 8080)) };
            let expired = Verdict::Drop(DropReason::TtlExceeded);
            assert_eq!(world.send(Origin::Sandbox(2), &hairpin), expired);
        }
    }
}

#[test]
fn every_hop_through_the_fast_way_is_counted_once_and_none_through_the_slow_one() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let out = FrameSpec { ttl: 17, ..World::routed(0, World::client(family), SYN) };
        assert_eq!(world.pass(Origin::Sandbox(0), &out).ttl, 16);
        let within = FrameSpec { ttl: 1, ..World::direct(0, 1, family, SYN) };
        assert_eq!(world.pass(Origin::Sandbox(0), &within).ttl, 1, "a switch counts no hop");
        let in_stack = FrameSpec { ttl: 17, ..World::routed(0, World::client(family), SYN) };
        let mut packet = BytePacket::new(in_stack.build());
        let arrival = forwarded(world.links.uplink, world.links.bridges[0]);
        assert_eq!(world.run(Hook::ToNetdev, arrival, &mut packet), Verdict::ToStack);
        assert_eq!(FrameSpec::read(&packet.bytes).expect("a frame").ttl, 17);
    }
}

#[test]
fn options_are_the_host_stacks_to_follow() {
    let mut world = World::usual();
    let (client, host) = (World::client(Family::V4), World::host(Family::V4));
    let out = FrameSpec { option_words: 3, ..World::routed(0, client, SYN) };
    assert_eq!(world.send(Origin::Sandbox(0), &out), Verdict::Pass);
    let published = FrameSpec { option_words: 3, ..World::incoming(host, Segment::syn(1, 8080)) };
    let (verdict, packet) = world.send_at(0, OUTSIDE, &published.build());
    assert_eq!(verdict, Verdict::ToStack);
    let inside = FrameSpec::read(&packet.bytes).expect("a frame");
    assert_eq!((inside.ttl, inside.destination), (64, World::address(0, Family::V4)));
}

/// A packet from sandbox 0 to the client whose IP packet has so many bytes.
fn long(family: Family, length: usize) -> FrameSpec {
    let headers = if family == Family::V4 { 28 } else { 48 };
    let spec = World::routed(0, World::client(family), Segment::udp(1000, 53));
    FrameSpec { payload: vec![7; length - headers], ..spec }
}

#[test]
fn what_is_too_long_for_the_route_is_left_to_the_stack_and_translated_where_it_leaves() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let fits = world.send(Origin::Sandbox(0), &long(family, 1500));
        assert!(matches!(fits, Verdict::ToUplink { .. }));
        assert_eq!(world.send(Origin::Sandbox(0), &long(family, 1501)), Verdict::Pass);
        world.tables.flows.clear();
        world.tables.pending.clear();
        for route in &mut world.tables.routes {
            route.2.mtu = 1280;
        }
        assert_eq!(world.send(Origin::Sandbox(0), &long(family, 1281)), Verdict::Pass, "the route's own MTU");
        // The stack sends it on in pieces, each of which meets the uplink's program.
        let arrival = forwarded(world.links.uplink, world.links.bridges[0]);
        for frame in long(family, 1400).cut(1000) {
            let mut packet = BytePacket::new(frame);
            assert_eq!(world.run(Hook::ToNetdev, arrival, &mut packet), Verdict::ToStack);
            let piece = FrameSpec::read(&packet.bytes).expect("a frame");
            assert_eq!(piece.source, World::host(family));
        }
    }
}

#[test]
fn a_train_of_segments_fits_if_each_of_them_does() {
    for family in World::FAMILIES {
        let headers = if family == Family::V4 { 40 } else { 60 };
        for (segment_size, fast) in [(0, false), (1500 - headers, true), (1501 - headers, false)] {
            let mut world = World::usual();
            let spec = FrameSpec { payload: vec![7; 9000], ..World::routed(0, World::client(family), SYN) };
            let mut packet = BytePacket { segment_size, ..BytePacket::new(spec.build()) };
            let verdict = world.from_sandbox(0, &mut packet);
            assert_eq!(matches!(verdict, Verdict::ToUplink { .. }), fast, "{segment_size}: {verdict:?}");
        }
    }
}

/// A world whose uplink has no Ethernet header.
fn bare_world() -> World {
    let mut world = World::usual();
    for family in World::FAMILIES {
        let uplink = Uplink { address: World::host(family).into(), mtu: 1420, bare: 1 };
        world.tables.uplinks.insert(LinkKey::new(world.links.uplink, family), uplink);
    }
    world
}

#[test]
fn a_device_without_ethernet_header_is_served_by_the_stack() {
    let links = Links::default();
    for family in World::FAMILIES {
        let mut world = bare_world();
        let out = World::routed(0, World::client(family), SYN);
        assert_eq!(world.send(Origin::Sandbox(0), &out), Verdict::Pass);
        let mut packet = BytePacket::new(out.packet());
        let arrival = Arrival { bare: true, ..forwarded(links.uplink, links.bridges[0]) };
        assert_eq!(world.run(Hook::ToNetdev, arrival, &mut packet), Verdict::ToStack);
        assert!(packet_checksums_are_right(&packet.bytes));
        let outside = FrameSpec::read_packet(&packet.bytes).expect("a packet");
        assert_eq!((outside.source, outside.ttl), (World::host(family), 64));

        let mut packet = BytePacket::new(outside.answer().expect("an answer").packet());
        let arrival = Arrival { bare: true, ..world.arrival(links.uplink) };
        assert_eq!(world.run(Hook::FromNetdev, arrival, &mut packet), Verdict::ToStack);
        assert!(packet_checksums_are_right(&packet.bytes));
        let inside = FrameSpec::read_packet(&packet.bytes).expect("a packet");
        assert_eq!(inside.ends(), out.answer().expect("an answer").ends());
        // As the stack sends it on, over the bridge and the veth.
        let on_bridge = World::sent_by(OUTSIDE, inside);
        let mut mark = Mark::Decided;
        for (hook, link) in [(Hook::ToBridge, links.bridges[0]), (Hook::ToContainer, links.veths[0])] {
            let arrival = Arrival { mark, ..forwarded(link, links.uplink) };
            check(&mut world, hook, arrival, &on_bridge, Verdict::Pass);
            mark = Mark::passed(hook, mark);
        }
        let garbage = BytePacket::new(vec![0x90; 40]);
        for hook in [Hook::FromNetdev, Hook::ToNetdev] {
            let mut packet = garbage.clone();
            let arrival = Arrival { bare: true, ..forwarded(links.uplink, links.bridges[0]) };
            assert_eq!(world.run(hook, arrival, &mut packet), Verdict::Pass);
        }
    }
}

#[test]
fn bare_devices_reach_published_ports_and_nothing_behind_them() {
    let links = Links::default();
    for family in World::FAMILIES {
        let mut world = bare_world();
        let arrival = Arrival { bare: true, ..world.arrival(links.uplink) };
        let spec = World::incoming(World::host(family), Segment::syn(1, 8080));
        let mut packet = BytePacket::new(spec.packet());
        assert_eq!(world.run(Hook::FromNetdev, arrival, &mut packet), Verdict::ToStack);
        let spec = World::incoming(World::address(0, family), SYN);
        let mut packet = BytePacket::new(spec.packet());
        let refused = Verdict::Drop(DropReason::DirectAccess);
        assert_eq!(world.run(Hook::FromNetdev, arrival, &mut packet), refused);
    }
}
