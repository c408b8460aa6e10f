//! Does a host process mean a published port, or one in a sandbox Docker's resolver? Then its socket is translated once,
//! and no packet needs to be.
//!
//! This is how `127.0.0.1:8080` works without a proxy process and without `route_localnet`, and `127.0.0.11` without
//! netfilter and without a socket in the sandbox.

use core::net::Ipv4Addr;

use crate::{
    abi::{
        Address, Config, Family, LocalAddress, Netns, PeerKey, Port, PublishKey, PublishTarget, SocketAddress,
    },
    dns,
    verdict::DropReason,
};

/// Where programs in a sandbox look for a resolver, as Docker's containers do.
const DOCKERS_RESOLVER: SocketAddress = resolver(Ipv4Addr::new(127, 0, 0, 11));
/// Where it is.
const OUR_RESOLVER: SocketAddress = resolver(dns::RESOLVER);

const fn resolver(address: Ipv4Addr) -> SocketAddress {
    SocketAddress::new(Address::v4_from_wire(address.to_bits().to_be()), Port::new(dns::PORT))
}

/// The lookups and updates of the socket hooks.
pub trait SocketTables {
    /// The engine's settings.
    fn config(&self) -> Option<Config>;

    /// The host's own address, if it is one.
    fn local(&self, address: Address) -> Option<LocalAddress>;

    /// The endpoint behind a host port, without wildcard matching.
    fn published(&self, key: &PublishKey) -> Option<PublishTarget>;

    /// Whether processes of a namespace have our resolver at `127.0.0.11`.
    fn is_resolving(&self, netns: Netns) -> bool;

    /// What a translated socket believes its peer to be.
    fn peer(&self, key: &PeerKey) -> Option<SocketAddress>;

    /// Notes what a translated socket believes its peer to be; false when the table is full.
    fn remember_peer(&mut self, key: &PeerKey, believed: &SocketAddress) -> bool;
}

/// A socket at one of the hooks.
#[derive(Clone, Copy, Debug)]
pub struct Socket {
    /// `SO_COOKIE`.
    pub cookie: u64,
    /// Cookie of its network namespace.
    pub netns_cookie: u64,
    /// IP protocol.
    pub protocol: u8,
}

impl Socket {
    #[inline(always)]
    const fn netns(&self) -> Netns {
        Netns { cookie: self.netns_cookie }
    }
}

/// What a socket call may be turned into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// `connect()`: an IPv6 socket may as well be connected to an IPv4-mapped address.
    Connect,
    /// `sendmsg()` of an unconnected socket: the kernel refuses to change the IP version of a single datagram.
    Send,
}

/// Where a `connect()` or an unconnected `sendmsg()` to `wanted` really goes; `None` leaves it alone.
///
/// # Errors
///
/// When nobody would answer: the port's container does not have the IP version that the socket has to speak.
#[inline(always)]
pub fn translate(
    socket: &Socket,
    call: Call,
    wanted: SocketAddress,
    tables: &mut impl SocketTables,
) -> Result<Option<SocketAddress>, DropReason> {
    if wanted == DOCKERS_RESOLVER && tables.is_resolving(socket.netns()) {
        return Ok(Some(OUR_RESOLVER));
    }
    let Some(backend) = behind(socket, wanted, tables) else { return Ok(None) };
    let possible = match call {
        Call::Connect => backend.address.is_v4() || !wanted.address.is_v4(),
        Call::Send => backend.address.is_v4() == wanted.address.is_v4(),
    };
    if !possible {
        return Err(match wanted.address.family() {
            Family::V4 => DropReason::Ipv4Disabled,
            Family::V6 => DropReason::Ipv6Disabled,
        });
    }
    Ok(tables.remember_peer(&PeerKey::new(socket.cookie, backend), &wanted).then_some(backend))
}

/// The endpoint's address and port, if the socket is the host's and means a published port.
#[inline(always)]
fn behind(socket: &Socket, wanted: SocketAddress, tables: &impl SocketTables) -> Option<SocketAddress> {
    let config = tables.config()?;
    if socket.netns_cookie != config.netns_cookie {
        return None;
    }
    let address = wanted.address;
    if !(is_this_host(address) || tables.local(address).is_some()) {
        return None;
    }
    let target = published(address, wanted.port, socket.protocol, tables)?;
    Some(SocketAddress::new(target.address, target.port_for(wanted.port)))
}

/// Whom a program is told it talks to, when the socket's peer is `backend`; `None` leaves it alone.
#[inline(always)]
pub fn believed_peer(
    socket: &Socket,
    backend: SocketAddress,
    tables: &impl SocketTables,
) -> Option<SocketAddress> {
    if backend == OUR_RESOLVER && tables.is_resolving(socket.netns()) {
        return Some(DOCKERS_RESOLVER);
    }
    let config = tables.config()?;
    if socket.netns_cookie != config.netns_cookie {
        return None;
    }
    tables.peer(&PeerKey::new(socket.cookie, backend))
}

/// Loopback, or the wildcard, which `connect()` takes for loopback.
#[inline(always)]
const fn is_this_host(address: Address) -> bool {
    address.is_loopback() || address.is_unspecified()
}

#[inline(always)]
fn published(
    address: Address,
    port: Port,
    protocol: u8,
    tables: &impl SocketTables,
) -> Option<PublishTarget> {
    tables.published(&PublishKey::new(address, port, protocol)).or_else(|| {
        tables.published(&PublishKey::new(Address::unspecified(address.family()), port, protocol))
    })
}

#[cfg(test)]
mod tests;
