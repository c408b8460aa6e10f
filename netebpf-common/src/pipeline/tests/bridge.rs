//! The choke points: what goes around a veth's program is not less isolated.

use super::{OUTSIDE, SYN, check, forwarded, icc_off, world};
use crate::{
    abi::{AllowKey, EndpointFlags, Family, Hook, Mac, Port, protocol},
    model::{FrameSpec, Links, Origin, Piece, Segment, World},
    run::{Arrival, Mark},
    verdict::{DropReason, Verdict},
};

#[test]
fn the_hosts_own_traffic_passes() {
    let links = Links::default();
    for family in World::FAMILIES {
        let mut world = World::usual();
        let to_host = World::incoming(World::host(family), Segment::syn(4000, 22));
        assert_eq!(world.send(OUTSIDE, &to_host), Verdict::Pass);
        let incoming = World::incoming(World::address(0, family), SYN);
        for (hook, link) in [(Hook::ToBridge, links.bridges[0]), (Hook::ToContainer, links.veths[0])] {
            check(&mut world, hook, forwarded(link, 0), &incoming, Verdict::Pass);
        }
        let out = FrameSpec::new(World::host(family), World::client(family), SYN);
        check(&mut world, Hook::ToNetdev, forwarded(links.uplink, 0), &out, Verdict::Pass);
    }
}

#[test]
fn what_the_host_stack_forwards_into_a_network_is_stopped_at_the_bridge() {
    let links = Links::default();
    let bridge = links.bridges[0];
    for family in World::FAMILIES {
        let mut world = World::usual();
        let outside = World::incoming(World::address(0, family), SYN);
        let other_network = World::routed(2, World::address(0, family), SYN);
        for (hook, link) in [(Hook::ToBridge, bridge), (Hook::ToContainer, links.veths[0])] {
            let direct = Verdict::Drop(DropReason::DirectAccess);
            check(&mut world, hook, forwarded(link, links.uplink), &outside, direct);
            let isolated = Verdict::Drop(DropReason::Isolated);
            check(&mut world, hook, forwarded(link, links.bridges[1]), &other_network, isolated);
            let decided = Arrival { mark: Mark::Decided, ..forwarded(link, links.uplink) };
            check(&mut world, hook, decided, &outside, Verdict::Pass);
        }
        let neighbour = World::direct(1, 0, family, SYN);
        check(&mut world, Hook::ToBridge, forwarded(bridge, bridge), &neighbour, Verdict::Pass);
    }
}

#[test]
fn a_mark_outlives_the_way_over_the_bridge() {
    for hook in [Hook::ToBridge, Hook::ToContainer, Hook::ToNetdev] {
        assert_eq!(Mark::passed(hook, Mark::Decided), Mark::Decided, "{hook:?}");
    }
    for mark in [Mark::None, Mark::Checked, Mark::Decided] {
        assert_eq!(Mark::passed(Hook::FromContainer, mark), Mark::Checked, "a sandbox forges nothing");
        assert_eq!(Mark::passed(Hook::FromNetdev, mark), Mark::None);
        assert_eq!(Mark::passed(Hook::FromBridge, mark), Mark::None);
    }
}

#[test]
fn a_veth_without_a_program_is_slower_and_not_less_isolated() {
    let links = Links::default();
    let bridge = forwarded(links.bridges[0], links.bridges[0]);
    for family in World::FAMILIES {
        let mut world = World::usual();
        let isolated = World::routed(0, World::address(2, family), SYN);
        check(&mut world, Hook::FromBridge, bridge, &isolated, Verdict::Drop(DropReason::Isolated));
        let out = World::routed(0, World::client(family), SYN);
        let spoofed = Verdict::Drop(DropReason::Spoofed);
        for spec in [
            FrameSpec { source: World::address(2, family), ..out.clone() },
            FrameSpec { source: World::outside(family, 3), ..out.clone() },
            FrameSpec { source_mac: World::mac(1), ..out.clone() },
        ] {
            check(&mut world, Hook::FromBridge, bridge, &spec, spoofed);
        }
        let checked = Arrival { mark: Mark::Checked, ..bridge };
        check(&mut world, Hook::FromBridge, checked, &out, Verdict::Pass);
        let uplink = Verdict::ToUplink { ifindex: links.uplink, next_hop: World::client(family).into() };
        check(&mut world, Hook::FromBridge, bridge, &out, uplink);
    }
}

#[test]
fn an_untranslated_container_packet_does_not_leave_the_host() {
    let links = Links::default();
    for family in World::FAMILIES {
        let mut world = World::usual();
        let arrival = forwarded(links.uplink, links.bridges[0]);
        let untranslated = Verdict::Drop(DropReason::Untranslated);
        let to_server = World::routed(0, World::host(family), Segment::syn(1, 8080));
        check(&mut world, Hook::ToNetdev, arrival, &to_server, untranslated);
        let decided = Arrival { mark: Mark::Decided, ..arrival };
        let out = World::routed(0, World::client(family), SYN);
        check(&mut world, Hook::ToNetdev, decided, &out, Verdict::Pass);
        let answer = Segment::Tcp { source: 1, destination: 2, flags: 4 };
        let reset = World::routed(0, World::client(family), answer);
        check(&mut world, Hook::ToNetdev, arrival, &reset, Verdict::Drop(DropReason::UnknownFlow));
    }
}

/// A link from a to b's port 80.
fn link(world: &mut World, family: Family) {
    let (client, server) = (World::address(0, family), World::address(1, family));
    world.tables.allowed.insert(AllowKey::new(client.into(), server.into(), Port::new(80), protocol::TCP));
}

#[test]
fn a_link_opens_its_port_both_ways_and_nothing_else() {
    let links = Links::default();
    for family in World::FAMILIES {
        let mut world = icc_off();
        link(&mut world, family);
        let refused = Verdict::Drop(DropReason::IccDisabled);
        let request = World::direct(0, 1, family, SYN);
        let answer = World::direct(1, 0, family, Segment::Tcp { source: 80, destination: 4000, flags: 18 });
        let other_port = World::direct(0, 1, family, Segment::syn(4000, 81));
        let other_protocol = World::direct(0, 1, family, Segment::udp(4000, 80));
        let backwards = World::direct(1, 0, family, SYN);
        for (spec, from, is_open) in [
            (&request, 0, true),
            (&answer, 1, true),
            (&other_port, 0, false),
            (&other_protocol, 0, false),
            (&backwards, 1, false),
        ] {
            let to = 1 - from;
            let fast = if is_open { Verdict::ToSandbox { ifindex: links.veths[to] } } else { refused };
            assert_eq!(world.send(Origin::Sandbox(from), spec), fast, "{spec:?}");
            let slow = if is_open { Verdict::Pass } else { refused };
            let arrival = forwarded(links.veths[to], links.veths[from]);
            check(&mut world, Hook::ToContainer, arrival, spec, slow);
        }
    }
}

#[test]
fn a_link_carries_the_errors_about_its_packets() {
    for family in World::FAMILIES {
        let mut world = icc_off();
        link(&mut world, family);
        let kind = if matches!(family, Family::V4) { 3 } else { 1 };
        let error = |about: &FrameSpec, reporter: usize| {
            let reported = FrameSpec::error_about(&about.build(), World::address(reporter, family), kind, 8);
            let error = reported.expect("an error");
            FrameSpec { source_mac: World::mac(reporter), destination_mac: World::mac(1 - reporter), ..error }
        };
        let to = |sandbox: usize| Verdict::ToSandbox { ifindex: world.links.veths[sandbox] };
        let (to_client, to_server) = (to(0), to(1));
        let request = World::direct(0, 1, family, SYN);
        let answer = World::direct(1, 0, family, Segment::Tcp { source: 80, destination: 4000, flags: 18 });
        let other_port = World::direct(0, 1, family, Segment::syn(4000, 81));
        let refused = Verdict::Drop(DropReason::IccDisabled);
        let never_sent = World::direct(1, 0, family, SYN);
        for (about, reporter, verdict) in [
            (&request, 1, to_client),
            (&answer, 0, to_server),
            (&other_port, 1, refused),
            (&never_sent, 0, refused),
        ] {
            assert_eq!(world.send(Origin::Sandbox(reporter), &error(about, reporter)), verdict, "{about:?}");
        }
        let about_others = FrameSpec { source: World::client(family), ..World::direct(0, 1, family, SYN) };
        let stray = FrameSpec { destination: World::address(0, family), ..error(&about_others, 1) };
        assert_eq!(world.send(Origin::Sandbox(1), &stray), refused);
    }
}

#[test]
fn a_link_carries_the_fragments_of_its_packets() {
    for family in World::FAMILIES {
        let mut world = icc_off();
        link(&mut world, family);
        let spec = FrameSpec { payload: std::vec![0; 100], ..World::direct(0, 1, family, SYN) };
        let to_server = Verdict::ToSandbox { ifindex: world.links.veths[1] };
        for frame in spec.cut(64) {
            assert_eq!(world.send_at(0, Origin::Sandbox(0), &frame).0, to_server);
        }
        let stray = FrameSpec { piece: Piece { offset: 9, more: false }, identification: 5, ..spec };
        assert_eq!(world.send(Origin::Sandbox(0), &stray), Verdict::Drop(DropReason::IccDisabled));
    }
}

#[test]
fn with_icc_off_neighbours_still_find_each_other_and_the_gateway() {
    let links = Links::default();
    let mut world = icc_off();
    let solicitation = FrameSpec {
        destination_mac: Mac([0x33, 0x33, 0xff, 0, 0, 3]),
        destination: "ff02::1:ff00:3".parse().expect("an address"),
        ttl: 255,
        payload: [&[0; 15][..], &[3, 1, 1], &World::mac(0).0].concat(),
        ..World::routed(0, World::address(1, Family::V6), Segment::Icmp { kind: 135, identifier: 0 })
    };
    assert_eq!(world.send(Origin::Sandbox(0), &solicitation), Verdict::Pass);
    let arrival = forwarded(links.veths[1], links.veths[0]);
    check(&mut world, Hook::ToContainer, arrival, &solicitation, Verdict::Pass);
    let ping = World::direct(0, 1, Family::V6, Segment::Icmp { kind: 128, identifier: 0 });
    check(&mut world, Hook::ToContainer, arrival, &ping, Verdict::Drop(DropReason::IccDisabled));
}

#[test]
fn an_ip_version_that_a_network_does_not_have_is_not_spoken() {
    for (family, reason) in [(Family::V4, DropReason::Ipv4Disabled), (Family::V6, DropReason::Ipv6Disabled)] {
        let mut world = world(World::USUAL);
        world.remove_family(0, family);
        for destination in [World::client(family), World::address(1, family), World::gateway(0, family)] {
            let spec = World::routed(0, destination, SYN);
            assert_eq!(world.send(Origin::Sandbox(0), &spec), Verdict::Drop(reason));
        }
        let unknown = Arrival { ifindex: 99, ..world.arrival(99) };
        let spec = World::routed(0, World::client(family), SYN);
        check(&mut world, Hook::FromContainer, unknown, &spec, Verdict::Drop(DropReason::UnknownEndpoint));
    }
}

#[test]
fn groups_are_the_segments_business() {
    let mut world = icc_off();
    let broadcast = FrameSpec {
        destination_mac: Mac([0xff; 6]),
        ..World::routed(0, World::inside(0, Family::V4, 255), Segment::udp(1, 2))
    };
    let multicast = FrameSpec {
        destination_mac: Mac([0x33, 0x33, 0, 0, 0, 0xfb]),
        ..World::routed(0, "ff02::fb".parse().expect("an address"), Segment::udp(1, 2))
    };
    for spec in [broadcast, multicast] {
        assert_eq!(world.send(Origin::Sandbox(0), &spec), Verdict::Pass);
    }
    assert_eq!(EndpointFlags::default().0, 0);
}
