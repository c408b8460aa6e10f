//! Requests to the kernel's routing socket that wait for the answer: attaching is not asynchronous.

use std::io;

use nix::errno::Errno;
use rtnetlink::{
    packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload},
    packet_route::{RouteNetlinkMessage, link::LinkMessage},
    sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE},
};

use crate::kernel::links::{self, Layer};

/// Whether what a link carries begins with the IP header (tun, `WireGuard`, tunnels); no if the link is gone.
pub(super) fn is_bare(ifindex: u32) -> io::Result<bool> {
    let mut message = LinkMessage::default();
    message.header.index = ifindex;
    let is_bare = |message: &RouteNetlinkMessage| {
        matches!(message, RouteNetlinkMessage::NewLink(link)
            if links::layer(link.header.link_layer_type) == Layer::Bare)
    };
    match request(RouteNetlinkMessage::GetLink(message), 0) {
        Ok(answer) => Ok(answer.iter().any(is_bare)),
        Err(error) if error.raw_os_error() == Some(Errno::ENODEV as i32) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Netlink messages begin at multiples of this many bytes.
const ALIGNMENT: usize = 4;

/// Sends a request in the network namespace of the calling thread and returns the messages of the answer.
pub(super) fn request(message: RouteNetlinkMessage, flags: u16) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    let mut request = NetlinkMessage::from(message);
    request.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send_to(&bytes, &SocketAddr::new(0, 0), 0)?;

    let mut answer = Vec::new();
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        let mut rest = datagram.as_slice();
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let length = (message.header.length as usize).next_multiple_of(ALIGNMENT);
            rest = rest.get(length..).unwrap_or_default();
            match message.payload {
                NetlinkPayload::InnerMessage(message) => answer.push(message),
                // Without a code it is the acknowledgement, which comes last.
                NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io()),
                NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => return Ok(answer),
                NetlinkPayload::Noop | NetlinkPayload::Overrun(_) | _ => {}
            }
        }
    }
}
