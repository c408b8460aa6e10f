//! Translation keeps its promises, on whole packets through the whole pipeline.

use std::{collections::BTreeSet, vec::Vec};

use proptest::prelude::*;

use crate::{
    abi::{Address, EndpointFlags, Hook, Port, Tuple, protocol},
    model::{BytePacket, FrameSpec, NOW, Segment, World, checksums_are_right},
    nat::MAX_ATTEMPTS,
    run::Arrival,
    verdict::{DropReason, Verdict},
};

fn world() -> World {
    World::new(crate::model::Links::default(), EndpointFlags::ICC)
}

fn outgoing(sandbox: usize, segment: Segment, payload: Vec<u8>) -> FrameSpec {
    FrameSpec {
        source_mac: World::mac(sandbox),
        destination_mac: World::bridge_mac(sandbox),
        source: World::address(sandbox),
        destination: World::CLIENT,
        ttl: 64,
        option_words: 0,
        fragment: 0,
        segment,
        payload,
    }
}

fn segments() -> impl Strategy<Value = Segment> {
    let port = 1..=u16::MAX;
    prop_oneof![
        (port.clone(), port.clone()).prop_map(|(source, destination)| Segment::Tcp {
            source,
            destination,
            flags: 2
        }),
        (port.clone(), port.clone(), any::<bool>())
            .prop_map(|(source, destination, checksum)| Segment::Udp { source, destination, checksum }),
        any::<u16>().prop_map(|identifier| Segment::Icmp { kind: 8, identifier }),
    ]
}

/// Turns a frame into its answer: addresses and ports swapped, an echo request into a reply.
fn answer(frame: &[u8]) -> Vec<u8> {
    let ip = |at: usize| core::net::Ipv4Addr::new(frame[at], frame[at + 1], frame[at + 2], frame[at + 3]);
    let header = 14 + usize::from(frame[14] & 0xf) * 4;
    let port = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    let segment = match frame[23] {
        protocol::TCP => Segment::Tcp { source: port(header + 2), destination: port(header), flags: 18 },
        protocol::UDP => Segment::Udp { source: port(header + 2), destination: port(header), checksum: true },
        _ => Segment::Icmp { kind: 0, identifier: port(header + 4) },
    };
    let (source_mac, destination_mac) = (World::mac(0), World::bridge_mac(0));
    let (source, destination) = (ip(30), ip(26));
    let payload = std::vec![7; 9];
    FrameSpec {
        source_mac,
        destination_mac,
        source,
        destination,
        ttl: 60,
        option_words: 0,
        fragment: 0,
        segment,
        payload,
    }
    .build()
}

/// Addresses, and ports or identifier, of a frame without options.
fn tuple_of(frame: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let ports = if frame[23] == protocol::ICMP { frame[38..40].to_vec() } else { frame[34..38].to_vec() };
    (frame[26..34].to_vec(), ports)
}

proptest! {
    #[test]
    fn an_answer_to_a_masqueraded_packet_comes_back_as_an_answer_to_the_original(
        segment in segments(), payload in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut world = world();
        let sent = outgoing(0, segment, payload).build();
        let mut outside = BytePacket(sent.clone());
        let verdict = world.from_sandbox(0, &mut outside);
        let expected = Verdict::ToUplink { ifindex: world.links.uplink, next_hop: World::CLIENT.into() };
        prop_assert_eq!(verdict, expected);
        prop_assert!(checksums_are_right(&outside.0));
        prop_assert_eq!(&outside.0[26..30], &World::HOST.octets());
        prop_assert_eq!(outside.0[22], 63, "one hop counted");

        let mut back = BytePacket(answer(&outside.0));
        prop_assert_eq!(world.from_client(&mut back), Verdict::ToSandbox { ifindex: world.links.veths[0] });
        prop_assert!(checksums_are_right(&back.0));
        let unmasked = answer(&sent);
        prop_assert_eq!(tuple_of(&back.0), tuple_of(&unmasked));
        prop_assert_eq!(&back.0[..6], &World::mac(0).0);
    }

    #[test]
    fn a_published_port_shows_the_client_to_the_server_and_the_host_to_the_client(port in 1..=u16::MAX) {
        let mut world = world();
        let request = FrameSpec {
            source: World::CLIENT,
            destination: World::HOST,
            ..outgoing(0, Segment::Tcp { source: port, destination: 8080, flags: 2 }, Vec::new())
        };
        let mut packet = BytePacket(request.build());
        prop_assert_eq!(world.from_client(&mut packet), Verdict::ToSandbox { ifindex: world.links.veths[0] });
        prop_assert!(checksums_are_right(&packet.0));
        prop_assert_eq!(&packet.0[26..34], &[World::CLIENT.octets(), World::address(0).octets()].concat());
        prop_assert_eq!(&packet.0[36..38], &80_u16.to_be_bytes());

        let mut reply = BytePacket(answer(&packet.0));
        let uplink = Verdict::ToUplink { ifindex: world.links.uplink, next_hop: World::CLIENT.into() };
        prop_assert_eq!(world.from_sandbox(0, &mut reply), uplink);
        prop_assert!(checksums_are_right(&reply.0));
        prop_assert_eq!(&reply.0[26..34], &[World::HOST.octets(), World::CLIENT.octets()].concat());
        prop_assert_eq!(&reply.0[34..36], &8080_u16.to_be_bytes());
    }

    #[test]
    fn no_two_flows_share_a_masquerade_tuple(sources in proptest::collection::vec((0..4_usize, 1000..1004_u16), 1..40)) {
        let mut world = world();
        let mut seen = BTreeSet::new();
        let mut flows = BTreeSet::new();
        for (sandbox, source) in sources {
            let segment = Segment::Udp { source, destination: 53, checksum: true };
            let mut packet = BytePacket(outgoing(sandbox, segment, Vec::new()).build());
            if matches!(world.from_sandbox(sandbox, &mut packet), Verdict::ToUplink { .. }) {
                let fresh = flows.insert((sandbox, source));
                prop_assert_eq!(seen.insert(tuple_of(&packet.0)), fresh, "one tuple for each flow, and always the same");
            }
        }
        prop_assert_eq!(seen.len(), flows.len());
    }

    #[test]
    fn a_full_table_records_both_directions_or_none(limit in 0..6_usize, flows in 1..6_u16) {
        let mut world = world();
        world.tables.flow_limit = limit.max(1);
        for source in 0..flows {
            let segment = Segment::Udp { source: 2000 + source, destination: 53, checksum: true };
            let verdict = world.from_sandbox(0, &mut BytePacket(outgoing(0, segment, Vec::new()).build()));
            if !matches!(verdict, Verdict::ToUplink { .. }) {
                prop_assert_eq!(verdict, Verdict::Drop(DropReason::FlowTableFull));
            }
            prop_assert_eq!(world.tables.flows.len() % 2, 0);
        }
    }
}

#[test]
fn a_port_that_a_host_socket_uses_is_not_taken() {
    let mut world = world();
    let reply = Tuple {
        source: World::CLIENT.into(),
        destination: World::HOST.into(),
        source_port: Port::new(53),
        destination_port: Port::new(4000),
        protocol: u32::from(protocol::UDP),
    };
    world.tables.host_sockets.insert(reply);
    let segment = Segment::Udp { source: 4000, destination: 53, checksum: true };
    let mut packet = BytePacket(outgoing(0, segment, Vec::new()).build());
    assert!(matches!(world.from_sandbox(0, &mut packet), Verdict::ToUplink { .. }));
    assert_ne!(packet.0[34..36], 4000_u16.to_be_bytes());
    assert!(checksums_are_right(&packet.0));
}

#[test]
fn the_port_of_a_flow_that_is_never_answered_is_not_taken_while_it_is_in_use() {
    let mut world = world();
    let mut send = |sandbox: usize, second: u64| {
        let segment = Segment::Udp { source: 1000, destination: 514, checksum: true };
        let mut packet = BytePacket(outgoing(sandbox, segment, Vec::new()).build());
        let arrival =
            Arrival { now: NOW + second * 1_000_000_000, ..world.arrival(world.links.veths[sandbox]) };
        assert!(matches!(world.run(Hook::FromContainer, arrival, &mut packet), Verdict::ToUplink { .. }));
        packet.0[34..36].to_vec()
    };
    for second in 0..200 {
        assert_eq!(send(0, second), 1000_u16.to_be_bytes());
    }
    assert_ne!(send(1, 200), 1000_u16.to_be_bytes(), "the answer's entry is idle, the flow is not");
    assert_eq!(send(0, 201), 1000_u16.to_be_bytes());
}

#[test]
fn when_no_port_can_be_had_the_packet_is_dropped_and_counted_as_such() {
    let mut world = world();
    for port in 0..=u16::MAX {
        world.tables.host_sockets.insert(Tuple {
            source: World::CLIENT.into(),
            destination: World::HOST.into(),
            source_port: Port::new(53),
            destination_port: Port::new(port),
            protocol: u32::from(protocol::UDP),
        });
    }
    let segment = Segment::Udp { source: 4000, destination: 53, checksum: true };
    let mut packet = BytePacket(outgoing(0, segment, Vec::new()).build());
    assert_eq!(world.from_sandbox(0, &mut packet), Verdict::Drop(DropReason::NatPortsExhausted));
    assert!(world.tables.flows.is_empty(), "after {MAX_ATTEMPTS} attempts nothing is left behind");
}

#[test]
fn a_hairpin_client_comes_as_the_gateway_of_the_servers_network() {
    for client in [0, 1, 2] {
        let mut world = world();
        let request = FrameSpec {
            destination: World::HOST,
            ..outgoing(client, Segment::Tcp { source: 5000, destination: 8080, flags: 2 }, Vec::new())
        };
        let mut packet = BytePacket(request.build());
        assert_eq!(
            world.from_sandbox(client, &mut packet),
            Verdict::ToSandbox { ifindex: world.links.veths[0] }
        );
        assert_eq!(packet.0[26..30], World::gateway(0).octets());
        let mut reply = BytePacket(answer(&packet.0));
        assert_eq!(
            world.from_sandbox(0, &mut reply),
            Verdict::ToSandbox { ifindex: world.links.veths[client] }
        );
        assert_eq!(reply.0[26..34], [World::HOST.octets(), World::address(client).octets()].concat());
        assert!(checksums_are_right(&reply.0));
    }
}

#[test]
fn a_flow_follows_the_rules_that_are_in_force() {
    let mut world = world();
    let request = || {
        let segment = Segment::Tcp { source: 5000, destination: 8080, flags: 2 };
        let spec =
            FrameSpec { source: World::CLIENT, destination: World::HOST, ..outgoing(0, segment, Vec::new()) };
        BytePacket(spec.build())
    };
    assert!(matches!(world.from_client(&mut request()), Verdict::ToSandbox { .. }));
    world.config.epoch += 1;
    assert!(
        matches!(world.from_client(&mut request()), Verdict::ToSandbox { .. }),
        "decided again, to the same end"
    );
    assert!(world.tables.flows.values().all(|flow| flow.epoch == 2), "both entries are renewed");

    world.tables.published.clear();
    world.config.epoch += 1;
    assert_eq!(
        world.from_client(&mut request()),
        Verdict::Pass,
        "no longer published: the host's own business"
    );
    assert!(world.tables.flows.is_empty());
    assert!(world.tables.locals.contains_key(&Address::from(World::HOST)));
}
