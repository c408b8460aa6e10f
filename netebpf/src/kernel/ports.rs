//! Sockets that hold published ports, so that `ss` shows them and no other program takes them.
//!
//! They never see a packet: the data path translates what is for the port before any socket is looked up, and a
//! filter drops the rest. They live in the daemon and are opened again when it starts.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    os::fd::OwnedFd,
};

use netebpf_common::abi::{PublishKey, protocol};
use nix::{
    errno::Errno,
    libc, setsockopt_impl,
    sys::socket::{
        AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, setsockopt, socket,
        sockopt,
    },
};

use super::Error;

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
        if self.0.contains_key(&key) {
            return Ok(());
        }
        let address = IpAddr::from(key.address);
        let port = key.port.number();
        let tcp = key.protocol() == protocol::TCP;
        let socket = open(SocketAddr::new(address, port), tcp).map_err(|errno| Error::Port {
            address,
            port,
            protocol: if tcp { "tcp" } else { "udp" },
            reason: errno.desc().to_lowercase(),
        })?;
        self.0.insert(key, socket);
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

fn open(address: SocketAddr, tcp: bool) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let kind = if tcp { SockType::Stream } else { SockType::Datagram };
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
    let mut program = [DROP];
    setsockopt(&socket, AttachFilter, &libc::sock_fprog { len: 1, filter: program.as_mut_ptr() })?;
    if !address.is_ipv4() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    }
    if tcp {
        // Connections of an earlier user of the port that linger in TIME_WAIT are no conflict.
        setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    }
    bind(std::os::fd::AsRawFd::as_raw_fd(&socket), &SockaddrStorage::from(address))?;
    if tcp {
        listen(&socket, Backlog::new(1)?)?;
    }
    Ok(socket)
}
