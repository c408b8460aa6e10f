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

/// Bytes that may wait in the socket for the server: what ten endpoints may ask at once, with what the kernel adds to each.
const BUFFER: usize = 1 << 23;

/// Opens the sockets of the name server, in its namespace: one for datagrams and one for streams.
pub fn listen(settings: &Settings) -> Result<(UdpSocket, TcpListener), Error> {
    namespaces::inside(&settings.resolver_namespace(), || {
        let address = SocketAddr::new(IpAddr::V4(dns::RESOLVER), dns::PORT);
        let udp = UdpSocket::bind(address)?;
        enlarge(&udp)?;
        Ok((udp, TcpListener::bind(address)?))
    })
}

fn enlarge(socket: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(socket, sockopt::RcvBufForce, &BUFFER)?)
}
