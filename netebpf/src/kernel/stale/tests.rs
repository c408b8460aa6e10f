//! Connected UDP sockets end when their published port leads elsewhere, and only then.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use netebpf_common::abi::{
    ABI_VERSION, Address, Config, LocalAddress, Port, PublishBlock, PublishKey, PublishTarget,
};

use crate::{
    kernel::{Kernel as _, LinuxKernel, links, netlink, tests::with_data_path},
    plan::{Action, Entry, Key},
};

const LOOPBACK_V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LOOPBACK_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// The block of one published UDP port.
fn block(wildcard: Address, port: u16) -> PublishBlock {
    PublishBlock::single(PublishKey::new(wildcard, Port::new(port), super::protocol::UDP))
}

/// A published UDP port that leads to an address of the loopback device.
fn publish(wildcard: Address, port: u16, to: [u8; 4]) -> Action {
    let target = PublishTarget::new(Ipv4Addr::from(to).into(), Port::new(port), Port::new(53));
    Action::Put(Entry::Published(block(wildcard, port), target))
}

fn unpublish(wildcard: Address, port: u16) -> Action {
    Action::Delete(Key::Published(block(wildcard, port)))
}

/// A socket that is connected to a port of the host; its program believes in what it asked for.
fn connected(to: IpAddr, port: u16) -> UdpSocket {
    let wildcard: IpAddr =
        if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((wildcard, 0)).expect("a socket");
    socket.connect((to, port)).expect("it can be connected");
    assert_eq!(socket.peer_addr().ok(), Some(SocketAddr::new(to, port)));
    socket
}

/// Whether the kernel has ended a socket: what waits for datagrams gets an error, and none can be sent.
fn is_ended(socket: &UdpSocket) -> bool {
    let error = socket.take_error().expect("a socket can be asked");
    let aborted = error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionAborted);
    assert_eq!(aborted, socket.peer_addr().is_err(), "who is ended is connected to nobody");
    assert!(!aborted || socket.send(b"x").is_err());
    aborted
}

async fn apply(kernel: &mut LinuxKernel, actions: impl IntoIterator<Item = Action>) {
    for action in actions {
        kernel.apply(&action).await.unwrap_or_else(|error| panic!("{action}: {error}"));
    }
}

/// A host whose published ports lead to its own loopback device, so that datagrams have somewhere to go.
async fn host(kernel: &mut LinuxKernel) {
    let netlink = netlink::connect().expect("a netlink socket");
    links::set_up(&netlink, links::LOOPBACK).await.expect("loopback can be set up");
    let netns_cookie = kernel.observe().await.expect("the kernel can be read").netns_cookie;
    let config = Config { abi: ABI_VERSION, epoch: 2, netns_cookie, ..Config::default() };
    let local = |address: IpAddr| {
        Action::Put(Entry::Local(Address::from(address), LocalAddress { ifindex: links::LOOPBACK }))
    };
    apply(kernel, [Action::Put(Entry::Config(config)), local(LOOPBACK_V4), local(LOOPBACK_V6)]).await;
}

#[test]
fn a_connected_socket_ends_when_its_port_goes_away() {
    with_data_path("stale", async |settings| {
        let mut kernel = LinuxKernel::open(settings).expect("the kernel can be used");
        host(&mut kernel).await;
        let (v4, v6) = (Address::UNSPECIFIED_V4, Address::UNSPECIFIED_V6);
        let to = [127, 0, 0, 5];
        apply(&mut kernel, [publish(v4, 5353, to), publish(v6, 5353, to), publish(v4, 5454, to)]).await;
        let untouched = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        untouched.connect("127.0.0.5:53").expect("it can be connected");
        let other_port = connected(LOOPBACK_V4, 5454);
        let (by_v4, by_v6) = (connected(LOOPBACK_V4, 5353), connected(LOOPBACK_V6, 5353));

        apply(&mut kernel, [unpublish(v6, 5353)]).await;
        assert!(is_ended(&by_v6), "of an IPv6 socket to an IPv4 sandbox");
        assert!(!is_ended(&by_v4));
        apply(&mut kernel, [unpublish(v4, 5353)]).await;
        assert!(is_ended(&by_v4));
        assert!(!is_ended(&other_port));
        assert!(!is_ended(&untouched), "a socket that was not translated is none of ours");
        assert_eq!(other_port.peer_addr().ok(), Some((LOOPBACK_V4, 5454).into()));
    });
}

#[test]
fn a_connected_socket_ends_when_its_port_leads_elsewhere_and_finds_the_new_place() {
    with_data_path("moved", async |settings| {
        let mut kernel = LinuxKernel::open(settings).expect("the kernel can be used");
        host(&mut kernel).await;
        let any = Address::UNSPECIFIED_V4;
        apply(&mut kernel, [publish(any, 5353, [127, 0, 0, 5])]).await;
        let socket = connected(LOOPBACK_V4, 5353);
        apply(&mut kernel, [publish(any, 5353, [127, 0, 0, 5])]).await;
        assert!(!is_ended(&socket), "nothing has changed");
        apply(&mut kernel, [publish(any, 5353, [127, 0, 0, 6])]).await;
        assert!(is_ended(&socket));

        let server = UdpSocket::bind("127.0.0.6:53").expect("the new place");
        socket.connect((LOOPBACK_V4, 5353)).expect("the program connects anew");
        socket.send(b"hello").expect("a datagram goes out");
        let mut buffer = [0; 8];
        server.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a time-out");
        let length = server.recv(&mut buffer).expect("it arrives");
        assert_eq!(&buffer[..length], b"hello");
    });
}
