//! Sockets that hold published ports, so that `ss` shows them and no other program takes them.
//!
//! They never see a packet: the data path translates what is for the port before any socket is looked up, and a
//! filter drops the rest. SCTP's are an exception: what the host sends to itself comes to them, for the [relay](super::relay).
//! They live in the daemon and are opened again when it starts.
//!
//! Each IP version has a socket of its own, as with Docker, although one would do for both: where another program has the
//! port of one version the other still works, the error names which, and `ss` shows what `docker ps` does.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener},
    os::fd::{AsRawFd as _, OwnedFd},
};

use netebpf_common::abi::{PublishKey, protocol};
use nix::{
    errno::Errno,
    libc, setsockopt_impl,
    sys::socket::{
        AddressFamily, Backlog, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, listen, setsockopt,
        socket, sockopt,
    },
};

use super::{Error, Settings, bpf, links, privileges, relay::Relay};
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

/// Instructions of a filter.
const FILTER: u16 = 4;

/// The classic BPF instruction "return 0": keep no byte of the packet.
const DROP: libc::sock_filter = libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: 0 };

/// Keeps what comes by the first device of a namespace, which is its loopback: load the index, compare, "return all".
const KEEP_OWN: [libc::sock_filter; FILTER as usize] = [
    libc::sock_filter {
        code: 0x20,
        jt: 0,
        jf: 0,
        k: (libc::SKF_AD_OFF + libc::SKF_AD_IFINDEX).cast_unsigned(),
    },
    libc::sock_filter { code: 0x15, jt: 0, jf: 1, k: links::LOOPBACK },
    libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: u32::MAX },
    DROP,
];

/// Associations that wait for the relay.
const WAITING: i32 = 128;

/// The sockets held by this daemon.
#[derive(Debug)]
pub(super) struct HeldPorts {
    settings: Settings,
    held: BTreeMap<PublishKey, Held>,
}

/// What holds a port.
#[derive(Debug)]
enum Held {
    /// A socket that sees nothing.
    Silent(#[expect(dead_code, reason = "held for its drop")] OwnedFd),
    /// A socket that serves processes of the host.
    Relayed(Relay),
}

impl HeldPorts {
    /// None yet.
    pub(super) const fn new(settings: Settings) -> Self {
        Self { settings, held: BTreeMap::new() }
    }

    /// Opens the socket of a published port; a port that is held already is fine. Must run inside an async runtime.
    pub(super) fn hold(&mut self, key: PublishKey) -> Result<(), Error> {
        if let Entry::Vacant(vacant) = self.held.entry(key) {
            let socket = open(key).map_err(|errno| refused(key, errno))?;
            vacant.insert(if key.protocol() == protocol::SCTP {
                let settings = self.settings.clone();
                let relay = Relay::start(socket, move || bpf::behind(&settings, key));
                Held::Relayed(relay.map_err(|source| Error::System { doing: "serve an SCTP port", source })?)
            } else {
                Held::Silent(socket)
            });
        }
        Ok(())
    }

    /// Closes the socket of a published port.
    pub(super) async fn release(&mut self, key: &PublishKey) {
        if let Some(Held::Relayed(relay)) = self.held.remove(key) {
            relay.end().await;
        }
    }

    /// The ports that are held.
    pub(super) fn keys(&self) -> BTreeSet<PublishKey> {
        self.held.keys().copied().collect()
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
    let silent = [DROP; FILTER as usize];
    let (kind, number, waiting, mut program) = match protocol {
        Protocol::Tcp => (SockType::Stream, SockProtocol::Tcp, Some(1), silent),
        Protocol::Udp => (SockType::Datagram, SockProtocol::Udp, None, silent),
        Protocol::Sctp => (SockType::Stream, SockProtocol::Sctp, Some(WAITING), KEEP_OWN),
    };
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, number)?;
    if !privileges::is_file_to_spare(socket.as_raw_fd()) {
        return Err(Errno::EMFILE);
    }
    setsockopt(&socket, AttachFilter, &libc::sock_fprog { len: FILTER, filter: program.as_mut_ptr() })?;
    if !address.is_ipv4() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    }
    if waiting.is_some() {
        // Connections of an earlier user of the port that linger in TIME_WAIT are no conflict.
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    if let Some(waiting) = waiting {
        listen(&socket, Backlog::new(waiting)?)?;
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
