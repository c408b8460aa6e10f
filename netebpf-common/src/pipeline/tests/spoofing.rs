//! Every sandbox speaks for itself only: MAC, addresses, neighbour discovery.

use core::net::{IpAddr, Ipv6Addr};
use std::vec::Vec;

use super::{SYN, check, check_sandbox, forwarded};
use crate::{
    abi::{Address, Family, Hook, Mac},
    model::{Extension, FrameSpec, Links, Origin, Piece, Segment, World},
    verdict::{DropReason, Verdict},
};

const SPOOFED: Verdict = Verdict::Drop(DropReason::Spoofed);

#[test]
fn a_sandbox_sends_only_as_itself() {
    for family in World::FAMILIES {
        let own = World::routed(0, World::client(family), SYN);
        let other_mac = FrameSpec { source_mac: Mac([2, 9, 9, 9, 9, 9]), ..own.clone() };
        let sources = [
            World::address(1, family),
            World::gateway(0, family),
            World::host(family),
            World::any(family),
            World::client(family),
        ];
        let others = sources.map(|source| FrameSpec { source, ..own.clone() });
        for spec in others.iter().chain([&other_mac]) {
            check_sandbox(&mut World::usual(), 0, spec, SPOOFED);
        }
    }
    let own = World::routed(0, World::client(Family::V6), SYN);
    let foreign = FrameSpec { source: link_local(1), ..own };
    check_sandbox(&mut World::usual(), 0, &foreign, SPOOFED);
}

/// The link-local address that follows from a sandbox's MAC.
fn link_local(sandbox: usize) -> IpAddr {
    Address::link_local_of(World::mac(sandbox)).into()
}

#[test]
fn a_sandbox_may_ask_for_an_address() {
    for (family, ports) in [(Family::V4, (68, 67)), (Family::V6, (546, 547))] {
        let spec = FrameSpec {
            destination_mac: Mac([0xff; 6]),
            source: World::any(family),
            ..World::routed(0, World::client(family), Segment::udp(ports.0, ports.1))
        };
        check_sandbox(&mut World::usual(), 0, &spec, Verdict::Pass);
        let unicast = FrameSpec { destination_mac: World::mac(1), ..spec };
        check_sandbox(&mut World::usual(), 0, &unicast, SPOOFED);
    }
}

#[test]
fn a_sandbox_may_use_the_link_local_address_of_its_mac_within_its_segment() {
    let local = |to_mac: Mac| FrameSpec {
        source: link_local(0),
        destination_mac: to_mac,
        ..World::routed(0, link_local(1), SYN)
    };
    let mut world = World::usual();
    check_sandbox(&mut world, 0, &local(World::mac(1)), Verdict::Pass);
    check_sandbox(&mut world, 0, &local(World::bridge_mac(0)), Verdict::Pass);
    let mut icc_off = super::icc_off();
    check_sandbox(&mut icc_off, 0, &local(World::mac(1)), Verdict::Drop(DropReason::IccDisabled));
    check_sandbox(&mut icc_off, 0, &local(World::bridge_mac(0)), Verdict::Pass);
    let arrival = forwarded(Links::default().veths[1], Links::default().veths[0]);
    let refused = Verdict::Drop(DropReason::IccDisabled);
    check(&mut icc_off, Hook::ToContainer, arrival, &local(World::mac(1)), refused);
    let mut leaving = local(World::bridge_mac(0));
    leaving.destination = World::client(Family::V6);
    check_sandbox(&mut world, 0, &leaving, Verdict::Pass);
    check(
        &mut world,
        Hook::FromBridge,
        forwarded(Links::default().bridges[0], Links::default().bridges[0]),
        &leaving,
        Verdict::Pass,
    );
}

#[test]
fn what_is_not_ip_passes_on_its_segment_whatever_came_before() {
    let experiment = |to: Mac, from: Mac, length: usize| {
        [&to.0[..], &from.0, &[0x88, 0xb5], &std::vec![7; length]].concat()
    };
    for length in [1, 5, 46, 200] {
        for to in [World::mac(1), World::bridge_mac(0), Mac([0xff; 6])] {
            let mut world = World::usual();
            let before = World::routed(0, World::client(Family::V6), SYN);
            world.pass(Origin::Sandbox(0), &before);
            let own = experiment(to, World::mac(0), length);
            assert_eq!(world.send_at(0, Origin::Sandbox(0), &own).0, Verdict::Pass, "{length} bytes");
            let foreign = experiment(to, World::mac(1), length);
            assert_eq!(world.send_at(0, Origin::Sandbox(0), &foreign).0, SPOOFED);
        }
    }
}

/// A neighbour discovery message: its type, the target or destination if it has one, and options.
fn discovery(kind: u8, target: Option<IpAddr>, options: &[(u8, Mac)]) -> FrameSpec {
    let mut payload = Vec::new();
    if let Some(IpAddr::V6(target)) = target {
        payload.extend(Ipv6Addr::octets(&target));
    }
    payload.extend(match kind {
        134 => std::vec![0; 8],
        137 => std::vec![0; 16],
        _ => Vec::new(),
    });
    for (option, mac) in options {
        payload.extend([*option, 1]);
        payload.extend(mac.0);
    }
    FrameSpec {
        destination_mac: Mac([0x33, 0x33, 0, 0, 0, 1]),
        ttl: 255,
        payload,
        ..World::routed(0, "ff02::1".parse().expect("an address"), Segment::Icmp { kind, identifier: 0 })
    }
}

#[test]
fn a_sandbox_discovers_as_itself() {
    let (own, other) = (World::address(0, Family::V6), World::address(1, Family::V6));
    let (mac, foreign) = (World::mac(0), World::mac(1));
    for (spec, expected) in [
        (discovery(135, Some(other), &[(1, mac)]), Verdict::Pass),
        (discovery(135, Some(other), &[]), Verdict::Pass),
        (discovery(135, Some(other), &[(1, foreign)]), SPOOFED),
        (discovery(136, Some(own), &[(2, mac)]), Verdict::Pass),
        (discovery(136, Some(link_local(0)), &[(2, mac)]), Verdict::Pass),
        (discovery(136, Some(other), &[(2, mac)]), SPOOFED),
        (discovery(136, Some(World::gateway(0, Family::V6)), &[]), SPOOFED),
        (discovery(136, Some(own), &[(2, foreign)]), SPOOFED),
        (discovery(136, Some(own), &[(14, foreign), (2, foreign)]), SPOOFED),
        (discovery(133, None, &[(1, mac)]), Verdict::Pass),
        (discovery(133, None, &[(1, foreign)]), SPOOFED),
        (discovery(134, None, &[(1, foreign)]), SPOOFED),
        (discovery(137, Some(other), &[(2, foreign)]), SPOOFED),
        (discovery(135, Some(other), &[(14, foreign); 5]), SPOOFED),
    ] {
        check_sandbox(&mut World::usual(), 0, &spec, expected);
    }
}

#[test]
fn neither_fragments_nor_extension_headers_hide_a_discovery() {
    let victim = World::gateway(0, Family::V6);
    let forged = discovery(136, Some(victim), &[(2, World::mac(0))]);
    for extensions in [
        std::vec![Extension::HopByHop],
        std::vec![Extension::Destination, Extension::HopByHop],
        std::vec![Extension::Atomic],
        std::vec![Extension::Destination; 6],
    ] {
        let spec = FrameSpec { extensions, ..forged.clone() };
        check_sandbox(&mut World::usual(), 0, &spec, SPOOFED);
    }
    let own = discovery(136, Some(World::address(0, Family::V6)), &[(2, World::mac(0))]);
    let first = FrameSpec { piece: Piece { offset: 0, more: true }, ..own };
    check_sandbox(&mut World::usual(), 0, &first, SPOOFED);
    let hidden = FrameSpec { extensions: std::vec![Extension::Destination; 7], ..forged };
    check_sandbox(&mut World::usual(), 0, &hidden, Verdict::Drop(DropReason::UnsupportedProtocol));
}

#[test]
fn an_option_of_no_length_or_beyond_the_end_is_refused() {
    let own = discovery(135, Some(World::address(1, Family::V6)), &[]);
    for tail in [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[1, 1, 2, 0, 0]] {
        let payload = [&own.payload[..], tail].concat();
        check_sandbox(&mut World::usual(), 0, &FrameSpec { payload, ..own.clone() }, SPOOFED);
    }
}
