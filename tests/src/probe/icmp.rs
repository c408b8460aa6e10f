//! A socket for ICMP and `ICMPv6` (RFC 792, RFC 4443): sends echo requests, and hears whatever a machine is told.

use std::{
    io::{Error, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::AsRawFd as _,
    time::Instant,
};

use anyhow::{Context as _, Result};
use nix::{
    cmsg_space,
    errno::Errno,
    sys::socket::{
        AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage,
        recvmsg, setsockopt, socket, sockopt,
    },
};

use super::Answer;

/// What the numbers of a message mean, for both IP versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request for an echo.
    Request,
    /// The echo.
    Reply,
    /// The destination cannot be reached: host, network or administratively.
    Unreachable,
    /// Nothing listens at the port.
    PortUnreachable,
    /// The packet does not fit the next link.
    TooBig,
    /// The time to live ran out on the way.
    TimeExceeded,
    /// Anything else, such as neighbour discovery.
    Other,
}

/// One message that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub source: IpAddr,
    /// What it says.
    pub kind: Kind,
    /// The remaining time to live, or hop limit.
    pub hop_limit: u8,
    /// All behind the checksum: for an echo identifier, sequence number and data; for an error four bytes and
    /// the packet that it is about.
    pub body: Vec<u8>,
}

/// An echo's identifier and sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The identifier, in place of a port.
    pub id: u16,
    /// The sequence number.
    pub sequence: u16,
}

impl Message {
    /// The mark of an echo.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        let &[id_high, id_low, high, low] = self.body.first_chunk()?;
        Some(Mark { id: u16::from_be_bytes([id_high, id_low]), sequence: u16::from_be_bytes([high, low]) })
    }
}

/// A raw socket of one IP version; the kernel goes on answering by itself.
#[derive(Debug)]
pub struct Icmp {
    socket: UdpSocket,
    is_ipv4: bool,
}

impl Icmp {
    /// Opens a socket in the calling thread's namespace, for the IP version of this address.
    pub fn open(like: IpAddr) -> Result<Self> {
        let (family, protocol) = if like.is_ipv4() {
            (AddressFamily::Inet, SockProtocol::Icmp)
        } else {
            (AddressFamily::Inet6, SockProtocol::IcmpV6)
        };
        // The standard library has no raw sockets, but its datagram socket works on one.
        let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol);
        let socket = socket.map(UdpSocket::from).context("open a raw socket (needs root)")?;
        if !like.is_ipv4() {
            setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)?;
        }
        Ok(Self { socket, is_ipv4: like.is_ipv4() })
    }

    /// Sends all further requests with this time to live, or hop limit.
    pub fn set_hop_limit(&self, hops: u8) -> Result<()> {
        let hops = hops.into();
        let set = if self.is_ipv4 {
            setsockopt(&self.socket, sockopt::Ipv4Ttl, &hops)
        } else {
            setsockopt(&self.socket, sockopt::Ipv6Ttl, &hops)
        };
        set.context("set the time to live")
    }

    /// Sends an echo request; an answer instead of `None` when there is no way.
    pub fn request(&self, to: IpAddr, mark: Mark, data: &[u8]) -> Result<Option<Answer>> {
        let kind = if self.is_ipv4 { 8 } else { 128 };
        let mut packet = vec![kind, 0, 0, 0];
        packet.extend(mark.id.to_be_bytes());
        packet.extend(mark.sequence.to_be_bytes());
        packet.extend(data);
        if self.is_ipv4 {
            // The kernel fills in the checksum of ICMPv6 only.
            let checksum = crate::frame::checksum(&packet);
            packet.splice(2..4, checksum.to_be_bytes());
        }
        match self.socket.send_to(&packet, SocketAddr::new(to, 0)) {
            Ok(_) => Ok(None),
            Err(error) => Ok(Some(Answer::from_error(error)?)),
        }
    }

    /// The next message before `end`.
    pub fn receive(&self, end: Instant) -> Result<Option<Message>> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left))?;
            match self.receive_one() {
                Ok(Some(message)) => return Ok(Some(message)),
                Ok(None) | Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(errno) => {
                    return Answer::from_error(Error::from(errno)).map(|_| None).map_err(Into::into);
                }
            }
        }
    }

    fn receive_one(&self) -> Result<Option<Message>, Errno> {
        let mut buffer = [0; 4096];
        let mut control = cmsg_space!(i32);
        let mut slices = [IoSliceMut::new(&mut buffer)];
        let descriptor = self.socket.as_raw_fd();
        let received =
            recvmsg::<SockaddrStorage>(descriptor, &mut slices, Some(&mut control), MsgFlags::empty())?;
        let source = received.address.as_ref().and_then(|address| {
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|address| address.ip().into()))
        });
        let limit = received.cmsgs()?.find_map(|message| {
            if let ControlMessageOwned::Ipv6HopLimit(limit) = message {
                u8::try_from(limit).ok()
            } else {
                None
            }
        });
        let length = received.bytes;
        let packet = buffer.get(..length).unwrap_or_default();
        Ok(source.and_then(|source| self.parse(packet, source, limit)))
    }

    /// IPv4's raw sockets deliver the IP header as well, IPv6's do not.
    fn parse(&self, packet: &[u8], source: IpAddr, limit: Option<u8>) -> Option<Message> {
        let (hop_limit, message) = if self.is_ipv4 {
            let header = usize::from(packet.first()? & 0x0f) * 4;
            (*packet.get(8)?, packet.get(header..)?)
        } else {
            (limit?, packet)
        };
        let (&[kind, code, _, _], body) = message.split_first_chunk()?;
        let kind = if self.is_ipv4 { kind_of_icmp(kind, code) } else { kind_of_icmpv6(kind, code) };
        Some(Message { source, kind, hop_limit, body: body.to_vec() })
    }
}

fn kind_of_icmp(kind: u8, code: u8) -> Kind {
    match (kind, code) {
        (0, _) => Kind::Reply,
        (8, _) => Kind::Request,
        (3, 3) => Kind::PortUnreachable,
        (3, 4) => Kind::TooBig,
        (3, _) => Kind::Unreachable,
        (11, _) => Kind::TimeExceeded,
        _ => Kind::Other,
    }
}

fn kind_of_icmpv6(kind: u8, code: u8) -> Kind {
    match (kind, code) {
        (129, _) => Kind::Reply,
        (128, _) => Kind::Request,
        (1, 4) => Kind::PortUnreachable,
        (1, _) => Kind::Unreachable,
        (2, _) => Kind::TooBig,
        (3, _) => Kind::TimeExceeded,
        _ => Kind::Other,
    }
}
