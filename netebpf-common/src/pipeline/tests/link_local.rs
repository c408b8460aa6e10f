//! Link-local addresses that the user gave sandboxes: good within the segment, for the sandbox on whose link they are.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{SYN, check, check_sandbox, forwarded};
use crate::{
    abi::{Address, Endpoint, EndpointFlags, Family, Hook, LinkKey, Mac},
    model::{FrameSpec, Links, Origin, World},
    verdict::{DropReason, Verdict},
};

const V4: Ipv4Addr = Ipv4Addr::new(169, 254, 8, 8);
const V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 8);
const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(V4), IpAddr::V6(V6)];
const SPOOFED: Verdict = Verdict::Drop(DropReason::Spoofed);

/// A world in which these sandboxes have an address beside their own.
fn world(flags: EndpointFlags, address: IpAddr, sandboxes: &[usize]) -> World {
    let mut world = super::world(flags);
    for &sandbox in sandboxes {
        let own = world.tables.endpoint_links[&LinkKey::new(world.links.veths[sandbox], family(address))];
        let (address, flags) = (Address::from(address), own.flags.union(EndpointFlags::INTERNAL));
        let gateway = Address::unspecified(address.family());
        let entry = Endpoint { address, mask: Address::mask(112), gateway, flags, ..own };
        world.tables.endpoints.insert(address.on_link(own.ifindex), entry);
    }
    world
}

fn family(address: IpAddr) -> Family {
    Address::from(address).family()
}

/// From one sandbox to another over their segment, to the other's own address.
fn straight(source: IpAddr, from: usize, to: usize) -> FrameSpec {
    FrameSpec { source, ..World::direct(from, to, family(source), SYN) }
}

#[test]
fn neighbours_reach_each_other_by_link_local_addresses() {
    let links = Links::default();
    let others = [IpAddr::V4(Ipv4Addr::new(169, 254, 9, 9)), "fe80::9".parse().expect("an address")];
    for (address, other) in ADDRESSES.into_iter().zip(others) {
        let mut world = world(World::USUAL, address, &[0]);
        for destination in [other, World::address(1, family(address))] {
            let frame = FrameSpec { destination, ..straight(address, 0, 1) };
            check_sandbox(&mut world, 0, &frame, Verdict::Pass);
            let arrival = forwarded(links.veths[1], links.veths[0]);
            check(&mut world, Hook::ToContainer, arrival, &frame, Verdict::Pass);
        }
    }
}

#[test]
fn without_icc_they_do_not() {
    let refused = Verdict::Drop(DropReason::IccDisabled);
    for address in ADDRESSES {
        let mut world = world(EndpointFlags::MASQUERADE, address, &[0]);
        let frame = straight(address, 0, 1);
        check_sandbox(&mut world, 0, &frame, refused);
        let arrival = forwarded(Links::default().veths[1], Links::default().veths[0]);
        check(&mut world, Hook::ToContainer, arrival, &frame, refused);
    }
}

#[test]
fn a_link_local_address_is_that_of_its_link_alone() {
    let links = Links::default();
    for address in ADDRESSES {
        let mut world = world(World::USUAL, address, &[0, 2]);
        check_sandbox(&mut world, 0, &straight(address, 0, 1), Verdict::Pass);
        check_sandbox(&mut world, 2, &straight(address, 2, 3), Verdict::Pass);
        check_sandbox(&mut world, 1, &straight(address, 1, 0), SPOOFED);
        let stranger = FrameSpec { source_mac: Mac([2, 9, 9, 9, 9, 9]), ..straight(address, 0, 1) };
        check_sandbox(&mut world, 0, &stranger, SPOOFED);
    }
    // As an IPv6 address it would stand at the same place in the table.
    let key = Address::from(V4).on_link(links.veths[0]);
    let mut world = world(World::USUAL, V4.into(), &[0]);
    check_sandbox(&mut world, 0, &straight(key.into(), 0, 1), SPOOFED);
}

#[test]
fn nothing_goes_out_from_a_link_local_address_and_nothing_comes_in() {
    let links = Links::default();
    let mut world = world(World::USUAL, V4.into(), &[0, 2]);
    for destination in [World::client(Family::V4), World::address(2, Family::V4)] {
        let leaving = FrameSpec { source: V4.into(), ..World::routed(0, destination, SYN) };
        let verdict = world.send(Origin::Sandbox(0), &leaving);
        assert!(
            matches!(verdict, Verdict::Drop(DropReason::Internal | DropReason::Isolated)),
            "{destination}: {verdict:?}"
        );
    }
    let refused = Verdict::Drop(DropReason::DirectAccess);
    for ingress in [links.uplink, links.bridges[0], links.veths[1], links.veths[2]] {
        let arrival = forwarded(links.veths[1], ingress);
        check(&mut world, Hook::ToContainer, arrival, &straight(V4.into(), 0, 1), refused);
    }
    let arrival = forwarded(links.bridges[0], links.uplink);
    check(&mut world, Hook::ToBridge, arrival, &straight(V4.into(), 0, 1), refused);
}
