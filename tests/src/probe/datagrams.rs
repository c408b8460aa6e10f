//! Servers of datagrams that answer from the address that was asked, as a host with several addresses should.

use std::{
    io::{IoSlice, IoSliceMut},
    net::{Ipv6Addr, SocketAddr, UdpSocket},
    os::fd::AsRawFd as _,
};

use anyhow::{Context as _, Result};
use nix::{
    cmsg_space,
    errno::Errno,
    libc,
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg, setsockopt, sockopt,
    },
};

use super::dns;

/// The largest datagram over IPv4 is a little smaller.
const LARGEST: usize = 1 << 16;

/// What becomes of a datagram.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reaction {
    /// A line that tells whom the server saw.
    Tell,
    /// The same datagram.
    Reflect,
    /// The addresses of the name that it asks for.
    Resolve,
}

/// A UDP socket for both IP versions.
#[derive(Debug)]
pub(super) struct Datagrams(UdpSocket);

impl Datagrams {
    pub(super) fn open(port: u16) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port))?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        Ok(Self(socket))
    }

    /// Answers for ever; a failed answer is the client's loss, the next datagram may come from another one.
    pub(super) fn serve(&self, name: &str, reaction: Reaction) {
        let mut buffer = vec![0; LARGEST];
        loop {
            match self.answer(name, reaction, &mut buffer) {
                Ok(()) | Err(_) => {}
            }
        }
    }

    fn answer(&self, name: &str, reaction: Reaction, buffer: &mut [u8]) -> Result<()> {
        let (length, from, asked) = self.receive(buffer)?;
        let from_address = SocketAddr::new(from.ip().to_canonical(), from.port());
        let told = format!("{name} saw {from_address}\n");
        let words = buffer.get(..length).unwrap_or_default();
        let resolved = dns::answer_datagram(words);
        let answer = match reaction {
            Reaction::Tell => told.as_bytes(),
            Reaction::Reflect => words,
            Reaction::Resolve => resolved.as_deref().context("no query")?,
        };
        // The kernel chooses the device; the address is the one that the client knows.
        let source = libc::in6_pktinfo { ipi6_ifindex: 0, ..asked };
        let control = [ControlMessage::Ipv6PacketInfo(&source)];
        let SocketAddr::V6(to) = from else { return Err(Errno::EAFNOSUPPORT.into()) };
        let to = SockaddrIn6::from(to);
        sendmsg(self.0.as_raw_fd(), &[IoSlice::new(answer)], &control, MsgFlags::empty(), Some(&to))?;
        Ok(())
    }

    /// Length and sender of the next datagram, and the address it was sent to.
    fn receive(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr, libc::in6_pktinfo)> {
        let mut control = cmsg_space!(libc::in6_pktinfo);
        let mut slices = [IoSliceMut::new(buffer)];
        let descriptor = self.0.as_raw_fd();
        let received =
            recvmsg::<SockaddrIn6>(descriptor, &mut slices, Some(&mut control), MsgFlags::empty())?;
        let asked = received.cmsgs()?.find_map(|message| {
            if let ControlMessageOwned::Ipv6PacketInfo(asked) = message { Some(asked) } else { None }
        });
        let from = received.address.context("a datagram without sender")?;
        let from = SocketAddr::new(from.ip().into(), from.port());
        Ok((received.bytes, from, asked.context("no packet information")?))
    }
}
