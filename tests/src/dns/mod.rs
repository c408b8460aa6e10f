//! What does a name server say? Asked by hand, so that nothing is left away that a resolver would hide.
//!
//! [`Question`] is asked by the program `netebpf-probe`, inside a container. [`Elsewhere`] is a name server that tests put
//! into a namespace: one that knows what nobody else does, and misbehaves.

mod elsewhere;
mod manner;
mod question;

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use hickory_proto::{
    op::{Edns, Message, Query},
    rr::{Name, RecordType},
};

use crate::{netns::Namespace, wait};

pub use elsewhere::{Asked, Elsewhere};
pub use manner::{Lie, Manner};
pub use question::Question;

/// Where programs in a sandbox look for a name server.
pub const DOCKERS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11)), 53);
/// Where packets of sandboxes find it.
pub const OURS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, 0, 53)), 53);

/// Longer than one server is waited for before the next one is asked.
pub const PATIENT: Duration = Duration::from_secs(10);

/// How a message comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In datagrams.
    Udp,
    /// In a stream.
    Tcp,
}

/// A question, with a random number.
pub fn query(name: &str, kind: RecordType) -> Result<Message> {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name)?, kind));
    Ok(message)
}

/// The question with the remark that longer datagrams may be sent (EDNS, RFC 6891).
#[must_use]
pub fn with_room(mut message: Message, bytes: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(bytes);
    message.set_edns(edns);
    message
}

/// What the name server says to a machine or sandbox; fails if it says nothing, or something about another question.
pub fn ask(place: &Namespace, server: SocketAddr, transport: Transport, query: &Message) -> Result<Message> {
    let bytes = query.to_vec()?;
    let answer = place.run(|| exchange(server, transport, &bytes, PATIENT))?;
    let what = || format!("{} asked {server} by {transport:?} about {:?}", place.name(), query.queries);
    let answer = answer.with_context(|| format!("{}: no answer", what()))?;
    let answer = Message::from_vec(&answer).with_context(|| format!("{}: {answer:02x?}", what()))?;
    let is_about = answer.metadata.id == query.metadata.id && answer.queries == query.queries;
    ensure!(is_about, "{}: an answer to another question: {answer:?}", what());
    Ok(answer)
}

/// Sends a message as it is, from the calling thread's namespace, and gives the one that comes back; none after `patience`,
/// or if the connection is closed.
pub fn exchange(
    server: SocketAddr,
    transport: Transport,
    message: &[u8],
    patience: Duration,
) -> Result<Option<Vec<u8>>> {
    let patience = wait::stretched(patience);
    match transport {
        Transport::Udp => {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            socket.connect(server)?;
            socket.set_read_timeout(Some(patience))?;
            socket.send(message)?;
            let mut answer = vec![0; usize::from(u16::MAX)];
            match socket.recv(&mut answer) {
                Ok(length) => Ok(Some(answer.drain(..length).collect())),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
        Transport::Tcp => {
            let mut stream = TcpStream::connect_timeout(&server, patience)?;
            stream.set_read_timeout(Some(patience))?;
            stream.write_all(&framed(message)?)?;
            Ok(next(&mut stream))
        }
    }
}

/// The message behind its length, as it goes in a stream.
pub fn framed(message: &[u8]) -> Result<Vec<u8>> {
    Ok([&u16::try_from(message.len())?.to_be_bytes(), message].concat())
}

/// The next message of a stream; none if it ends or nothing comes.
#[must_use]
pub fn next(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

/// The response code and the records of an answer as text: `NoError 192.0.2.7`.
#[must_use]
pub fn told(answer: &Message) -> String {
    let mut records: Vec<_> = answer.answers.iter().map(|record| record.data.to_string()).collect();
    records.sort();
    records.insert(0, format!("{:?}", answer.metadata.response_code));
    records.join(" ")
}
