//! Asks a probe server once, by TCP or UDP.

use std::{
    io::{self, ErrorKind, Read as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::Answer;
use crate::wait;

/// Whether a UDP client connects its socket; the kernel then delivers answers of that peer only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    /// `connect` and `send`.
    Yes,
    /// `sendto` and `recvfrom`; the probe itself checks who answered.
    No,
}

/// Connects, and reads what the server has to say; whatever was translated, the peer must be the one that was asked.
pub fn tcp(to: SocketAddr, patience: Duration) -> Result<Answer> {
    let patience = wait::stretched(patience);
    let asked = TcpStream::connect_timeout(&to, patience).and_then(|mut stream| {
        stream.set_read_timeout(Some(patience))?;
        let peer = stream.peer_addr()?;
        if peer != to {
            return Err(io::Error::other(format!("asked {to}, but the peer is {peer}")));
        }
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    });
    understand(asked)
}

/// Sends one datagram and waits for its answer.
pub fn udp(to: SocketAddr, connected: Connected, patience: Duration) -> Result<Answer> {
    udp_saying(b"who am I?", to, connected, patience)
}

/// As [`udp`], with words to be recognised by.
pub fn udp_saying(words: &[u8], to: SocketAddr, connected: Connected, patience: Duration) -> Result<Answer> {
    let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { IpAddr::from(Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_read_timeout(Some(wait::stretched(patience)))?;
    let mut buffer = [0; 128];
    let asked = match connected {
        Connected::Yes => socket.connect(to).and_then(|()| socket.send(words)),
        Connected::No => socket.send_to(words, to),
    };
    let (length, from) = match asked.and_then(|_| socket.recv_from(&mut buffer)) {
        Ok(received) => received,
        Err(error) => return Ok(Answer::from_error(error)?),
    };
    if from != to {
        bail!("asked {to}, but {from} answered");
    }
    understand(Ok(String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned()))
}

/// What a server's line, or its absence, says.
pub(super) fn understand(asked: io::Result<String>) -> Result<Answer> {
    let text = match asked {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::InvalidData => bail!("the answer is no text"),
        Err(error) => return Ok(Answer::from_error(error)?),
    };
    let (by, source) = text.trim_end().split_once(" saw ").with_context(|| format!("odd answer {text:?}"))?;
    let source: SocketAddr = source.parse().with_context(|| format!("odd address in {text:?}"))?;
    Ok(Answer::seen(by, source.ip()))
}
