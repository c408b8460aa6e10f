//! Which queries does the kernel answer itself, and how? What it leaves alone is the name server's.
//!
//! A query is read by [`read`] and becomes its own answer by [`answer`]. Both hold themselves to what is simple and common:
//! whatever is odd goes to the server as it is, so that only the server has to know what to say to it.

mod answer;
mod message;
mod question;
#[cfg(test)]
mod tests;

pub use answer::{Reply, answer};
pub use message::Message;
pub use question::{Question, read};

use core::net::Ipv4Addr;

use crate::abi::Address;

/// The address at which sandboxes reach the name server.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 53);

/// The address from which a sandbox without IPv4 asks.
pub const CLIENT_WITHOUT_IPV4: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 54);

/// The port of the name server, for UDP and TCP.
pub const PORT: u16 = 53;

/// How long an answer holds, in seconds.
pub const TTL: u32 = 600;

/// Bytes of the longest UDP message that the name server takes, as told by EDNS (RFC 6891, 6.2.5).
pub const UDP_SIZE: u16 = 1232;

/// Where the packets of endpoints come from when they arrive at the name server: 240.0.0.0/5, an address for each endpoint.
///
/// Linux takes these for addresses as all others (since 2.6.25), and nobody else has them.
pub const CLIENTS: (Ipv4Addr, u8) = (Ipv4Addr::new(240, 0, 0, 0), 5);

const CLIENTS_BITS: u32 = 0xf000_0000;
const LAST_CLIENT: u32 = 0x07ff_ffff;

pub(crate) const RESOLVER_ADDRESS: Address = Address::v4_from_wire(RESOLVER.to_bits().to_be());
pub(crate) const CLIENT_ADDRESS_WITHOUT_IPV4: Address =
    Address::v4_from_wire(CLIENT_WITHOUT_IPV4.to_bits().to_be());

/// The address by which the name server knows the endpoint behind a host-side link; `None` if the link's index is too large,
/// which takes 134 million links.
#[inline(always)]
#[must_use]
pub const fn client_address(ifindex: u32) -> Option<Address> {
    if ifindex <= LAST_CLIENT { Some(Address::v4_from_wire((CLIENTS_BITS | ifindex).to_be())) } else { None }
}

/// The index of the host-side link of the endpoint that the name server knows by an address; `None` if it is none of those.
#[inline(always)]
#[must_use]
pub const fn client_link(address: Address) -> Option<u32> {
    let bits = u32::from_be(address.v4_wire());
    if address.is_v4() && bits & !LAST_CLIENT == CLIENTS_BITS { Some(bits & LAST_CLIENT) } else { None }
}
