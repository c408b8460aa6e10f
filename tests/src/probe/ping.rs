//! ICMP echo (RFC 792, RFC 4443): asks for one, watches what source arrives, and walks along a path.

use std::{
    net::IpAddr,
    process,
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    Answer,
    icmp::{Icmp, Kind, Mark, Message},
};
use crate::wait;

const WORDS: &[u8] = b"are you there?";

/// Sends one echo request and waits for its reply.
pub fn ping(to: impl Into<IpAddr>, patience: Duration) -> Result<Answer> {
    ping_with(to.into(), WORDS, patience)
}

/// As [`ping`], with data to be recognised by.
pub fn ping_with(to: IpAddr, data: &[u8], patience: Duration) -> Result<Answer> {
    let socket = Icmp::open(to)?;
    let mark = next_mark();
    if let Some(answer) = socket.request(to, mark, data)? {
        return Ok(answer);
    }
    let reply = hear(&socket, patience, |message| is_reply(message, to, mark, data))?;
    Ok(if reply.is_some() { Answer::Echoed } else { Answer::TimedOut })
}

/// The time to live, or hop limit, that an echo arrives with.
pub fn hop_limit_of_reply(to: impl Into<IpAddr>, patience: Duration) -> Result<Option<u8>> {
    let to = to.into();
    let socket = Icmp::open(to)?;
    let mark = next_mark();
    socket.request(to, mark, WORDS)?;
    let reply = hear(&socket, patience, |message| is_reply(message, to, mark, WORDS))?;
    Ok(reply.map(|reply| reply.hop_limit))
}

/// Who answers an echo request that may pass only so many routers: a router whose time limit it exceeds, or the target.
pub fn who_answers(to: impl Into<IpAddr>, hops: u8, patience: Duration) -> Result<Option<IpAddr>> {
    let to = to.into();
    let socket = Icmp::open(to)?;
    socket.set_hop_limit(hops)?;
    let mark = next_mark();
    socket.request(to, mark, WORDS)?;
    let answer = hear(&socket, patience, |message| {
        let is_ours = message.body.windows(WORDS.len()).any(|part| part == WORDS);
        is_reply(message, to, mark, WORDS) || (message.kind == Kind::TimeExceeded && is_ours)
    })?;
    Ok(answer.map(|answer| answer.source))
}

/// Listens to the echo requests that a machine receives; the kernel answers them all the same.
#[derive(Debug)]
pub struct EchoWatch(Icmp);

impl EchoWatch {
    /// Starts to listen in the calling thread's namespace, for the IP version of this address.
    pub fn start(like: impl Into<IpAddr>) -> Result<Self> {
        Icmp::open(like.into()).map(Self)
    }

    /// The source of the next echo request.
    pub fn next_source(&self, patience: Duration) -> Result<Option<IpAddr>> {
        let request = hear(&self.0, patience, |message| message.kind == Kind::Request)?;
        Ok(request.map(|request| request.source))
    }
}

/// The first message before the deadline that is wanted.
fn hear(socket: &Icmp, patience: Duration, wanted: impl Fn(&Message) -> bool) -> Result<Option<Message>> {
    let end = Instant::now() + wait::stretched(patience);
    while let Some(message) = socket.receive(end)? {
        if wanted(&message) {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

fn is_reply(message: &Message, from: IpAddr, mark: Mark, data: &[u8]) -> bool {
    let whole = message.body.get(4..) == Some(data);
    message.kind == Kind::Reply && message.source == from && message.mark() == Some(mark) && whole
}

/// Differs from that of any other request of this process, also in what stands in place of a port.
fn next_mark() -> Mark {
    static COUNT: AtomicU16 = AtomicU16::new(1);
    let [low, high, ..] = process::id().to_le_bytes();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Mark { id: u16::from_le_bytes([low, high]).wrapping_add(count), sequence: count }
}
