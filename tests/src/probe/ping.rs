//! ICMP echo (RFC 792): asks for one, and watches what source arrives.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    process,
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

use super::Answer;

const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;

/// Sends one echo request and waits for its reply.
pub fn ping(to: Ipv4Addr, patience: Duration) -> Result<Answer> {
    static SEQUENCE: AtomicU16 = AtomicU16::new(1);
    let mark = Mark {
        id: u16::try_from(process::id() & 0xffff)?,
        sequence: SEQUENCE.fetch_add(1, Ordering::Relaxed),
    };
    let socket = raw_socket()?;
    let end = Instant::now() + patience;
    if let Err(error) = socket.send_to(&request(mark), (to, 0)) {
        return Ok(Answer::from_error(error)?);
    }
    while let Some(echo) = receive(&socket, end)? {
        if echo.kind == ECHO_REPLY && echo.mark == mark && echo.source == to {
            return Ok(Answer::Echoed);
        }
    }
    Ok(Answer::TimedOut)
}

/// Listens to the echo requests that a machine receives; the kernel answers them all the same.
#[derive(Debug)]
pub struct EchoWatch(UdpSocket);

impl EchoWatch {
    /// Starts to listen in the calling thread's namespace.
    pub fn start() -> Result<Self> {
        raw_socket().map(Self)
    }

    /// The source of the next echo request.
    pub fn next_source(&self, patience: Duration) -> Result<Option<IpAddr>> {
        let end = Instant::now() + patience;
        while let Some(echo) = receive(&self.0, end)? {
            if echo.kind == ECHO_REQUEST {
                return Ok(Some(echo.source.into()));
            }
        }
        Ok(None)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    id: u16,
    sequence: u16,
}

struct Echo {
    source: Ipv4Addr,
    kind: u8,
    mark: Mark,
}

/// The standard library has no raw sockets, but its datagram socket works on one.
fn raw_socket() -> Result<UdpSocket> {
    let socket = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Icmp);
    socket.map(UdpSocket::from).context("open a raw socket (needs root)")
}

fn request(mark: Mark) -> [u8; 8] {
    let [id_high, id_low] = mark.id.to_be_bytes();
    let [sequence_high, sequence_low] = mark.sequence.to_be_bytes();
    let sum = u32::from(ECHO_REQUEST) * 256 + u32::from(mark.id) + u32::from(mark.sequence);
    let [.., check_high, check_low] = (!((sum & 0xffff) + (sum >> 16))).to_be_bytes();
    [ECHO_REQUEST, 0, check_high, check_low, id_high, id_low, sequence_high, sequence_low]
}

fn receive(socket: &UdpSocket, end: Instant) -> Result<Option<Echo>> {
    let mut buffer = [0; 256];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        let (length, from) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) => return Answer::from_error(error).map(|_| None).map_err(Into::into),
        };
        if let (SocketAddr::V4(from), Some(packet)) = (from, buffer.get(..length))
            && let Some(echo) = parse(packet, *from.ip())
        {
            return Ok(Some(echo));
        }
    }
}

fn parse(packet: &[u8], source: Ipv4Addr) -> Option<Echo> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let &[kind, _, _, _, id_high, id_low, sequence_high, sequence_low] = packet.get(header..header + 8)?
    else {
        return None;
    };
    let mark = Mark {
        id: u16::from_be_bytes([id_high, id_low]),
        sequence: u16::from_be_bytes([sequence_high, sequence_low]),
    };
    Some(Echo { source, kind, mark })
}
