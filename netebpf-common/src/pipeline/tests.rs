//! Who may talk to whom, hook by hook.

use std::vec::Vec;

use core::net::Ipv4Addr;
use proptest::prelude::*;

use crate::{
    abi::{EndpointFlags, Hook, Mac},
    model::{BytePacket, FrameSpec, Links, NOW, Segment, World, checksums_are_right},
    run::Arrival,
    verdict::{DropReason, Verdict},
};

const SYN: Segment = Segment::Tcp { source: 4000, destination: 80, flags: 2 };

fn world(flags: EndpointFlags) -> World {
    World::new(Links::default(), flags)
}

/// A frame from sandbox `from` to an address by way of its gateway.
fn routed(from: usize, destination: Ipv4Addr) -> FrameSpec {
    FrameSpec {
        source_mac: World::mac(from),
        destination_mac: World::bridge_mac(from),
        source: World::address(from),
        destination,
        ttl: 64,
        option_words: 0,
        fragment: 0,
        segment: SYN,
        payload: Vec::new(),
    }
}

fn direct(from: usize, to: usize) -> FrameSpec {
    FrameSpec { destination_mac: World::mac(to), ..routed(from, World::address(to)) }
}

fn incoming(destination: Ipv4Addr) -> FrameSpec {
    FrameSpec { source: World::CLIENT, ..routed(0, destination) }
}

#[track_caller]
fn check_sandbox(world: &mut World, from: usize, spec: &FrameSpec, expected: Verdict) {
    let sent = spec.build();
    let mut packet = BytePacket(sent.clone());
    assert_eq!(world.from_sandbox(from, &mut packet), expected);
    if matches!(expected, Verdict::Pass | Verdict::Drop(_)) {
        assert_eq!(packet.0, sent, "a packet that is not forwarded is not touched");
    }
}

#[track_caller]
fn check_hook(hook: Hook, arrival: Arrival, spec: &FrameSpec, expected: Verdict) {
    let mut world = world(EndpointFlags::ICC);
    assert_eq!(world.run(hook, arrival, &mut BytePacket(spec.build())), expected);
}

fn forwarded(ifindex: u32, ingress: u32) -> Arrival {
    Arrival { ifindex, ingress, decided: false, now: NOW }
}

#[test]
fn neighbours_reach_each_other_without_a_flow() {
    let mut world = world(EndpointFlags::ICC);
    let expected = Verdict::ToSandbox { ifindex: world.links.veths[1] };
    check_sandbox(&mut world, 0, &direct(0, 1), expected);
    assert!(world.tables.flows.is_empty());
}

#[test]
fn neighbours_with_icc_off_do_not() {
    check_sandbox(
        &mut world(EndpointFlags::default()),
        0,
        &direct(0, 1),
        Verdict::Drop(DropReason::IccDisabled),
    );
}

#[test]
fn a_container_of_another_network_is_out_of_reach_by_any_protocol() {
    for segment in [SYN, Segment::Icmp { kind: 8, identifier: 1 }, Segment::Other(47)] {
        let spec = FrameSpec { segment, ..routed(0, World::address(2)) };
        check_sandbox(&mut world(EndpointFlags::ICC), 0, &spec, Verdict::Drop(DropReason::Isolated));
    }
}

#[test]
fn an_internal_network_has_no_way_out() {
    let internal = EndpointFlags::ICC.union(EndpointFlags::INTERNAL);
    let published = FrameSpec {
        segment: Segment::Tcp { source: 4000, destination: 8080, flags: 2 },
        ..routed(2, World::gateway(2))
    };
    for spec in [routed(2, World::CLIENT), published] {
        check_sandbox(&mut world(internal), 2, &spec, Verdict::Drop(DropReason::Internal));
    }
    check_sandbox(&mut world(internal), 2, &routed(2, World::gateway(2)), Verdict::Pass);
}

#[test]
fn a_sandbox_sends_only_as_itself() {
    let own = routed(0, World::CLIENT);
    let other_mac = FrameSpec { source_mac: Mac([2, 9, 9, 9, 9, 9]), ..own.clone() };
    let other_address = FrameSpec { source: World::address(1), ..own.clone() };
    let nobody = FrameSpec { source: Ipv4Addr::UNSPECIFIED, ..own };
    for spec in [other_mac, other_address, nobody] {
        check_sandbox(&mut world(EndpointFlags::ICC), 0, &spec, Verdict::Drop(DropReason::Spoofed));
    }
}

#[test]
fn a_sandbox_may_ask_for_an_address() {
    let spec = FrameSpec {
        destination_mac: Mac([0xff; 6]),
        source: Ipv4Addr::UNSPECIFIED,
        destination: Ipv4Addr::BROADCAST,
        segment: Segment::Udp { source: 68, destination: 67, checksum: true },
        ..routed(0, World::CLIENT)
    };
    check_sandbox(&mut world(EndpointFlags::ICC), 0, &spec, Verdict::Pass);
}

#[test]
fn the_hosts_own_services_see_the_container_itself() {
    for destination in [World::gateway(0), World::HOST] {
        check_sandbox(&mut world(EndpointFlags::ICC), 0, &routed(0, destination), Verdict::Pass);
    }
}

#[test]
fn outside_knows_no_container_addresses() {
    let mut world = world(EndpointFlags::ICC);
    for segment in [SYN, Segment::Icmp { kind: 8, identifier: 1 }, Segment::Other(47)] {
        let spec = FrameSpec { segment, ..incoming(World::address(0)) };
        let verdict = world.from_client(&mut BytePacket(spec.build()));
        assert_eq!(verdict, Verdict::Drop(DropReason::DirectAccess));
    }
}

#[test]
fn loopback_addresses_on_a_wire_are_dropped() {
    let mut world = world(EndpointFlags::ICC);
    let to = incoming(Ipv4Addr::LOCALHOST);
    let from = FrameSpec { source: Ipv4Addr::LOCALHOST, ..incoming(World::HOST) };
    for spec in [to, from] {
        assert_eq!(world.from_client(&mut BytePacket(spec.build())), Verdict::Drop(DropReason::Martian));
    }
}

#[test]
fn a_client_outside_that_calls_itself_a_container_gets_nowhere() {
    let mut world = world(EndpointFlags::ICC);
    for (source, reason) in [
        (World::address(1), DropReason::Martian),
        (World::gateway(0), DropReason::NoRoute),
        (World::HOST, DropReason::NoRoute),
    ] {
        let segment = Segment::Tcp { source: 4000, destination: 8080, flags: 2 };
        let spec = FrameSpec { source, segment, ..incoming(World::HOST) };
        assert_eq!(world.from_client(&mut BytePacket(spec.build())), Verdict::Drop(reason));
    }
}

#[test]
fn a_port_published_on_loopback_is_not_published_outside() {
    let mut world = world(EndpointFlags::ICC);
    let segment = Segment::Tcp { source: 4000, destination: 9090, flags: 2 };
    let spec = FrameSpec { segment, ..incoming(World::HOST) };
    assert_eq!(world.from_client(&mut BytePacket(spec.build())), Verdict::Pass, "the host refuses it");
}

#[test]
fn the_hosts_own_traffic_passes() {
    let mut world = world(EndpointFlags::ICC);
    let spec = FrameSpec {
        segment: Segment::Tcp { source: 4000, destination: 22, flags: 2 },
        ..incoming(World::HOST)
    };
    assert_eq!(world.from_client(&mut BytePacket(spec.build())), Verdict::Pass);
    let links = Links::default();
    check_hook(Hook::ToBridge, forwarded(links.bridges[0], 0), &incoming(World::address(0)), Verdict::Pass);
    check_hook(Hook::ToContainer, forwarded(links.veths[0], 0), &incoming(World::address(0)), Verdict::Pass);
    check_hook(Hook::ToNetdev, forwarded(links.uplink, 0), &routed(0, World::CLIENT), Verdict::Pass);
}

#[test]
fn what_the_host_stack_forwards_into_a_network_is_stopped_at_the_bridge() {
    let links = Links::default();
    let bridge = links.bridges[0];
    let outside = incoming(World::address(0));
    let direct_access = Verdict::Drop(DropReason::DirectAccess);
    check_hook(Hook::ToBridge, forwarded(bridge, links.uplink), &outside, direct_access);
    check_hook(Hook::ToContainer, forwarded(links.veths[0], links.uplink), &outside, direct_access);
    let other_network = routed(2, World::address(0));
    let isolated = Verdict::Drop(DropReason::Isolated);
    check_hook(Hook::ToBridge, forwarded(bridge, links.bridges[1]), &other_network, isolated);
    check_hook(Hook::ToContainer, forwarded(links.veths[0], links.bridges[1]), &other_network, isolated);
    check_hook(Hook::ToBridge, forwarded(bridge, bridge), &direct(1, 0), Verdict::Pass);
}

#[test]
fn a_veth_without_a_program_is_slower_and_not_less_isolated() {
    let links = Links::default();
    let bridge = forwarded(links.bridges[0], links.bridges[0]);
    let isolated = Verdict::Drop(DropReason::Isolated);
    check_hook(Hook::FromBridge, bridge, &routed(0, World::address(2)), isolated);
    let spoofed = FrameSpec { source: World::address(2), ..routed(0, World::CLIENT) };
    check_hook(Hook::FromBridge, bridge, &spoofed, Verdict::Drop(DropReason::Spoofed));
    let out = Verdict::ToUplink { ifindex: links.uplink, next_hop: World::CLIENT.into() };
    check_hook(Hook::FromBridge, bridge, &routed(0, World::CLIENT), out);
}

#[test]
fn an_untranslated_container_packet_does_not_leave_the_host() {
    let links = Links::default();
    let untranslated = Verdict::Drop(DropReason::Untranslated);
    check_hook(
        Hook::ToNetdev,
        forwarded(links.uplink, links.bridges[0]),
        &routed(0, World::CLIENT),
        untranslated,
    );
    let decided = Arrival { decided: true, ..forwarded(links.uplink, links.bridges[0]) };
    check_hook(Hook::ToNetdev, decided, &routed(0, World::CLIENT), Verdict::Pass);
}

#[test]
fn what_cannot_be_translated_yet_is_dropped_with_its_reason() {
    let fragment = FrameSpec { fragment: 0x2000, ..routed(0, World::CLIENT) };
    let tunnel = FrameSpec { segment: Segment::Other(47), ..routed(0, World::CLIENT) };
    let unanswered =
        FrameSpec { segment: Segment::Icmp { kind: 0, identifier: 1 }, ..routed(0, World::CLIENT) };
    for (spec, reason) in [
        (fragment, DropReason::Fragment),
        (tunnel, DropReason::UnsupportedProtocol),
        (unanswered, DropReason::UnknownFlow),
    ] {
        check_sandbox(&mut world(EndpointFlags::ICC), 0, &spec, Verdict::Drop(reason));
    }
}

#[test]
fn the_last_hop_is_the_host_stacks_to_answer() {
    let spec = FrameSpec { ttl: 1, ..routed(0, World::CLIENT) };
    check_sandbox(&mut world(EndpointFlags::ICC), 0, &spec, Verdict::Pass);
}

#[test]
fn an_established_packet_costs_at_most_two_lookups() {
    let mut world = world(EndpointFlags::ICC);
    let check = |world: &mut World, sandbox: bool, spec: &FrameSpec| {
        let mut packet = BytePacket(spec.build());
        let verdict =
            if sandbox { world.from_sandbox(0, &mut packet) } else { world.from_client(&mut packet) };
        assert!(!matches!(verdict, Verdict::Drop(_) | Verdict::Pass), "{verdict:?}");
        world.tables.take_lookups()
    };
    let out = FrameSpec {
        segment: Segment::Udp { source: 9, destination: 53, checksum: true },
        ..routed(0, World::CLIENT)
    };
    let back = FrameSpec {
        segment: Segment::Udp { source: 53, destination: 9, checksum: true },
        ..incoming(World::HOST)
    };
    let published = FrameSpec {
        segment: Segment::Tcp { source: 9, destination: 8080, flags: 2 },
        ..incoming(World::HOST)
    };
    let answer = FrameSpec {
        segment: Segment::Tcp { source: 80, destination: 9, flags: 18 },
        ..routed(0, World::CLIENT)
    };
    for first in [(true, &out), (false, &published), (false, &back), (true, &answer)] {
        check(&mut world, first.0, first.1);
    }
    let lookups = [
        check(&mut world, true, &direct(0, 1)),
        check(&mut world, true, &out),
        check(&mut world, false, &back),
        check(
            &mut world,
            false,
            &FrameSpec {
                segment: Segment::Tcp { source: 9, destination: 8080, flags: 16 },
                ..incoming(World::HOST)
            },
        ),
        check(
            &mut world,
            true,
            &FrameSpec {
                segment: Segment::Tcp { source: 80, destination: 9, flags: 16 },
                ..routed(0, World::CLIENT)
            },
        ),
    ];
    assert_eq!(lookups, [2, 2, 1, 1, 2]);
}

proptest! {
    #[test]
    fn no_bytes_make_any_hook_panic_or_write_a_wrong_checksum(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        head in proptest::option::of((0..4_usize, any::<bool>())),
    ) {
        let mut bytes = bytes;
        if let Some((sandbox, out)) = head {
            let spec = if out { routed(sandbox, World::CLIENT) } else { direct(sandbox, sandbox ^ 1) };
            let frame = spec.build();
            let kept = bytes.len().min(30);
            bytes.splice(..kept, frame[..30].iter().copied());
        }
        for hook in Hook::ALL {
            let mut world = world(EndpointFlags::ICC);
            for ifindex in [world.links.veths[0], world.links.bridges[0], world.links.uplink] {
                let mut packet = BytePacket(bytes.clone());
                let verdict = world.run(hook, world.arrival(ifindex), &mut packet);
                prop_assert_eq!(packet.0.len(), bytes.len());
                if matches!(verdict, Verdict::Pass | Verdict::Drop(_)) {
                    prop_assert_eq!(&packet.0, &bytes);
                }
            }
        }
    }

    #[test]
    fn options_do_not_mislead_translation(option_words in 0..=10_u8, payload in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut world = world(EndpointFlags::ICC);
        let spec = FrameSpec { option_words, payload, ..routed(0, World::CLIENT) };
        let mut packet = BytePacket(spec.build());
        let verdict = world.from_sandbox(0, &mut packet);
        let expected = Verdict::ToUplink { ifindex: world.links.uplink, next_hop: World::CLIENT.into() };
        prop_assert_eq!(verdict, expected);
        prop_assert!(checksums_are_right(&packet.0));
    }
}
