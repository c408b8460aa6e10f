//! The address in a socket call, as IPv4 and IPv6 sockets carry it.

use aya_ebpf::programs::SockAddrContext;
use netebpf_common::abi::{Address, Port, SocketAddress};

/// Reads and writes the address of a socket call.
pub(crate) trait SocketFamily {
    /// The address.
    fn read(context: &SockAddrContext) -> SocketAddress;

    /// Replaces the address.
    fn write(context: &SockAddrContext, address: SocketAddress);
}

/// The hooks of IPv4 sockets.
pub(crate) struct V4;

/// The hooks of IPv6 sockets, which also see IPv4 as `::ffff:a.b.c.d`.
pub(crate) struct V6;

impl SocketFamily for V4 {
    #[inline(always)]
    fn read(context: &SockAddrContext) -> SocketAddress {
        // SAFETY: the context is valid for the program's run; the verifier checks the offsets.
        let (address, port) = unsafe { ((*context.sock_addr).user_ip4, (*context.sock_addr).user_port) };
        SocketAddress::new(Address::v4_from_wire(address), wire_port(port))
    }

    #[inline(always)]
    fn write(context: &SockAddrContext, address: SocketAddress) {
        // SAFETY: as in `read`; the hooks may write both fields.
        unsafe {
            (*context.sock_addr).user_ip4 = address.address.v4_wire();
            (*context.sock_addr).user_port = u32::from(address.port.wire());
        }
    }
}

impl SocketFamily for V6 {
    #[inline(always)]
    fn read(context: &SockAddrContext) -> SocketAddress {
        let raw = context.sock_addr;
        // SAFETY: the context is valid for the program's run; each word is read at its own offset, as the verifier asks.
        let (a, b, c, d, port) = unsafe {
            (
                core::ptr::read_volatile(&raw const (*raw).user_ip6[0]),
                core::ptr::read_volatile(&raw const (*raw).user_ip6[1]),
                core::ptr::read_volatile(&raw const (*raw).user_ip6[2]),
                core::ptr::read_volatile(&raw const (*raw).user_ip6[3]),
                (*raw).user_port,
            )
        };
        let address = Address::from_words([a, b, c, d]);
        SocketAddress::new(address, wire_port(port))
    }

    #[inline(always)]
    fn write(context: &SockAddrContext, address: SocketAddress) {
        let raw = context.sock_addr;
        let [a, b, c, d] = address.address.words();
        // SAFETY: as in `read`; the hooks may write these fields.
        unsafe {
            core::ptr::write_volatile(&raw mut (*raw).user_ip6[0], a);
            core::ptr::write_volatile(&raw mut (*raw).user_ip6[1], b);
            core::ptr::write_volatile(&raw mut (*raw).user_ip6[2], c);
            core::ptr::write_volatile(&raw mut (*raw).user_ip6[3], d);
            (*raw).user_port = u32::from(address.port.wire());
        }
    }
}

/// The context keeps the port's two bytes in a word.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the upper half is zero")]
const fn wire_port(word: u32) -> Port {
    Port::from_wire(word as u16)
}
