//! Every sandbox resolves as itself, and finds the name server.

use core::net::IpAddr;
use std::vec::Vec;

use crate::{
    abi::{Address, Endpoint, Family, Mac},
    dns::{CLIENT_WITHOUT_IPV4, RESOLVER},
    model::{Origin, World},
    pipeline::RESOLVER_MAC,
    verdict::{DropReason, Verdict},
};

const SPOOFED: Verdict = Verdict::Drop(DropReason::Spoofed);
const HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: [u8; 2] = [0, 1];
const REPLY: [u8; 2] = [0, 2];

/// An ARP packet as sandbox 0 sends it.
fn arp(sender_mac: Mac, sender: [u8; 4], head: [u8; 6], to: Mac) -> Vec<u8> {
    let body = [&head[..], &REPLY, &sender_mac.0, &sender, &World::mac(1).0, &[10, 1, 0, 3]].concat();
    [&to.0[..], &World::mac(0).0, &[8, 6], &body].concat()
}

#[test]
fn a_sandbox_resolves_as_itself() {
    let (own, address) = (World::mac(0), [10, 1, 0, 2]);
    for to in [Mac([0xff; 6]), World::mac(1), World::bridge_mac(0)] {
        for (frame, expected) in [
            (arp(own, address, HEAD, to), Verdict::Pass),
            (arp(own, [0; 4], HEAD, to), Verdict::Pass),
            (arp(World::mac(1), address, HEAD, to), SPOOFED),
            (arp(own, [10, 1, 0, 3], HEAD, to), SPOOFED),
            (arp(own, [10, 1, 0, 1], HEAD, to), SPOOFED),
            (arp(own, address, [0, 6, 8, 0, 6, 4], to), SPOOFED),
            (arp(own, address, [0, 1, 8, 0, 8, 4], to), SPOOFED),
        ] {
            let mut world = World::usual();
            assert_eq!(world.send_at(0, Origin::Sandbox(0), &frame).0, expected, "{frame:?}");
        }
    }
    let link_local = arp(own, [169, 254, 8, 8], HEAD, Mac([0xff; 6]));
    let mut world = World::usual();
    assert_eq!(world.send_at(0, Origin::Sandbox(0), &link_local).0, SPOOFED);
    let chosen = Address::v4_from_wire(u32::from_ne_bytes([169, 254, 8, 8]));
    let entry = world.tables.endpoints[&World::address(0, Family::V4).into()];
    world.tables.endpoints.insert(chosen.on_link(entry.ifindex), Endpoint { address: chosen, ..entry });
    assert_eq!(world.send_at(0, Origin::Sandbox(0), &link_local).0, Verdict::Pass);
    let cut = arp(own, address, HEAD, Mac([0xff; 6]))[..41].to_vec();
    let cut_short = arp(own, address, HEAD, Mac([0xff; 6]))[..30].to_vec();
    assert_eq!(World::usual().send_at(0, Origin::Sandbox(0), &cut).0, SPOOFED);
    let refused = Verdict::Drop(DropReason::Malformed);
    assert_eq!(World::usual().send_at(0, Origin::Sandbox(0), &cut_short).0, refused);
}

/// Asks who has the name server's address, as sandbox 0 does.
fn seek(operation: [u8; 2], sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let body = [&HEAD[..], &operation, &World::mac(0).0, &sender, &[0; 6], &target].concat();
    [&[0xff; 6][..], &World::mac(0).0, &[8, 6], &body, &[0; 18]].concat()
}

#[test]
fn the_name_server_is_found() {
    let mut world = World::usual();
    let ifindex = world.links.veths[0];
    for sender in [[10, 1, 0, 2], [0; 4]] {
        let (verdict, reply) =
            world.send_at(0, Origin::Sandbox(0), &seek(REQUEST, sender, RESOLVER.octets()));
        assert_eq!(verdict, Verdict::Resolved { ifindex });
        let (own, server) = (World::mac(0).0, RESOLVER_MAC.0);
        let body = [&HEAD[..], &REPLY, &server, &RESOLVER.octets(), &own, &sender, &[0; 18]].concat();
        assert_eq!(reply, [&own[..], &server, &[8, 6], &body].concat().into());
    }
    for (operation, target) in [(REPLY, RESOLVER.octets()), (REQUEST, [10, 1, 0, 3])] {
        let other = seek(operation, [10, 1, 0, 2], target);
        assert_eq!(world.send_at(0, Origin::Sandbox(0), &other).0, Verdict::Pass);
    }
    let spoofed = seek(REQUEST, CLIENT_WITHOUT_IPV4.octets(), RESOLVER.octets());
    assert_eq!(world.send_at(0, Origin::Sandbox(0), &spoofed).0, SPOOFED);
    world.tables.views.clear();
    let without_names = seek(REQUEST, [10, 1, 0, 2], RESOLVER.octets());
    assert_eq!(world.send_at(0, Origin::Sandbox(0), &without_names).0, Verdict::Pass);
}

#[test]
fn a_sandbox_without_ipv4_finds_the_name_server_and_nobody_else() {
    let mut world = World::usual();
    let ifindex = world.links.veths[0];
    world.remove_family(0, Family::V4);
    let mut send = |sender, target| {
        let frame = seek(REQUEST, sender, target);
        world.send_at(0, Origin::Sandbox(0), &frame).0
    };
    let client = CLIENT_WITHOUT_IPV4.octets();
    assert_eq!(send(client, RESOLVER.octets()), Verdict::Resolved { ifindex });
    assert_eq!(send(client, [10, 1, 0, 3]), Verdict::Drop(DropReason::Ipv4Disabled));
    let IpAddr::V4(former) = World::address(0, Family::V4) else { panic!("not IPv4") };
    assert_eq!(send(former.octets(), RESOLVER.octets()), SPOOFED);
}
