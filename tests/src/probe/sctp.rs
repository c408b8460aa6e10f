//! SCTP (RFC 9260) by the kernel's own sockets, in the one-to-one style, in which they are used as TCP's are.

use std::{
    io::{self, Read as _},
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsRawFd as _, OwnedFd},
    time::Duration,
};

use anyhow::Result;
use nix::{
    errno::Errno,
    sys::{
        socket::{
            AddressFamily, Backlog, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, connect, listen,
            setsockopt, socket, sockopt,
        },
        time::{TimeVal, TimeValLike as _},
    },
};

use super::{Answer, client::understand};
use crate::wait;

/// Whether the kernel speaks SCTP.
#[must_use]
pub fn has_sctp() -> bool {
    open(AddressFamily::Inet).is_ok()
}

/// Makes an association and reads what the server has to say.
pub fn sctp(to: SocketAddr, patience: Duration) -> Result<Answer> {
    understand(ask(to, patience))
}

fn ask(to: SocketAddr, patience: Duration) -> io::Result<String> {
    let patience = wait::stretched(patience);
    let socket = open(if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 })?;
    // It bounds the set-up of the association as well.
    let limit = TimeVal::milliseconds(patience.as_millis().try_into().unwrap_or(i64::MAX));
    setsockopt(&socket, sockopt::SendTimeout, &limit)?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(to)) {
        Err(Errno::EINPROGRESS) => Err(io::ErrorKind::TimedOut.into()),
        other => other.map_err(io::Error::from),
    }?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(patience))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Listens on a port of all addresses, for both IP versions.
pub(super) fn listener(port: u16) -> Result<TcpListener> {
    let socket = open(AddressFamily::Inet6)?;
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    bind(socket.as_raw_fd(), &SockaddrStorage::from(any))?;
    listen(&socket, Backlog::MAXALLOWABLE)?;
    Ok(socket.into())
}

fn open(family: AddressFamily) -> nix::Result<OwnedFd> {
    socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, SockProtocol::Sctp)
}
