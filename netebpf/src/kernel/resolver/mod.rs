//! Where the name server is: a namespace of its own behind a veth pair, so that neither a port nor an address of the host is
//! taken by it and no firewall of the host stands before it. The data path carries packets there and back.

pub(super) mod device;
pub(super) mod way;

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    os::fd::AsFd,
};

use netebpf_common::dns;
use nix::sys::socket::{setsockopt, sockopt};

use super::{Error, Settings, namespaces};

/// Bytes that may wait in the socket for the server: a thousand queries that come at once.
const BUFFER: usize = 1 << 20;

/// The sockets of the name server.
#[derive(Debug)]
pub struct Sockets {
    /// For queries by UDP; it does not block.
    pub udp: UdpSocket,
    /// For queries by TCP; it does not block.
    pub tcp: TcpListener,
}

/// Opens the sockets of the name server, in its namespace.
pub fn listen(settings: &Settings) -> Result<Sockets, Error> {
    namespaces::inside(&settings.resolver_namespace(), || {
        let address = SocketAddr::new(IpAddr::V4(dns::RESOLVER), dns::PORT);
        let udp = UdpSocket::bind(address)?;
        enlarge(&udp)?;
        udp.set_nonblocking(true)?;
        let tcp = TcpListener::bind(address)?;
        tcp.set_nonblocking(true)?;
        Ok(Sockets { udp, tcp })
    })
}

fn enlarge(socket: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(socket, sockopt::RcvBufForce, &BUFFER)?)
}
