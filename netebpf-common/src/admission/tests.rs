//! Which flows may begin, and as whom their packets go on: each branch by name, and long stories against an oracle.

use proptest::prelude::*;

use crate::{
    abi::{EndpointFlags, Family},
    model::{Links, Origin, Player, Rules, Segment, World},
    verdict::{DropReason, Verdict},
};

const OUTSIDE: Origin = Origin::Outside;
const INTERNAL: EndpointFlags = EndpointFlags::INTERNAL;
const ROUTED: EndpointFlags = EndpointFlags::ICC.union(EndpointFlags::ROUTED);
const UNPROTECTED: EndpointFlags = World::USUAL.union(EndpointFlags::UNPROTECTED);

fn world(rules: Rules) -> World {
    World::with_rules(Links::default(), &rules)
}

fn flags(front: EndpointFlags) -> Rules {
    Rules { flags: [front, World::USUAL], ..Rules::default() }
}

/// What becomes of a packet to sandbox 0's own address from outside, and from another network.
#[track_caller]
fn check_direct(rules: Rules, segment: &Segment, outside: Option<DropReason>, inside: Option<DropReason>) {
    for family in World::FAMILIES {
        let to = World::address(0, family);
        for (origin, spec, refused) in [
            (OUTSIDE, World::incoming(to, segment.clone()), outside),
            (Origin::Sandbox(2), World::routed(2, to, segment.clone()), inside),
        ] {
            let mut world = world(rules);
            if let Some(reason) = refused {
                assert_eq!(world.send(origin, &spec), Verdict::Drop(reason), "{origin:?}");
                continue;
            }
            let got = world.pass(origin, &spec);
            assert_eq!(got.ends().1, spec.ends().1, "{origin:?}");
            let answer = World::answer_from(Origin::Sandbox(0), &got).expect("an answer");
            let back = world.pass(Origin::Sandbox(0), &answer);
            assert_eq!(back.ends(), spec.answer().expect("an answer").ends());
        }
    }
}

fn ping() -> Segment {
    Segment::Icmp { kind: 8, identifier: 5 }
}

#[test]
fn behind_nat_a_containers_own_address_is_reached_by_nobody() {
    let refused = (Some(DropReason::DirectAccess), Some(DropReason::Isolated));
    for segment in [Segment::syn(9, 80), Segment::syn(9, 81), Segment::udp(9, 80)] {
        check_direct(Rules::default(), &segment, refused.0, refused.1);
    }
}

#[test]
fn a_routed_network_is_reached_at_published_ports() {
    let unpublished = Some(DropReason::Unpublished);
    check_direct(flags(ROUTED), &Segment::syn(9, 80), None, None);
    check_direct(flags(ROUTED), &Segment::Sctp { source: 9, destination: 70 }, None, None);
    check_direct(flags(ROUTED), &Segment::syn(9, 81), unpublished, unpublished);
    check_direct(flags(ROUTED), &Segment::syn(9, 8080), unpublished, unpublished);
    check_direct(flags(ROUTED), &Segment::udp(9, 80), unpublished, unpublished);
    check_direct(flags(ROUTED), &Segment::Other(47), unpublished, unpublished);
}

#[test]
fn a_routed_network_is_pinged() {
    for family in World::FAMILIES {
        let mut world = world(flags(ROUTED));
        let to = World::address(0, family);
        let got = world.pass(OUTSIDE, &World::incoming(to, Segment::ping(to, 5)));
        assert_eq!(got.destination, to);
        let mut behind_nat = self::world(Rules::default());
        let verdict = behind_nat.send(OUTSIDE, &World::incoming(to, Segment::ping(to, 5)));
        assert_eq!(verdict, Verdict::Drop(DropReason::DirectAccess));
    }
    assert_eq!(ping().ports(), (5, 5));
}

#[test]
fn an_unprotected_network_is_reached_at_every_port() {
    let sctp = Segment::Sctp { source: 9, destination: 7 };
    for segment in [Segment::syn(9, 80), Segment::syn(9, 81), Segment::udp(9, 1), sctp, Segment::Other(47)] {
        check_direct(flags(UNPROTECTED), &segment, None, None);
    }
}

#[test]
fn an_internal_network_is_reached_at_no_address_in_any_mode() {
    for mode in [ROUTED, UNPROTECTED] {
        let rules = Rules { direct_routing: true, trusted: [true; 2], ..flags(mode.union(INTERNAL)) };
        let refused = (Some(DropReason::DirectAccess), Some(DropReason::Isolated));
        check_direct(rules, &Segment::syn(9, 80), refused.0, refused.1);
    }
}

#[test]
fn trusted_devices_reach_published_ports() {
    let rules = Rules { trusted: [true, false], ..Rules::default() };
    check_direct(rules, &Segment::syn(9, 80), None, Some(DropReason::Isolated));
    let unpublished = Some(DropReason::Unpublished);
    check_direct(rules, &Segment::syn(9, 81), unpublished, Some(DropReason::Isolated));
    let other_network = Rules { trusted: [false, true], ..Rules::default() };
    let refused = (Some(DropReason::DirectAccess), Some(DropReason::Isolated));
    check_direct(other_network, &Segment::syn(9, 80), refused.0, refused.1);
}

#[test]
fn direct_routing_opens_published_ports() {
    let rules = Rules { direct_routing: true, ..Rules::default() };
    let unpublished = Some(DropReason::Unpublished);
    check_direct(rules, &Segment::syn(9, 80), None, None);
    check_direct(rules, &Segment::syn(9, 81), unpublished, unpublished);
}

#[test]
fn without_masquerading_containers_are_seen_as_themselves() {
    for family in World::FAMILIES {
        let mut world = world(flags(EndpointFlags::ICC));
        let out = World::routed(0, World::client(family), Segment::syn(9, 80));
        assert_eq!(world.pass(Origin::Sandbox(0), &out).source, World::address(0, family));
        let answer = World::incoming(
            World::address(0, family),
            Segment::Tcp { source: 80, destination: 9, flags: 18 },
        );
        assert_eq!(world.pass(OUTSIDE, &answer).destination, World::address(0, family));
        let to_other = World::routed(0, World::host(family), Segment::syn(9, 20_000));
        assert_eq!(world.pass(Origin::Sandbox(0), &to_other).source, World::address(0, family));
        let to_own = World::routed(1, World::host(family), Segment::syn(9, 8080));
        assert_eq!(world.pass(Origin::Sandbox(1), &to_own).source, World::gateway(0, family));
    }
}

#[test]
fn two_containers_with_one_port_are_told_apart_without_masquerading() {
    for family in World::FAMILIES {
        let mut world = world(flags(EndpointFlags::ICC));
        for sandbox in [0, 1] {
            let out = World::routed(sandbox, World::client(family), Segment::syn(9, 80));
            let got = world.pass(Origin::Sandbox(sandbox), &out);
            assert_eq!(got.ends().0, (World::address(sandbox, family), 9));
        }
    }
}

#[test]
fn a_network_leaves_with_the_address_that_was_chosen_for_it() {
    for family in World::FAMILIES {
        let mut world = world(Rules { snat: [true, false], ..Rules::default() });
        let chosen = World::gateway(2, family);
        let out = World::routed(0, World::client(family), Segment::syn(9, 80));
        assert_eq!(world.pass(Origin::Sandbox(0), &out).source, chosen);
        let other = World::routed(2, World::client(family), Segment::syn(9, 80));
        assert_eq!(world.pass(Origin::Sandbox(2), &other).source, World::host(family));
        let answer = World::incoming(chosen, Segment::Tcp { source: 80, destination: 9, flags: 18 });
        assert_eq!(world.pass(OUTSIDE, &answer).destination, World::address(0, family));
        let to_other = World::routed(0, World::host(family), Segment::syn(9, 20_000));
        assert_eq!(world.pass(Origin::Sandbox(0), &to_other).source, chosen);
        let to_own = World::routed(1, World::host(family), Segment::syn(9, 8080));
        assert_eq!(world.pass(Origin::Sandbox(1), &to_own).source, World::gateway(0, family));
    }
}

#[test]
fn another_networks_client_comes_as_the_servers_gateway() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        for destination in [World::host(family), World::gateway(0, family), World::gateway(2, family)] {
            let request = World::routed(0, destination, Segment::syn(9, 20_042));
            let got = world.pass(Origin::Sandbox(0), &request);
            assert_eq!(got.source, World::gateway(2, family));
            assert_eq!(got.ends().1, (World::address(3, family), 1042));
            world.tables.pending.clear();
        }
    }
}

#[test]
fn a_client_in_an_internal_network_reaches_no_published_port() {
    for family in World::FAMILIES {
        for rules in [flags(World::USUAL.union(INTERNAL)), flags(ROUTED.union(INTERNAL))] {
            for destination in [World::host(family), World::gateway(0, family), World::client(family)] {
                let spec = World::routed(0, destination, Segment::syn(9, 20_000));
                let verdict = world(rules).send(Origin::Sandbox(0), &spec);
                assert_eq!(verdict, Verdict::Drop(DropReason::Internal));
            }
        }
    }
}

#[test]
fn without_a_route_or_an_address_nothing_leaves() {
    for family in World::FAMILIES {
        let out = World::routed(0, World::client(family), Segment::syn(9, 80));
        let mut no_route = World::usual();
        no_route.tables.routes.clear();
        assert_eq!(no_route.send(Origin::Sandbox(0), &out), Verdict::Pass, "the stack says unreachable");
        let mut no_uplink = World::usual();
        no_uplink.tables.uplinks.clear();
        let no_address = Verdict::Drop(DropReason::NoUplinkAddress);
        assert_eq!(no_uplink.send(Origin::Sandbox(0), &out), no_address);
        let mut nameless = World::usual();
        for uplink in nameless.tables.uplinks.values_mut() {
            uplink.address = crate::abi::Address::unspecified(family);
        }
        for route in &mut nameless.tables.routes {
            route.2.source = crate::abi::Address::unspecified(family);
        }
        assert_eq!(nameless.send(Origin::Sandbox(0), &out), no_address);
    }
}

#[test]
fn what_was_known_ends_with_the_rule_that_let_it_be() {
    let cases: [(Rules, u16); 4] = [
        (Rules { direct_routing: true, ..Rules::default() }, 80),
        (Rules { trusted: [true, false], ..Rules::default() }, 80),
        (flags(ROUTED), 80),
        (flags(UNPROTECTED), 81),
    ];
    for family in World::FAMILIES {
        for (rules, port) in cases {
            let mut world = world(rules);
            let request = World::incoming(World::address(0, family), Segment::syn(9, port));
            let got = world.pass(OUTSIDE, &request);
            let answer = World::answer_from(Origin::Sandbox(0), &got).expect("an answer");
            world.pass(Origin::Sandbox(0), &answer);
            Rules::default().apply(&mut world);
            assert_eq!(world.send(OUTSIDE, &request), Verdict::Drop(DropReason::DirectAccess));
            // What the flow left behind when it was proved costs the late answer itself.
            let refused = world.send(Origin::Sandbox(0), &answer);
            assert_eq!(refused, Verdict::Drop(DropReason::DirectAccess));
            assert!(world.tables.pending.is_empty() && world.tables.flows.is_empty());
        }
    }
}

#[test]
fn an_address_that_another_sandbox_has_now_gets_none_of_the_old_ones_packets() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let out = World::routed(0, World::client(family), Segment::udp(9, 53));
        world.pass(Origin::Sandbox(0), &out);
        let address = World::address(0, family).into();
        if let Some(endpoint) = world.tables.endpoints.get_mut(&address) {
            endpoint.ifindex = world.links.veths[3];
        }
        world.set_config(|config| config.epoch += 2);
        let back = World::incoming(World::host(family), Segment::udp(53, 9));
        assert_eq!(world.send(OUTSIDE, &back), Verdict::Drop(DropReason::UnknownFlow));
        assert_eq!(world.send(OUTSIDE, &back), Verdict::Pass, "the host's own business");
    }
    assert_eq!(Family::V4 as u32, 4);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, ..ProptestConfig::with_cases(1500) })]
    #[test]
    fn nothing_is_forwarded_that_an_independent_oracle_forbids(
        bytes in proptest::collection::vec(any::<u8>(), 0..1200),
    ) {
        Player::play(&bytes);
    }
}
