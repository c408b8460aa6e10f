//! Which sockets are translated, and what they are told.

use core::net::Ipv4Addr;

use super::{Socket, believed_peer, translate};
use crate::{
    abi::{Address, EndpointFlags, Port, SocketAddress, protocol},
    model::{Links, World},
};

const HOST_SOCKET: Socket = Socket { cookie: 1, netns_cookie: 7, protocol: protocol::TCP };

fn world() -> World {
    World::new(Links::default(), EndpointFlags::ICC)
}

fn at(address: Ipv4Addr, port: u16) -> SocketAddress {
    SocketAddress::new(address.into(), Port::new(port))
}

#[test]
fn a_published_port_is_reached_by_any_address_of_the_host() {
    let mut world = world();
    for address in [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED, World::HOST, World::gateway(2)] {
        let wanted = at(address, 8080);
        let backend = translate(&HOST_SOCKET, wanted, &mut world.tables);
        assert_eq!(backend, Some(at(World::address(0), 80)), "by {address}");
        let told = believed_peer(&HOST_SOCKET, at(World::address(0), 80), &world.tables);
        assert_eq!(told, Some(wanted), "the program sees the address that it asked for");
    }
}

#[test]
fn a_port_on_loopback_is_reached_by_loopback_only() {
    let mut world = world();
    assert!(translate(&HOST_SOCKET, at(Ipv4Addr::LOCALHOST, 9090), &mut world.tables).is_some());
    assert!(translate(&HOST_SOCKET, at(World::HOST, 9090), &mut world.tables).is_none());
}

#[test]
fn everything_else_is_left_alone() {
    let mut world = world();
    let other_namespace = Socket { netns_cookie: 8, ..HOST_SOCKET };
    let other_protocol = Socket { protocol: protocol::UDP, ..HOST_SOCKET };
    for (socket, wanted) in [
        (other_namespace, at(World::HOST, 8080)),
        (other_protocol, at(World::HOST, 8080)),
        (HOST_SOCKET, at(World::HOST, 8081)),
        (HOST_SOCKET, at(World::CLIENT, 8080)),
    ] {
        assert_eq!(translate(&socket, wanted, &mut world.tables), None);
    }
    assert!(world.tables.peers.is_empty());
    let unknown = SocketAddress::new(Address::UNSPECIFIED_V4, Port::new(1));
    assert_eq!(believed_peer(&HOST_SOCKET, unknown, &world.tables), None);
}
