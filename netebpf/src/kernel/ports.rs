//! Sockets that hold published ports, so that `ss` shows them and no other program takes them.
//!
//! They never see a packet: the data path translates what is for the port before any socket is looked up, and a
//! filter drops the rest. They live in the daemon and are opened again when it starts.
//!
//! Each IP version has a socket of its own, as with Docker, although one would do for both: where another program has the
//! port of one version the other still works, the error names which, and `ss` shows what `docker ps` does.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener},
    os::fd::{AsRawFd as _, OwnedFd},
};

use netebpf_common::abi::PublishKey;
use nix::{
    errno::Errno,
    libc, setsockopt_impl,
    sys::socket::{
        AddressFamily, Backlog, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, listen, setsockopt,
        socket, sockopt,
    },
};

use super::{Error, privileges};
use crate::model::Protocol;

/// Runs a classic BPF program on every packet for a socket (`SO_ATTACH_FILTER`).
#[derive(Debug, Clone, Copy)]
struct AttachFilter;

setsockopt_impl!(
    AttachFilter,
    libc::SOL_SOCKET,
    libc::SO_ATTACH_FILTER,
    libc::sock_fprog,
    sockopt::SetStruct<'_, libc::sock_fprog>
);

/// The classic BPF instruction "return 0": keep no byte of the packet.
const DROP: libc::sock_filter = libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: 0 };

/// The sockets held by this daemon.
#[derive(Debug, Default)]
pub(super) struct HeldPorts(BTreeMap<PublishKey, OwnedFd>);

impl HeldPorts {
    /// Opens the socket of a published port; a port that is held already is fine.
    pub(super) fn hold(&mut self, key: PublishKey) -> Result<(), Error> {
        if let Entry::Vacant(vacant) = self.0.entry(key) {
            vacant.insert(open(key).map_err(|errno| refused(key, errno))?);
        }
        Ok(())
    }

    /// Closes the socket of a published port.
    pub(super) fn release(&mut self, key: &PublishKey) {
        self.0.remove(key);
    }

    /// The ports that are held.
    pub(super) fn keys(&self) -> BTreeSet<PublishKey> {
        self.0.keys().copied().collect()
    }
}

/// Whether no program has a port. One that cannot be had for another reason is free as well: whoever tries to hold it
/// is told the reason.
pub(super) fn is_free(key: PublishKey) -> bool {
    !matches!(open(key), Err(Errno::EADDRINUSE))
}

/// Whether the host can listen on IPv6 addresses.
pub(super) fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

fn open(key: PublishKey) -> Result<OwnedFd, Errno> {
    let address = SocketAddr::new(key.address.into(), key.port.number());
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let protocol = Protocol::from_number(key.protocol()).ok_or(Errno::EPROTONOSUPPORT)?;
    let (kind, number, listens) = match protocol {
        Protocol::Tcp => (SockType::Stream, SockProtocol::Tcp, true),
        Protocol::Udp => (SockType::Datagram, SockProtocol::Udp, false),
        Protocol::Sctp => (SockType::Stream, SockProtocol::Sctp, true),
    };
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, number)?;
    if !privileges::is_file_to_spare(socket.as_raw_fd()) {
        return Err(Errno::EMFILE);
    }
    let mut program = [DROP];
    setsockopt(&socket, AttachFilter, &libc::sock_fprog { len: 1, filter: program.as_mut_ptr() })?;
    if !address.is_ipv4() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    }
    if listens {
        // Connections of an earlier user of the port that linger in TIME_WAIT are no conflict.
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    if listens {
        listen(&socket, Backlog::new(1)?)?;
    }
    Ok(socket)
}

fn refused(key: PublishKey, errno: Errno) -> Error {
    let protocol = Protocol::from_number(key.protocol());
    let reason = if errno == Errno::EPROTONOSUPPORT {
        "this kernel does not support the protocol".to_owned()
    } else {
        errno.desc().to_lowercase()
    };
    Error::Port {
        address: SocketAddr::new(IpAddr::from(key.address), key.port.number()),
        protocol: protocol.map_or("unknown", Protocol::as_str),
        reason,
    }
}
