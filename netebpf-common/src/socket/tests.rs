//! Which sockets are translated, and what they are told.

use core::net::{IpAddr, Ipv4Addr};

use super::{Call, Socket, believed_peer, translate};
use crate::{
    abi::{Address, Family, Netns, Port, PublishBlock, PublishKey, PublishTarget, SocketAddress, protocol},
    dns,
    model::World,
    verdict::DropReason,
};

const HOST_SOCKET: Socket = Socket { cookie: 1, netns_cookie: 7, protocol: protocol::TCP };
const CALLS: [Call; 2] = [Call::Connect, Call::Send];

fn at(address: IpAddr, port: u16) -> SocketAddress {
    SocketAddress::new(address.into(), Port::new(port))
}

#[test]
fn a_published_port_is_reached_by_any_address_of_the_host() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let (any, loopback, gateway) =
            (World::any(family), World::loopback(family), World::gateway(2, family));
        for (address, call) in [any, loopback, gateway, World::host(family)]
            .into_iter()
            .flat_map(|a| CALLS.map(|call| (a, call)))
        {
            let wanted = at(address, 8080);
            let backend = translate(&HOST_SOCKET, call, wanted, &mut world.tables);
            assert_eq!(backend, Ok(Some(at(World::address(0, family), 80))), "by {address}");
            let told = believed_peer(&HOST_SOCKET, at(World::address(0, family), 80), &world.tables);
            assert_eq!(told, Some(wanted), "the program sees the address that it asked for");
        }
    }
}

#[test]
fn a_range_and_other_protocols_are_translated_alike() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let backend =
            translate(&HOST_SOCKET, Call::Connect, at(World::host(family), 20_042), &mut world.tables);
        assert_eq!(backend, Ok(Some(at(World::address(3, family), 1042))));
        let udp = Socket { protocol: protocol::UDP, ..HOST_SOCKET };
        let backend = translate(&udp, Call::Send, at(World::loopback(family), 5353), &mut world.tables);
        assert_eq!(backend, Ok(Some(at(World::address(1, family), 53))));
    }
}

#[test]
fn a_port_on_loopback_is_reached_by_loopback_only() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let mut ask = |address| {
            let wanted = at(address, 9090);
            translate(&HOST_SOCKET, Call::Connect, wanted, &mut world.tables).expect("possible")
        };
        assert!(ask(World::loopback(family)).is_some());
        assert!(ask(World::host(family)).is_none());
    }
    let mut world = World::usual();
    let other_loopback = at(Ipv4Addr::new(127, 0, 0, 2).into(), 8080);
    let backend = translate(&HOST_SOCKET, Call::Connect, other_loopback, &mut world.tables);
    assert!(matches!(backend, Ok(Some(_))), "127.0.0.0/8");
}

#[test]
fn an_ipv6_socket_reaches_an_ipv4_only_container_by_connecting_but_not_datagram_by_datagram() {
    let mut world = World::usual();
    let any = Address::UNSPECIFIED_V6;
    let block = PublishBlock::single(PublishKey::new(any, Port::new(8081), protocol::TCP));
    let target = PublishTarget::new(World::address(0, Family::V4).into(), Port::new(8081), Port::new(80));
    world.tables.published.insert(block, target);
    let wanted = at(World::loopback(Family::V6), 8081);
    let backend = at(World::address(0, Family::V4), 80);
    let refused = translate(&HOST_SOCKET, Call::Send, wanted, &mut world.tables);
    assert_eq!(refused, Err(DropReason::Ipv6Disabled), "at once, not by silence");
    assert!(world.tables.peers.is_empty());
    assert_eq!(translate(&HOST_SOCKET, Call::Connect, wanted, &mut world.tables), Ok(Some(backend)));
    assert_eq!(believed_peer(&HOST_SOCKET, backend, &world.tables), Some(wanted));
}

#[test]
fn an_ipv4_socket_is_never_turned_into_an_ipv6_one() {
    let mut world = World::usual();
    let key = PublishKey::new(Address::UNSPECIFIED_V4, Port::new(8081), protocol::TCP);
    let target = PublishTarget::new(World::address(0, Family::V6).into(), Port::new(8081), Port::new(80));
    world.tables.published.insert(PublishBlock::single(key), target);
    for call in CALLS {
        let refused = translate(&HOST_SOCKET, call, at(World::host(Family::V4), 8081), &mut world.tables);
        assert_eq!(refused, Err(DropReason::Ipv4Disabled));
    }
}

#[test]
fn everything_else_is_left_alone() {
    for family in World::FAMILIES {
        let mut world = World::usual();
        let other_namespace = Socket { netns_cookie: 8, ..HOST_SOCKET };
        let other_protocol = Socket { protocol: protocol::UDP, ..HOST_SOCKET };
        for (socket, wanted) in [
            (other_namespace, at(World::host(family), 8080)),
            (other_protocol, at(World::host(family), 8080)),
            (HOST_SOCKET, at(World::host(family), 8081)),
            (HOST_SOCKET, at(World::client(family), 8080)),
            (HOST_SOCKET, at(World::address(0, family), 80)),
        ] {
            for call in CALLS {
                assert_eq!(translate(&socket, call, wanted, &mut world.tables), Ok(None));
            }
        }
        assert!(world.tables.peers.is_empty());
        assert_eq!(believed_peer(&HOST_SOCKET, at(World::any(family), 1), &world.tables), None);
    }
}

#[test]
fn without_settings_nothing_is_translated() {
    let mut world = World::usual();
    world.tables.config = None;
    let wanted = at(World::loopback(Family::V4), 8080);
    assert_eq!(translate(&HOST_SOCKET, Call::Connect, wanted, &mut world.tables), Ok(None));
    assert_eq!(believed_peer(&HOST_SOCKET, wanted, &world.tables), None);
}

#[test]
fn another_sockets_translation_is_nobody_elses() {
    let mut world = World::usual();
    let wanted = at(World::loopback(Family::V6), 8080);
    let backend = translate(&HOST_SOCKET, Call::Connect, wanted, &mut world.tables);
    let backend = backend.expect("possible").expect("published");
    let other = Socket { cookie: 2, ..HOST_SOCKET };
    assert_eq!(believed_peer(&other, backend, &world.tables), None);
    let other_namespace = Socket { netns_cookie: 8, ..HOST_SOCKET };
    assert_eq!(believed_peer(&other_namespace, backend, &world.tables), None);
}

#[test]
fn dockers_resolver_is_ours_in_namespaces_that_have_one() {
    let mut world = World::usual();
    let sandbox = Socket { cookie: 9, netns_cookie: 42, protocol: protocol::UDP };
    world.tables.resolving.insert(Netns { cookie: 42 });
    let dockers = at(Ipv4Addr::new(127, 0, 0, 11).into(), 53);
    let ours = at(dns::RESOLVER.into(), 53);
    for call in CALLS {
        assert_eq!(translate(&sandbox, call, dockers, &mut world.tables), Ok(Some(ours)));
        let elsewhere = [at(Ipv4Addr::new(127, 0, 0, 11).into(), 54), at(Ipv4Addr::LOCALHOST.into(), 53)];
        for other in elsewhere {
            assert_eq!(translate(&sandbox, call, other, &mut world.tables), Ok(None), "only this one");
        }
        let stranger = Socket { netns_cookie: 43, ..sandbox };
        assert_eq!(translate(&stranger, call, dockers, &mut world.tables), Ok(None), "it has none");
        assert_eq!(translate(&HOST_SOCKET, call, dockers, &mut world.tables), Ok(None), "the host has none");
    }
    assert_eq!(
        believed_peer(&sandbox, ours, &world.tables),
        Some(dockers),
        "also of datagrams nobody connected for"
    );
    assert_eq!(believed_peer(&HOST_SOCKET, ours, &world.tables), None);
    assert!(world.tables.peers.is_empty(), "nothing needs to be remembered");
}
