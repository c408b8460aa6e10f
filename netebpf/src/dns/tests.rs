//! The name server as its clients see it.

mod answers;
mod conversation;
mod forwarding;
mod hostile;

use std::{
    fs, io,
    net::{SocketAddr, TcpStream},
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
    sync::Arc,
    time::Duration,
};

use hickory_server::proto::{
    op::{Edns, Message, OpCode, Query as Question},
    rr::{Name, RecordType},
};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, socket};
use tokio::{net::UdpSocket, time::timeout};

use super::{play::peer, *};
use crate::{compile::names::Names, model::Spec};

/// Where the sandboxes `web` and `db` ask from.
const WEB: (u8, u8) = (1, 1);
const DB: (u8, u8) = (1, 2);

/// Long enough for everything that happens.
const SOON: Duration = Duration::from_secs(20);

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.id = 0x1234;
    message.metadata.recursion_desired = true;
    message.add_query(Question::query(Name::from_ascii(name).expect("a name"), kind));
    message
}

fn with_edns(mut message: Message, size: u16) -> Message {
    message.edns = Some(Edns::new());
    message.edns.as_mut().expect("it was just set").set_max_payload(size);
    message
}

fn bytes(message: &Message) -> Vec<u8> {
    message.to_vec().expect("it can be written")
}

fn read(bytes: &[u8]) -> Message {
    Message::from_vec(bytes).expect("the answer is well-formed")
}

/// What is told, as text: addresses and names in order.
fn told(message: &Message) -> Vec<String> {
    let mut told: Vec<_> = message.answers.iter().map(|record| record.data.to_string()).collect();
    told.sort();
    told
}

/// A resolver for the sandboxes of [`play::spec`], changed in some way.
fn resolver_for(upstreams: &[Upstream], limits: Limits, change: impl FnOnce(&mut Spec)) -> Resolver {
    let mut spec = play::spec();
    change(&mut spec);
    let resolver = Resolver::new(Dialer::new(unbound), limits);
    resolver.publish(Names::of(&spec), play::clients(&spec, upstreams));
    resolver
}

/// The answer over UDP or TCP that needs no other server.
fn answer_by(
    resolver: &Resolver,
    (network, number): (u8, u8),
    transport: Transport,
    query: &Message,
) -> Message {
    match resolver.respond(peer(network, number), transport, &bytes(query)) {
        Response::Ready(answer) => read(&answer),
        Response::Silence | Response::Later(_) => panic!("there is no answer yet"),
    }
}

fn answer(resolver: &Resolver, client: (u8, u8), query: &Message) -> Message {
    answer_by(resolver, client, Transport::Udp, query)
}

/// The answer, after other servers have been asked.
async fn answer_after_all(resolver: &Resolver, transport: Transport, query: &Message) -> Message {
    match resolver.respond(peer(1, 1), transport, &bytes(query)) {
        Response::Ready(answer) => read(&answer),
        Response::Later(forward) => read(&timeout(SOON, forward.finish(resolver)).await.expect("an end")),
        Response::Silence => panic!("there is no answer"),
    }
}

fn unbound(upstream: &Upstream, transport: Transport) -> io::Result<OwnedFd> {
    let family = if upstream.address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let kind = match transport {
        Transport::Udp => SockType::Datagram,
        Transport::Tcp => SockType::Stream,
    };
    Ok(socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?)
}

/// A server elsewhere that says to each query what the function says, maybe nothing, maybe more than once.
async fn elsewhere(say: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Upstream {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    let upstream = Upstream { address: socket.local_addr().expect("it is bound"), from: Origin::Host };
    tokio::spawn(async move {
        let mut query = vec![0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut query).await {
            for answer in say(&query[..length]) {
                socket.send_to(&answer, peer).await.expect("loopback takes it");
            }
        }
    });
    upstream
}

/// Where nobody listens.
async fn nowhere() -> Upstream {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    Upstream { address: socket.local_addr().expect("it is bound"), from: Origin::Host }
}

/// An answer with this code, and an address if that is zero.
fn reply(query: &[u8], code: u8) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2] |= 0x80;
    reply[3] = 0x80 | code;
    if code == 0 {
        reply[7] = 1;
        reply.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x07\0\x04\xc0\0\x02\x07");
    }
    reply
}

/// A server on loopback, and its address.
fn listening(resolver: Resolver) -> (Server, SocketAddr) {
    let (udp, tcp) = (0..100)
        .find_map(|_| {
            let udp = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is free");
            let tcp = std::net::TcpListener::bind(udp.local_addr().expect("it is bound")).ok()?;
            Some((udp, tcp))
        })
        .expect("a port is free for both");
    let address = udp.local_addr().expect("it is bound");
    let server = Server::bind(Arc::new(resolver), Sockets { udp, tcp }).expect("the sockets are good");
    (server, address)
}

/// A socket that asks as the sandbox `web` does.
async fn client(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(peer(1, 1)).await.expect("all of 127/8 is ours");
    socket.connect(server).await.expect("loopback leads there");
    socket
}

async fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut answer = vec![0; 65_535];
    let length =
        timeout(SOON, socket.recv(&mut answer)).await.expect("there is an answer").expect("it is read");
    answer.truncate(length);
    answer
}

/// A query that is none: of another kind of operation.
fn notification() -> Message {
    let mut message = query("web.", RecordType::SOA);
    message.metadata.op_code = OpCode::Notify;
    message
}

/// A connection from a sandbox, which fails rather than wait for ever.
fn stream(server: SocketAddr, (network, number): (u8, u8)) -> TcpStream {
    let socket =
        socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
    let own = SockaddrStorage::from(peer(network, number));
    bind(socket.as_raw_fd(), &own).expect("all of 127/8 is ours");
    connect(socket.as_raw_fd(), &SockaddrStorage::from(server)).expect("the server listens");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(SOON)).expect("it is not zero");
    stream
}

/// What the fuzzer found worth keeping.
fn finds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/dns");
    let files = fs::read_dir(&folder).expect("the corpus");
    files.map(|file| fs::read(file.expect("a file").path()).expect("a message")).collect()
}
