//! Machines that the user plugged into a network's bridge: neighbours of its endpoints, and strangers to everybody else.

use core::net::IpAddr;

use super::{OUTSIDE, SYN, check, forwarded};
use crate::{
    abi::{EndpointFlags, Family, Hook},
    model::{FrameSpec, Links, Origin, Rules, Segment, World},
    verdict::{DropReason, Verdict},
};

const MACHINE: Origin = Origin::Machine;
const PLUGGED: Rules = Rules {
    flags: [World::USUAL; 2],
    trusted: [false; 2],
    plugged: true,
    published: true,
    direct_routing: false,
    linked: false,
    snat: [false; 2],
};

fn world(rules: Rules) -> World {
    World::with_rules(Links::default(), &rules)
}

/// A frame straight from the machine to a sandbox, in the name of `source`.
fn straight(source: IpAddr, to: usize, family: Family) -> FrameSpec {
    let spec = World::plugged(World::address(to, family), SYN);
    FrameSpec { source, destination_mac: World::mac(to), ..spec }
}

#[test]
fn a_machine_and_what_it_routes_reach_the_endpoints_of_its_segment() {
    let links = Links::default();
    for family in World::FAMILIES {
        for source in [World::machine(family), World::client(family)] {
            let frame = straight(source, 0, family);
            let arrival = forwarded(links.veths[0], links.port);
            check(&mut world(PLUGGED), Hook::ToContainer, arrival, &frame, Verdict::Pass);
            let refused = Verdict::Drop(DropReason::DirectAccess);
            check(&mut World::usual(), Hook::ToContainer, arrival, &frame, refused);
            let elsewhere = straight(source, 2, family);
            let arrival = forwarded(links.veths[2], links.port);
            check(&mut world(PLUGGED), Hook::ToContainer, arrival, &elsewhere, refused);
        }
        for destination in [World::machine(family), World::client(family)] {
            let frame =
                FrameSpec { destination_mac: World::MACHINE_MAC, ..World::routed(0, destination, SYN) };
            assert_eq!(world(PLUGGED).send(Origin::Sandbox(0), &frame), Verdict::Pass);
        }
    }
}

#[test]
fn a_machine_sends_in_the_name_of_no_endpoint_and_not_in_the_hosts() {
    let links = Links::default();
    for family in World::FAMILIES {
        for (source, reason) in [
            (World::address(1, family), DropReason::Spoofed),
            (World::address(2, family), DropReason::Isolated),
            (World::gateway(0, family), DropReason::DirectAccess),
            (World::host(family), DropReason::DirectAccess),
        ] {
            let arrival = forwarded(links.veths[0], links.port);
            let frame = straight(source, 0, family);
            check(&mut world(PLUGGED), Hook::ToContainer, arrival, &frame, Verdict::Drop(reason));
            let to_host = FrameSpec { source, ..World::plugged(World::gateway(0, family), SYN) };
            let spoofed = Verdict::Drop(DropReason::Spoofed);
            assert_eq!(world(PLUGGED).send(MACHINE, &to_host), spoofed, "{source}");
        }
    }
}

#[test]
fn without_icc_machines_and_endpoints_only_find_each_other() {
    let links = Links::default();
    let rules = Rules { flags: [EndpointFlags::MASQUERADE; 2], ..PLUGGED };
    let refused = Verdict::Drop(DropReason::IccDisabled);
    for family in World::FAMILIES {
        for far in [World::machine(family), World::client(family)] {
            let arrival = forwarded(links.veths[0], links.port);
            check(&mut world(rules), Hook::ToContainer, arrival, &straight(far, 0, family), refused);
            let out = FrameSpec { destination_mac: World::MACHINE_MAC, ..World::routed(0, far, SYN) };
            assert_eq!(world(rules).send(Origin::Sandbox(0), &out), refused);
        }
    }
    let ask = FrameSpec { ttl: 255, ..straight(World::machine(Family::V6), 0, Family::V6) };
    let ask = FrameSpec { segment: Segment::Icmp { kind: 135, identifier: 0 }, ..ask };
    check(&mut world(rules), Hook::ToContainer, forwarded(links.veths[0], links.port), &ask, Verdict::Pass);
}

#[test]
fn a_machine_talks_to_the_host_and_through_it_as_before_the_network() {
    let links = Links::default();
    for family in World::FAMILIES {
        for destination in [World::gateway(0, family), World::host(family), World::client(family)] {
            let frame = World::plugged(destination, Segment::syn(9, 22));
            assert_eq!(world(PLUGGED).send(MACHINE, &frame), Verdict::Pass);
            assert_eq!(World::usual().send(MACHINE, &frame), Verdict::Drop(DropReason::Spoofed));
        }
        let answer = World::incoming(World::machine(family), SYN);
        let arrival = forwarded(links.bridges[0], links.uplink);
        check(&mut world(PLUGGED), Hook::ToBridge, arrival, &answer, Verdict::Pass);
        let refused = Verdict::Drop(DropReason::DirectAccess);
        check(&mut World::usual(), Hook::ToBridge, arrival, &answer, refused);
        for rules in [PLUGGED, Rules { trusted: [true; 2], ..PLUGGED }] {
            let direct = World::incoming(World::address(0, family), SYN);
            check(&mut world(rules), Hook::ToBridge, arrival, &direct, refused);
        }
    }
}

#[test]
fn a_machine_reaches_published_ports() {
    for family in World::FAMILIES {
        // In its own segment the server would answer around the host.
        for (port, server, seen) in
            [(8080, 0, World::gateway(0, family)), (20_000, 3, World::machine(family))]
        {
            let mut world = world(PLUGGED);
            let request = World::plugged(World::gateway(0, family), Segment::syn(9, port));
            let got = world.pass(MACHINE, &request);
            assert_eq!((got.source, got.destination), (seen, World::address(server, family)));
            let answer = World::answer_from(Origin::Sandbox(server), &got).expect("an answer");
            let (verdict, packet) = world.send_at(0, Origin::Sandbox(server), &answer.build());
            assert_eq!(world.goal(verdict), Some(MACHINE));
            let back = FrameSpec::read(&packet.bytes).expect("a frame");
            assert_eq!(back.ends(), request.answer().expect("an answer").ends());
            Rules::default().apply(&mut world);
            let spoofed = Verdict::Drop(DropReason::Spoofed);
            assert_eq!(world.send(MACHINE, &request), spoofed, "unplugged");
        }
    }
}

#[test]
fn a_machine_is_out_of_reach_for_other_networks_and_they_for_it() {
    for family in World::FAMILIES {
        let to_other = World::plugged(World::address(2, family), SYN);
        assert_eq!(world(PLUGGED).send(MACHINE, &to_other), Verdict::Drop(DropReason::DirectAccess));
        let from_other = World::routed(2, World::machine(family), SYN);
        let refused = Verdict::Drop(DropReason::NoUplinkAddress);
        assert_eq!(world(PLUGGED).send(Origin::Sandbox(2), &from_other), refused);
        let pretended = FrameSpec {
            source: World::machine(family),
            ..World::incoming(World::host(family), Segment::syn(9, 8080))
        };
        let martian = Verdict::Drop(DropReason::Martian);
        assert_eq!(world(PLUGGED).send(OUTSIDE, &pretended), martian, "an answer would go elsewhere");
    }
}

#[test]
fn a_machine_reports_no_errors_about_what_sandboxes_were_sent() {
    for family in World::FAMILIES {
        let mut world = world(PLUGGED);
        let got = world.pass(OUTSIDE, &World::incoming(World::host(family), Segment::syn(9, 8080)));
        let kind = if matches!(family, Family::V4) { 3 } else { 1 };
        let error = FrameSpec::error_about(&got.build(), World::machine(family), kind, 28).expect("an error");
        let verdict = world.send(MACHINE, &World::sent_by(MACHINE, error));
        assert_eq!(verdict, Verdict::Drop(DropReason::UnknownFlow));
    }
}
