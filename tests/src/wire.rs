//! A packet socket: sends and receives whole frames on one link.

use std::{
    net::IpAddr,
    os::fd::{AsRawFd as _, OwnedFd},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use nix::{
    errno::Errno,
    ifaddrs::getifaddrs,
    sys::{
        socket::{
            AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send,
            setsockopt, socket, sockopt,
        },
        time::TimeVal,
    },
};

use crate::{frame::Mac, netns::Namespace, wait};

/// Linux marks the frames that a machine itself sends with this packet type.
const OUTGOING: u8 = 4;

/// A packet socket on one link of one namespace.
#[derive(Debug)]
pub struct Wire {
    socket: OwnedFd,
    link: LinkAddr,
}

impl Wire {
    /// Opens a link of a namespace; it sees all frames that arrive from now on.
    pub fn tap(namespace: &Namespace, link: &str) -> Result<Self> {
        namespace.run(|| {
            let link = link_address(link)?;
            // The protocol comes from the socket: an address found by name carries none.
            let socket =
                socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)
                    .context("open a packet socket (needs root)")?;
            bind(socket.as_raw_fd(), &link)?;
            Ok(Self { socket, link })
        })
    }

    /// The link's hardware address.
    pub fn mac(&self) -> Result<Mac> {
        self.link.addr().context("the link has no hardware address")
    }

    /// Sends a frame.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        send(self.socket.as_raw_fd(), frame, MsgFlags::empty()).context("send a frame")?;
        Ok(())
    }

    /// The first frame from somebody else within `patience` that is wanted.
    pub fn receive(&self, patience: Duration, wanted: impl Fn(&[u8]) -> bool) -> Result<Option<Vec<u8>>> {
        let end = Instant::now() + wait::stretched(patience);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let left = TimeVal::new(left.as_secs().cast_signed(), i64::from(left.subsec_micros().max(1)));
            setsockopt(&self.socket, sockopt::ReceiveTimeout, &left)?;
            match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut buffer) {
                Ok((length, from)) => {
                    let foreign = from.is_none_or(|from| from.pkttype() != OUTGOING);
                    let frame = buffer.get(..length).unwrap_or_default();
                    if foreign && wanted(frame) {
                        return Ok(Some(frame.to_vec()));
                    }
                }
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(errno) => return Err(errno).context("receive a frame"),
            }
        }
    }
}

impl Namespace {
    /// The hardware address of a link.
    pub fn mac(&self, link: &str) -> Result<Mac> {
        self.run(|| link_address(link)?.addr().with_context(|| format!("{link} has no hardware address")))
    }

    /// The link that has an address.
    pub fn link_of(&self, address: IpAddr) -> Result<String> {
        self.run(|| {
            let found = getifaddrs()?.find(|entry| {
                let of = entry.address.as_ref();
                let v4 = of.and_then(|found| found.as_sockaddr_in()).map(|found| IpAddr::from(found.ip()));
                let v6 = of.and_then(|found| found.as_sockaddr_in6()).map(|found| IpAddr::from(found.ip()));
                v4.or(v6) == Some(address)
            });
            Ok(found.with_context(|| format!("no link has {address}"))?.interface_name)
        })
    }
}

fn link_address(link: &str) -> Result<LinkAddr> {
    let found = getifaddrs()?.find_map(|entry| {
        let address = entry.address.as_ref()?.as_link_addr().copied();
        address.filter(|_| entry.interface_name == link)
    });
    found.with_context(|| format!("there is no link {link}"))
}
