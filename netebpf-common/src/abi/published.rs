//! Published ports: which endpoint answers for a port of the host, and which ports are open at endpoints themselves.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Port};

/// An address, a protocol and a port, in the order in which the trie compares them bit by bit.
///
/// The address is one of the host, the wildcard of its IP version for "any local address", or an endpoint's own: then the
/// port is open at that endpoint for whoever may route to it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct PublishKey {
    /// Address.
    pub address: Address,
    protocol: u8,
    reserved: u8,
    /// Port; of a block of ports the first.
    pub port: Port,
}

impl PublishKey {
    /// The key of a port.
    #[inline(always)]
    #[must_use]
    pub const fn new(address: Address, port: Port, protocol: u8) -> Self {
        Self { address, protocol, reserved: 0, port }
    }

    /// The IP protocol.
    #[must_use]
    pub const fn protocol(self) -> u8 {
        self.protocol
    }
}

/// A block of ports: those whose first bits are the key's. A range of ports is a few of them, whatever its length.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct PublishBlock {
    bits: u32,
    /// The block's first port.
    pub key: PublishKey,
}

const KEY_LENGTH: u32 = 20;
const _: () = assert!(size_of::<PublishKey>() == KEY_LENGTH as usize);

impl PublishBlock {
    const PORT_BITS: u32 = 16;

    /// How many bits a key has, and so the block of one port.
    pub const KEY_BITS: u32 = 8 * KEY_LENGTH;

    /// The block of `1 << free_bits` ports that begins with the key's port, which must be a multiple of that number.
    #[must_use]
    pub const fn new(key: PublishKey, free_bits: u32) -> Self {
        Self { bits: Self::KEY_BITS - free_bits, key }
    }

    /// The block of one port; also what looks a port up.
    #[inline(always)]
    #[must_use]
    pub const fn single(key: PublishKey) -> Self {
        Self { bits: Self::KEY_BITS, key }
    }

    /// How many bits of the key count, as the kernel's trie wants it.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
    }

    /// Whether the block holds this port.
    #[must_use]
    pub const fn holds(&self, port: Port) -> bool {
        let free_bits = Self::KEY_BITS - self.bits;
        (port.number() as u32) >> free_bits == (self.key.port.number() as u32) >> free_bits
    }

    /// Whether the block holds this key: its port, at the same address and for the same protocol.
    #[must_use]
    pub fn contains(&self, key: &PublishKey) -> bool {
        (self.key.address, self.key.protocol) == (key.address, key.protocol) && self.holds(key.port)
    }

    /// The key of the block's last port.
    #[must_use]
    pub const fn last(&self) -> PublishKey {
        let ports = 1_u32 << (Self::KEY_BITS - self.bits);
        let number = self.key.port.number() as u32 + ports - 1;
        let [_, _, high, low] = number.to_be_bytes();
        PublishKey { port: Port::new(u16::from_be_bytes([high, low])), ..self.key }
    }

    /// The fewest blocks that cover the ports from `key`'s up to `last`, in order; at most 30.
    pub fn cover(key: PublishKey, last: u16) -> impl Iterator<Item = Self> {
        let mut next = Some(u32::from(key.port.number()));
        core::iter::from_fn(move || {
            let first = next.filter(|&first| first <= u32::from(last))?;
            let aligned = first.trailing_zeros().min(Self::PORT_BITS);
            let fits = (u32::from(last) - first + 1).ilog2();
            let free_bits = aligned.min(fits);
            next = first.checked_add(1 << free_bits);
            let port = Port::new(u16::try_from(first).ok()?);
            Some(Self::new(PublishKey { port, ..key }, free_bits))
        })
    }
}

/// The endpoint's address and port behind a published port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PublishTarget {
    /// Address of the endpoint.
    pub address: Address,
    /// The first host port of the range.
    first: Port,
    /// The port in the sandbox that answers for it.
    port: Port,
}

impl PublishTarget {
    /// A range of host ports that begins with `first` leads to as many ports from `port` on.
    #[inline(always)]
    #[must_use]
    pub const fn new(address: Address, first: Port, port: Port) -> Self {
        Self { address, first, port }
    }

    /// The port in the sandbox that answers for a host port of the range.
    #[inline(always)]
    #[must_use]
    pub const fn port_for(&self, host_port: Port) -> Port {
        let offset = host_port.number().wrapping_sub(self.first.number());
        Port::new(self.port.number().wrapping_add(offset))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blocks_cover_a_range_once_and_nothing_else(first: u16, length in 0..20_000_u16, probe: u16) {
            let last = first.saturating_add(length);
            let key = PublishKey::new(Address::UNSPECIFIED_V4, Port::new(first), 6);
            let blocks: std::vec::Vec<_> = PublishBlock::cover(key, last).collect();
            prop_assert!(blocks.len() <= 30);
            for port in [first, last, probe, first.wrapping_sub(1), last.wrapping_add(1)] {
                let holders = blocks.iter().filter(|block| block.holds(Port::new(port))).count();
                prop_assert_eq!(holders, usize::from((first..=last).contains(&port)), "port {}", port);
            }
        }

        #[test]
        fn a_range_leads_to_ports_in_the_same_order(first: u16, port: u16, offset: u16) {
            let target = PublishTarget::new(Address::UNSPECIFIED_V4, Port::new(first), Port::new(port));
            let answered = target.port_for(Port::new(first.wrapping_add(offset)));
            prop_assert_eq!(answered.number(), port.wrapping_add(offset));
        }
    }
}
