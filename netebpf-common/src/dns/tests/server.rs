//! To the name server and back.

use std::vec;

use super::segment;
use crate::{
    abi::{Address, Family, Hook, QueryLimit, Resolver},
    dns::{CLIENT_WITHOUT_IPV4, PORT, RESOLVER, client_address, client_link},
    model::{BytePacket, FrameSpec, Origin, Query, Segment, World, checksums_are_right},
    pipeline::RESOLVER_MAC,
    verdict::{DropReason, Verdict},
};

const ACK: u8 = 16;

/// What becomes of a frame of the name server.
fn tell(world: &mut World, spec: &FrameSpec) -> (Verdict, FrameSpec) {
    let mut packet = BytePacket::new(spec.build());
    let arrival = world.arrival(world.links.resolver);
    let verdict = world.run(Hook::FromResolver, arrival, &mut packet);
    assert!(checksums_are_right(&packet.bytes));
    (verdict, FrameSpec::read(&packet.bytes).expect("a frame"))
}

#[test]
fn every_link_has_an_address_of_its_own() {
    for link in [0, 1, 53, 0x00ff_ffff, 0x07ff_ffff] {
        assert_eq!(client_address(link).and_then(client_link), Some(link));
    }
    assert_eq!(client_address(0x0800_0000), None);
    for address in ["127.0.0.1", "239.255.255.255", "248.0.0.0", "255.255.255.255"] {
        let address: std::net::Ipv4Addr = address.parse().unwrap();
        assert_eq!(client_link(address.into()), None);
    }
    assert_eq!(client_link(Address::from_words([1, 0, 0, 0xf000_0000_u32.to_be()])), None);
}

#[test]
fn a_packet_goes_to_the_server_as_from_its_endpoints_number_and_its_answer_comes_back() {
    let mut world = World::usual();
    let tcp = |source, destination| Segment::Tcp { source, destination, flags: ACK };
    let unknown = Query::new("example.com", Family::V4).build();
    for (there, back) in [(segment(true), Segment::udp(53, 4000)), (tcp(4000, 53), tcp(53, 4000))] {
        for sandbox in 0..3 {
            let sent = World::asking(sandbox, there.clone(), unknown.clone());
            let (verdict, packet) = world.send_at(0, Origin::Sandbox(sandbox), &sent.build());
            assert_eq!(verdict, Verdict::ToResolver { ifindex: 30 });
            let got = FrameSpec::read(&packet.bytes).unwrap();
            let link = world.links.veths[sandbox];
            let client = client_address(link).unwrap();
            assert_eq!(got.ends(), ((client.into(), 4000), (RESOLVER.into(), PORT)));
            assert_eq!((got.destination_mac, got.ttl), (RESOLVER_MAC, 63));
            assert_eq!(got.payload, sent.payload);
            let (verdict, answer) = tell(&mut world, &World::told(link, back.clone(), vec![1; 99]));
            assert_eq!(verdict, Verdict::ToSandbox { ifindex: link });
            assert_eq!(answer.ends(), ((RESOLVER.into(), PORT), (World::address(sandbox, Family::V4), 4000)));
            assert_eq!((answer.destination_mac, answer.payload), (World::mac(sandbox), vec![1; 99]));
        }
    }
    assert!(world.tables.flows.is_empty() && world.tables.pending.is_empty(), "nothing is remembered");
}

#[test]
fn who_waits_for_answers_asks_as_much_as_the_server_can_answer() {
    let mut world = World::usual();
    world.set_config(|config| {
        config.resolver = Resolver::new(30, QueryLimit { interval: 1_000_000, burst: 3 });
    });
    let unknown = World::asking(0, segment(true), Query::new("x", Family::V4).build());
    let answer = World::told(world.links.veths[0], Segment::udp(53, 4000), vec![1]);
    for _ in 0..100 {
        assert_eq!(world.send(Origin::Sandbox(0), &unknown), Verdict::ToResolver { ifindex: 30 });
        assert!(matches!(tell(&mut world, &answer).0, Verdict::ToSandbox { .. }));
    }
}

#[test]
fn a_sandbox_without_ipv4_is_answered_at_the_address_it_asked_from() {
    let mut world = World::usual();
    world.remove_family(1, Family::V4);
    let link = world.links.veths[1];
    let (verdict, got) = tell(&mut world, &World::told(link, Segment::udp(53, 4000), vec![1]));
    assert_eq!(verdict, Verdict::ToSandbox { ifindex: link });
    assert_eq!(got.destination, CLIENT_WITHOUT_IPV4);
}

#[test]
fn nothing_but_answers_of_the_server_comes_by_its_device() {
    let mut world = World::usual();
    let link = world.links.veths[0];
    let answer = World::told(link, Segment::udp(53, 4000), vec![1]);
    let not_dns = Verdict::Drop(DropReason::NotDns);
    let wrong = [
        FrameSpec { source: World::client(Family::V4), ..answer.clone() },
        FrameSpec { destination: World::address(0, Family::V4), ..answer.clone() },
        FrameSpec { segment: Segment::udp(54, 4000), ..answer.clone() },
        FrameSpec { segment: Segment::ping(RESOLVER.into(), 1), ..answer.clone() },
        World::direct(0, 1, Family::V6, Segment::udp(53, 4000)),
    ];
    for spec in wrong {
        assert_eq!(tell(&mut world, &spec).0, not_dns, "{spec:?}");
    }
    let nobody = World::told(99, Segment::udp(53, 4000), vec![1]);
    assert_eq!(tell(&mut world, &nobody).0, Verdict::Drop(DropReason::UnknownEndpoint));
    assert_eq!(tell(&mut world, &answer).0, Verdict::ToSandbox { ifindex: link });
}
