//! Who may talk to whom, hook by hook, in both IP versions.

mod arp;
mod bridge;
mod costs;
mod link_local;
mod machines;
mod slow;
mod spoofing;

use std::vec::Vec;

use core::net::{IpAddr, Ipv4Addr};
use proptest::prelude::*;

use crate::{
    abi::{EndpointFlags, Family, Hook},
    model::{BytePacket, FrameSpec, NOW, Origin, Rules, Segment, World},
    run::{Arrival, Mark},
    verdict::{DropReason, Verdict},
};

const SYN: Segment = Segment::syn(4000, 80);
const OUTSIDE: Origin = Origin::Outside;

fn world(flags: EndpointFlags) -> World {
    World::new(crate::model::Links::default(), flags)
}

fn icc_off() -> World {
    world(EndpointFlags::MASQUERADE)
}

/// What passes through the host from one device to another.
fn forwarded(ifindex: u32, ingress: u32) -> Arrival {
    Arrival { ifindex, ingress, mark: Mark::None, bare: false, now: NOW }
}

#[track_caller]
fn check(world: &mut World, hook: Hook, arrival: Arrival, spec: &FrameSpec, expected: Verdict) {
    let sent = spec.build();
    let mut packet = BytePacket::new(sent.clone());
    assert_eq!(world.run(hook, arrival, &mut packet), expected, "{spec:?}");
    if matches!(expected, Verdict::Pass | Verdict::Drop(_)) {
        assert_eq!(packet.bytes, sent, "a packet that is not forwarded is not touched");
    }
}

#[track_caller]
fn check_sandbox(world: &mut World, from: usize, spec: &FrameSpec, expected: Verdict) {
    assert_eq!(world.send(Origin::Sandbox(from), spec), expected, "{spec:?}");
}

/// One of each kind that opens a flow.
fn openers(to: IpAddr) -> Vec<Segment> {
    let sctp = Segment::Sctp { source: 1, destination: 2 };
    [SYN, Segment::udp(1, 2), sctp, Segment::ping(to, 1), Segment::Other(47)].into()
}

#[test]
fn neighbours_reach_each_other_without_a_flow() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let expected = Verdict::ToSandbox { ifindex: world.links.veths[1] };
        for segment in openers(World::client(family)) {
            check_sandbox(&mut world, 0, &World::direct(0, 1, family, segment), expected);
        }
        assert!(world.tables.flows.is_empty() && world.tables.pending.is_empty());
    }
}

#[test]
fn neighbours_with_icc_off_do_not() {
    for family in World::FAMILIES {
        for segment in openers(World::client(family)) {
            let spec = World::direct(0, 1, family, segment);
            check_sandbox(&mut icc_off(), 0, &spec, Verdict::Drop(DropReason::IccDisabled));
        }
    }
}

#[test]
fn a_container_of_another_network_is_out_of_reach_by_any_protocol() {
    for family in World::FAMILIES {
        for segment in openers(World::client(family)) {
            let spec = World::routed(0, World::address(2, family), segment);
            check_sandbox(&mut World::usual(), 0, &spec, Verdict::Drop(DropReason::Isolated));
        }
    }
}

#[test]
fn an_internal_network_has_no_way_out() {
    for family in World::FAMILIES {
        let internal = EndpointFlags::ICC.union(EndpointFlags::INTERNAL);
        let rules = Rules { flags: [World::USUAL, internal], ..Rules::default() };
        let mut world = World::with_rules(crate::model::Links::default(), &rules);
        let published = World::routed(2, World::gateway(2, family), Segment::syn(4000, 8080));
        let internal = Verdict::Drop(DropReason::Internal);
        for spec in [World::routed(2, World::client(family), SYN), published] {
            check_sandbox(&mut world, 2, &spec, internal);
        }
        let unknown = World::routed(2, World::client(family), Segment::Other(33));
        check_sandbox(&mut world, 2, &unknown, internal);
        let gateway = World::routed(2, World::gateway(2, family), SYN);
        check_sandbox(&mut world, 2, &gateway, Verdict::Pass);
    }
}

#[test]
fn the_hosts_own_services_see_the_container_itself() {
    for family in World::FAMILIES {
        for destination in [World::gateway(0, family), World::host(family)] {
            for segment in openers(destination) {
                let spec = World::routed(0, destination, segment);
                check_sandbox(&mut World::usual(), 0, &spec, Verdict::Pass);
            }
        }
    }
}

#[test]
fn outside_knows_no_container_addresses() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        for segment in openers(World::client(family)) {
            let spec = World::incoming(World::address(0, family), segment);
            assert_eq!(world.send(OUTSIDE, &spec), Verdict::Drop(DropReason::DirectAccess));
        }
        let dccp = World::incoming(World::address(0, family), Segment::Other(33));
        assert_eq!(world.send(OUTSIDE, &dccp), Verdict::Drop(DropReason::UnsupportedProtocol));
    }
}

#[test]
fn loopback_addresses_on_a_wire_are_dropped() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let loopback = World::loopback(family);
        let to = World::incoming(loopback, Segment::syn(1, 9090));
        let from = FrameSpec { source: loopback, ..World::incoming(World::host(family), SYN) };
        for spec in [to, from] {
            assert_eq!(world.send(OUTSIDE, &spec), Verdict::Drop(DropReason::Martian));
        }
        let from_sandbox = World::routed(0, loopback, Segment::syn(1, 9090));
        check_sandbox(&mut world, 0, &from_sandbox, Verdict::Drop(DropReason::Martian));
    }
    let whole_net = World::incoming(Ipv4Addr::new(127, 9, 9, 9).into(), SYN);
    assert_eq!(World::usual().send(OUTSIDE, &whole_net), Verdict::Drop(DropReason::Martian));
}

#[test]
fn ipv4_addresses_in_an_ipv6_header_are_dropped() {
    let mapped = |v4: IpAddr| match v4 {
        IpAddr::V4(v4) => IpAddr::V6(v4.to_ipv6_mapped()),
        IpAddr::V6(_) => v4,
    };
    let (server, client) = (mapped(World::host(Family::V4)), mapped(World::client(Family::V4)));
    let mut world = World::usual();
    let to = World::incoming(server, Segment::syn(1, 8080));
    let from =
        FrameSpec { source: client, ..World::incoming(World::host(Family::V6), Segment::syn(1, 8080)) };
    for spec in [to, from] {
        assert_eq!(world.send(OUTSIDE, &spec), Verdict::Drop(DropReason::Martian));
    }
    let own = FrameSpec {
        source: mapped(World::address(0, Family::V4)),
        ..World::routed(0, World::client(Family::V6), SYN)
    };
    check_sandbox(&mut world, 0, &own, Verdict::Drop(DropReason::Martian));
}

#[test]
fn a_client_outside_that_calls_itself_a_container_gets_nowhere() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        for (source, reason) in [
            (World::address(1, family), DropReason::Martian),
            (World::gateway(0, family), DropReason::NoRoute),
            (World::host(family), DropReason::NoRoute),
        ] {
            let spec = FrameSpec { source, ..World::incoming(World::host(family), Segment::syn(4000, 8080)) };
            assert_eq!(world.send(OUTSIDE, &spec), Verdict::Drop(reason));
        }
    }
}

#[test]
fn a_port_published_on_one_address_is_not_published_on_others() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let on_loopback = World::incoming(World::host(family), Segment::syn(4000, 9090));
        assert_eq!(world.send(OUTSIDE, &on_loopback), Verdict::Pass, "the host refuses it");
        let on_host = World::incoming(World::gateway(0, family), Segment::syn(4000, 8443));
        assert_eq!(world.send(OUTSIDE, &on_host), Verdict::Pass);
        let beside_range = World::incoming(World::host(family), Segment::syn(4000, 20_100));
        assert_eq!(world.send(OUTSIDE, &beside_range), Verdict::Pass);
        let other_protocol = World::incoming(World::host(family), Segment::udp(4000, 8080));
        assert_eq!(world.send(OUTSIDE, &other_protocol), Verdict::Pass);
    }
}

#[test]
fn answers_to_nothing_open_no_flow() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let reply = match family {
            Family::V4 => 0,
            Family::V6 => 129,
        };
        let reset = Segment::Tcp { source: 1, destination: 2, flags: 4 };
        for segment in [Segment::Icmp { kind: reply, identifier: 1 }, reset] {
            let spec = World::routed(0, World::client(family), segment);
            check_sandbox(&mut world, 0, &spec, Verdict::Drop(DropReason::UnknownFlow));
        }
        assert!(world.tables.pending.is_empty());
    }
}

#[test]
fn what_cannot_be_translated_is_dropped_with_its_reason() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        for number in [33, 136] {
            let spec = World::routed(0, World::client(family), Segment::Other(number));
            check_sandbox(&mut world, 0, &spec, Verdict::Drop(DropReason::UnsupportedProtocol));
        }
    }
}

#[test]
fn without_settings_no_flow_begins() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        world.config.abi = 0;
        let spec = World::routed(0, World::client(family), SYN);
        check_sandbox(&mut world, 0, &spec, Verdict::Drop(DropReason::NotConfigured));
    }
}

/// Bytes that begin as a frame of the world, or do not.
fn arbitrary_frames() -> impl Strategy<Value = Vec<u8>> {
    let heads = (any::<bool>(), 0..4_usize, any::<bool>(), 0..60_usize);
    (proptest::collection::vec(any::<u8>(), 0..140), proptest::option::of(heads)).prop_map(
        |(mut bytes, head)| {
            let Some((v6, sandbox, out, kept)) = head else { return bytes };
            let family = if v6 { Family::V6 } else { Family::V4 };
            let spec = if out {
                World::routed(sandbox, World::client(family), SYN)
            } else {
                World::incoming(World::host(family), Segment::syn(1, 8080))
            };
            let frame = spec.build();
            let kept = kept.min(frame.len());
            bytes.splice(..kept.min(bytes.len()), frame[..kept].iter().copied());
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn no_bytes_make_any_hook_panic_or_touch_what_is_not_forwarded(bytes in arbitrary_frames(), bare: bool) {
        for hook in Hook::ALL {
            let mut world = World::usual();
            for ifindex in [world.links.veths[0], world.links.bridges[0], world.links.uplink] {
                let mut packet = BytePacket::new(bytes.clone());
                let arrival = Arrival { bare, ..world.arrival(ifindex) };
                let verdict = world.run(hook, arrival, &mut packet);
                prop_assert_eq!(packet.bytes.len(), bytes.len());
                if matches!(verdict, Verdict::Pass | Verdict::Drop(_)) {
                    prop_assert_eq!(&packet.bytes, &bytes);
                }
            }
        }
    }

    #[test]
    fn nothing_of_a_packet_is_judged_by_the_one_before(
        frames in proptest::collection::vec(arbitrary_frames(), 2..6), hook in 0..6_usize,
    ) {
        let mut worn = World::usual();
        let mut fresh = World::usual();
        for bytes in frames {
            *fresh.workspace = crate::run::Workspace::default();
            let arrival = worn.arrival([11, 11, 10, 10, 2, 2][hook]);
            let (mut one, mut other) = (BytePacket::new(bytes.clone()), BytePacket::new(bytes));
            let verdict = worn.run(Hook::ALL[hook], arrival, &mut one);
            prop_assert_eq!(verdict, fresh.run(Hook::ALL[hook], arrival, &mut other));
            prop_assert_eq!(one, other);
            prop_assert_eq!(&worn.tables.pending, &fresh.tables.pending);
            prop_assert_eq!(&worn.tables.fragments, &fresh.tables.fragments);
        }
    }
}
