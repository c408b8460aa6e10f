//! Where the resolver is.
use core::net::Ipv4Addr;

use crate::abi::Mac;
/// The resolver.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 53);
/// Its MAC.
pub const RESOLVER_MAC: Mac = Mac([0x02, 0x4e, 0x45, 0x42, 0x00, 0x35]);
/// Client.
pub const CLIENT_WITHOUT_IPV4: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 54);
/// The port.
pub const PORT: u16 = 53;
/// Clients.
pub const CLIENTS: (Ipv4Addr, u8) = (Ipv4Addr::new(240, 0, 0, 0), 5);
