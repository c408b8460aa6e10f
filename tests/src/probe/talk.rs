//! A conversation that stays open: every word comes back from an `echo` or `reflect` service.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream, UdpSocket},
    os::fd::{AsRawFd as _, OwnedFd},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::{
    socket::{
        AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, setsockopt, socket, sockopt,
    },
    time::TimeVal,
};

use super::PATIENT;
use crate::netns::Namespace;

const PART: usize = 1 << 15;

/// An open connection, or a connected datagram socket.
#[derive(Debug)]
pub struct Talk {
    socket: Socket,
    words: u32,
    last: Vec<u8>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Talk {
    /// Connects to an `echo` service from a port of the kernel's choice.
    pub fn tcp(from: &Namespace, to: SocketAddr) -> Result<Self> {
        Self::tcp_from(from, 0, to)
    }

    /// Connects to an `echo` service from this port.
    pub fn tcp_from(from: &Namespace, port: u16, to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::from(from.run(|| open(SockType::Stream, port, to))?);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENT))?;
        Ok(Self { socket: Socket::Tcp(stream), words: 0, last: Vec::new() })
    }

    /// Opens a socket that speaks to a `reflect` service from this port; 0 leaves the choice to the kernel.
    pub fn udp_from(from: &Namespace, port: u16, to: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::from(from.run(|| open(SockType::Datagram, port, to))?);
        socket.set_read_timeout(Some(PATIENT))?;
        Ok(Self { socket: Socket::Udp(socket), words: 0, last: Vec::new() })
    }

    /// As [`Talk::udp_from`], from a port of the kernel's choice.
    pub fn udp(from: &Namespace, to: SocketAddr) -> Result<Self> {
        Self::udp_from(from, 0, to)
    }

    /// Gives up on an answer after this time.
    pub fn set_patience(&self, patience: Duration) -> Result<()> {
        match &self.socket {
            Socket::Tcp(stream) => stream.set_read_timeout(Some(patience))?,
            Socket::Udp(socket) => socket.set_read_timeout(Some(patience))?,
        }
        Ok(())
    }

    /// The address that it speaks from.
    pub fn local(&self) -> Result<SocketAddr> {
        Ok(match &self.socket {
            Socket::Tcp(stream) => stream.local_addr()?,
            Socket::Udp(socket) => socket.local_addr()?,
        })
    }

    /// Says something new and waits until it comes back.
    pub fn say(&mut self) -> Result<()> {
        self.words += 1;
        let words = format!("{:?} says {:09}", self.local()?, self.words);
        self.exchange(words.as_bytes())
    }

    /// Says this many bytes and waits until they come back.
    pub fn say_much(&mut self, length: usize) -> Result<()> {
        self.words += 1;
        let bytes: Vec<_> =
            (0_u32..).map(|number| number.wrapping_mul(self.words).to_le_bytes()[1]).take(length).collect();
        self.exchange(&bytes)
    }

    fn exchange(&mut self, words: &[u8]) -> Result<()> {
        self.last = vec![0; words.len()];
        match &mut self.socket {
            Socket::Tcp(stream) => {
                // In parts that the socket buffers take, so that neither side waits for the other.
                for (said, heard) in words.chunks(PART).zip(self.last.chunks_mut(PART)) {
                    stream.write_all(said).context("the connection broke")?;
                    stream.read_exact(heard).context("no answer on the connection")?;
                }
            }
            Socket::Udp(socket) => {
                socket.send(words).context("the datagram was not sent")?;
                let length = socket.recv(&mut self.last).context("no answer to the datagram")?;
                self.last.truncate(length);
            }
        }
        ensure!(self.last == words, "something else came back");
        Ok(())
    }
}

/// The standard library cannot choose the port of a client.
fn open(kind: SockType, port: u16, to: SocketAddr) -> Result<OwnedFd> {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
    let any: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], port).into() } else { ([0_u16; 8], port).into() };
    setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    bind(socket.as_raw_fd(), &SockaddrStorage::from(any)).with_context(|| format!("take port {port}"))?;
    // The kernel bounds `connect` by this too.
    setsockopt(&socket, sockopt::SendTimeout, &TimeVal::new(PATIENT.as_secs().cast_signed(), 0))?;
    connect(socket.as_raw_fd(), &SockaddrStorage::from(to)).with_context(|| format!("connect to {to}"))?;
    Ok(socket)
}
