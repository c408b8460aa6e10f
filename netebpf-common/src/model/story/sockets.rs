//! Sockets that connect, send and ask, while ports come and go: what they are told is what they asked for.

use std::collections::BTreeMap;

use super::{Choices, any_address};
use crate::{
    abi::{
        Address, Family, LocalAddress, PeerKey, Port, PublishBlock, PublishKey, PublishTarget, SocketAddress,
        protocol,
    },
    model::{Rules, World},
    socket::{Call, Socket, believed_peer, translate},
    tables::Tables as _,
};

/// Plays what these bytes tell.
///
/// # Panics
///
/// When a socket is translated that must not be, or is told something else than it asked for.
pub fn play_sockets(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let mut world = World::usual();
    let mut asked: BTreeMap<PeerKey, SocketAddress> = BTreeMap::new();
    while !choices.is_empty() {
        match choices.below(16) {
            0 => Rules::numbered(choices.word()).apply(&mut world),
            1 => publish(&mut choices, &mut world),
            2 => {
                let family = choices.pick(&World::FAMILIES);
                let address = Address::from(any_address(&mut choices, family));
                world.tables.locals.insert(address, LocalAddress { ifindex: 2 });
            }
            3..=5 => {
                let socket = any_socket(&mut choices);
                let backend = any_socket_address(&mut choices);
                let told = believed_peer(&socket, backend, &world.tables);
                let expected = asked.get(&PeerKey::new(socket.cookie, backend)).copied();
                let expected = expected.filter(|_| socket.netns_cookie == world.config.netns_cookie);
                assert_eq!(told, expected, "{socket:?} was told something about {backend:?}");
            }
            _ => connect(&mut choices, &mut world, &mut asked),
        }
    }
}

fn connect(choices: &mut Choices<'_>, world: &mut World, asked: &mut BTreeMap<PeerKey, SocketAddress>) {
    let socket = any_socket(choices);
    let wanted = any_socket_address(choices);
    let call = choices.pick(&[Call::Connect, Call::Send]);
    let answer = translate(&socket, call, wanted, &mut world.tables);
    if matches!(answer, Ok(None)) {
        return;
    }
    let address = wanted.address;
    let is_host = address.is_loopback() || address.is_unspecified() || world.tables.local(&address).is_some();
    assert!(is_host, "{wanted:?} is not this host");
    assert_eq!(socket.netns_cookie, world.config.netns_cookie, "another namespace's socket was translated");
    let key = PublishKey::new(address, wanted.port, socket.protocol);
    let any = PublishKey::new(Address::unspecified(address.family()), wanted.port, socket.protocol);
    let target = world.tables.published(&key).or_else(|| world.tables.published(&any)).expect("published");
    let backend = SocketAddress::new(target.address, target.port_for(wanted.port));
    let turns_v4_into_v6 = address.is_v4() && !backend.address.is_v4();
    let changes_version = address.is_v4() != backend.address.is_v4();
    // An IPv4 socket cannot speak IPv6, and the kernel changes the version of no single datagram.
    let impossible = turns_v4_into_v6 || call == Call::Send && changes_version;
    assert_eq!(answer.ok(), (!impossible).then_some(Some(backend)));
    if impossible {
        return;
    }
    asked.insert(PeerKey::new(socket.cookie, backend), wanted);
    assert_eq!(believed_peer(&socket, backend, &world.tables), Some(wanted));
}

fn any_socket(choices: &mut Choices<'_>) -> Socket {
    Socket {
        cookie: choices.byte().into(),
        netns_cookie: if choices.one_in(8) { 8 } else { 7 },
        protocol: choices.pick(&[protocol::TCP, protocol::UDP, protocol::SCTP, 1]),
    }
}

fn any_socket_address(choices: &mut Choices<'_>) -> SocketAddress {
    let family = choices.pick(&World::FAMILIES);
    let address = any_address(choices, family);
    let known = [8080, 5353, 7000, 20_000, 20_099, 20_100, 8443, 9090, 80, 1001];
    let number = if choices.one_in(8) { choices.half() } else { choices.pick(&known) };
    SocketAddress::new(address.into(), Port::new(number))
}

/// Publishes a range of ports, also of an IPv6 address to an IPv4 one.
fn publish(choices: &mut Choices<'_>, world: &mut World) {
    let (at, to) = (choices.pick(&World::FAMILIES), choices.pick(&World::FAMILIES));
    if at == Family::V4 && to == Family::V6 && !choices.one_in(4) {
        return;
    }
    let (first, length) = (choices.half(), u16::from(choices.byte()));
    let sandbox = choices.below(4);
    let places = [World::any(at), World::loopback(at), World::host(at)];
    let key = PublishKey::new(choices.pick(&places).into(), Port::new(first), protocol::TCP);
    let target =
        PublishTarget::new(World::address(sandbox, to).into(), Port::new(first), Port::new(choices.half()));
    let last = first.saturating_add(length);
    world.tables.published.extend(PublishBlock::cover(key, last).map(|block| (block, target)));
}
