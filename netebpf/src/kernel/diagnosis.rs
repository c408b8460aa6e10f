//! The host's sockets, as the kernel diagnoses them (`sock_diag(7)`): connected UDP sockets are found and ended.

use std::io;

use netebpf_common::abi::{Address, Port, SocketAddress};
use nix::{errno::Errno, libc};
use rtnetlink::sys::{Socket, SocketAddr, protocols::NETLINK_SOCK_DIAG};
use zerocopy::{FromBytes, FromZeros as _, Immutable, IntoBytes};

// Kinds and flags of messages (linux/netlink.h, linux/sock_diag.h).
const FAILED: u16 = 2;
const DONE: u16 = 3;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SOCK_DESTROY: u16 = 21;
const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const DUMP: u16 = 0x300;

/// The state of a connected socket, whatever its protocol.
const ESTABLISHED: u32 = 1;

/// `struct nlmsghdr`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    length: u32,
    kind: u16,
    flags: u16,
    sequence: u32,
    port: u32,
}

/// `struct inet_diag_sockid`: what the kernel tells sockets apart by. Ports and addresses are in network byte order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Id {
    source_port: u16,
    destination_port: u16,
    source: [u32; 4],
    destination: [u32; 4],
    ifindex: u32,
    cookie: [u32; 2],
}

/// `struct inet_diag_req_v2`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Request {
    family: u8,
    protocol: u8,
    extensions: u8,
    reserved: u8,
    states: u32,
    id: Id,
}

/// The beginning of `struct inet_diag_msg`.
#[derive(Clone, Copy, FromBytes, Immutable)]
#[repr(C)]
struct Answer {
    family: u8,
    state: u8,
    timer: u8,
    retransmissions: u8,
    id: Id,
}

/// A connected UDP socket of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ConnectedSocket {
    family: u8,
    id: Id,
}

impl ConnectedSocket {
    /// Its cookie (`SO_COOKIE`).
    pub(super) fn cookie(&self) -> u64 {
        let [lower, upper] = self.id.cookie;
        u64::from(upper) << 32 | u64::from(lower)
    }

    /// Whom it is connected to.
    pub(super) fn peer(&self) -> SocketAddress {
        let words = self.id.destination;
        let is_v4 = i32::from(self.family) == libc::AF_INET;
        let address = if is_v4 { Address::v4_from_wire(words[0]) } else { Address::from_words(words) };
        SocketAddress::new(address, Port::from_wire(self.id.destination_port))
    }
}

/// A conversation with the kernel about the sockets of this network namespace.
pub(super) struct Diagnosis(Socket);

impl Diagnosis {
    /// Begins one.
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
        socket.bind_auto()?;
        Ok(Self(socket))
    }

    /// All connected UDP sockets.
    pub(super) fn connected(&self) -> io::Result<Vec<ConnectedSocket>> {
        let mut found = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            self.ask(SOCK_DIAG_BY_FAMILY, DUMP, family_code(family), Id::new_zeroed())?;
            self.answers(|payload| {
                if let Ok((answer, _)) = Answer::read_from_prefix(payload) {
                    found.push(ConnectedSocket { family: answer.family, id: answer.id });
                }
            })?;
        }
        Ok(found)
    }

    /// Ends a socket: its program's next `recv` fails with `ECONNABORTED`, its next `send` with `EDESTADDRREQ` (Linux 4.5,
    /// `CONFIG_INET_DIAG_DESTROY`). One that is gone already is fine.
    pub(super) fn end(&self, socket: &ConnectedSocket) -> io::Result<()> {
        self.ask(SOCK_DESTROY, ACKNOWLEDGE, socket.family, socket.id)?;
        match self.answers(|_| {}) {
            Err(error) if error.raw_os_error() == Some(Errno::ENOENT as i32) => Ok(()),
            result => result,
        }
    }

    fn ask(&self, kind: u16, flags: u16, family: u8, id: Id) -> io::Result<()> {
        let length = u32::try_from(size_of::<Header>() + size_of::<Request>()).unwrap_or_default();
        let header = Header { length, kind, flags: REQUEST | flags, sequence: 1, port: 0 };
        let protocol = netebpf_common::abi::protocol::UDP;
        let request = Request { family, protocol, extensions: 0, reserved: 0, states: 1 << ESTABLISHED, id };
        let message = [header.as_bytes(), request.as_bytes()].concat();
        self.0.send_to(&message, &SocketAddr::new(0, 0), 0).map(drop)
    }

    /// Takes what the kernel answers, up to its last message.
    fn answers(&self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        loop {
            let (datagram, _) = self.0.recv_from_full()?;
            let mut rest = datagram.as_slice();
            while let Ok((header, payload)) = Header::read_from_prefix(rest) {
                let length = (header.length as usize).saturating_sub(size_of::<Header>()).min(payload.len());
                match header.kind {
                    DONE => return Ok(()),
                    FAILED => return outcome(&payload[..length]),
                    _ => take(&payload[..length]),
                }
                // Messages begin at multiples of four bytes.
                rest = payload.get(length.next_multiple_of(4)..).unwrap_or_default();
            }
        }
    }
}

/// What an `NLMSG_ERROR` says: zero is success.
fn outcome(payload: &[u8]) -> io::Result<()> {
    match i32::read_from_prefix(payload) {
        Ok((0, _)) => Ok(()),
        Ok((code, _)) => Err(io::Error::from_raw_os_error(-code)),
        Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn family_code(family: i32) -> u8 {
    u8::try_from(family).unwrap_or_default()
}
