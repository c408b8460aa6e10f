//! What do a flow's packets look like on the other side? Chooses the source port, records the flow, rewrites packets.

mod record;
mod related;
mod rewrite;
mod sctp;
#[cfg(test)]
mod tests;

pub use record::{MAX_ATTEMPTS, is_taken, record};
pub use related::translate_error;
pub use rewrite::{Hop, translate};

use crate::{
    abi::{Address, Translation, Tuple},
    checksum::Change,
};

/// Offsets of the fields that a translation changes, from the start of the transport header.
mod field {
    pub(super) const TCP_CHECKSUM: u32 = 16;
    pub(super) const UDP_CHECKSUM: u32 = 6;
    pub(super) const ICMP_CHECKSUM: u32 = 2;
    pub(super) const ICMP_IDENTIFIER: u32 = 4;
}

/// Makes a translation turn packets of `before` into packets of `after`.
#[inline(always)]
pub const fn set_translation(translation: &mut Translation, before: &Tuple, after: &Tuple) {
    let addresses = replace(Change::NONE, before.source, after.source);
    translation.source = after.source;
    translation.destination = after.destination;
    translation.source_port = after.source_port;
    translation.destination_port = after.destination_port;
    translation.address_delta = replace(addresses, before.destination, after.destination).sum();
    translation.port_delta = port_delta(before, after);
}

/// The translation that turns packets of `before` into packets of `after`.
#[must_use]
pub fn translation(before: &Tuple, after: &Tuple) -> Translation {
    let mut translation = zerocopy::FromZeros::new_zeroed();
    set_translation(&mut translation, before, after);
    translation
}

/// The change of both ports, as [`Translation::port_delta`] holds it.
#[inline(always)]
const fn port_delta(before: &Tuple, after: &Tuple) -> u32 {
    Change::NONE
        .replace(before.source_port.wire() as u32, after.source_port.wire() as u32)
        .replace(before.destination_port.wire() as u32, after.destination_port.wire() as u32)
        .sum()
}

#[inline(always)]
const fn replace(change: Change, old: Address, new: Address) -> Change {
    let (old, new) = (old.words(), new.words());
    change.replace(old[0], new[0]).replace(old[1], new[1]).replace(old[2], new[2]).replace(old[3], new[3])
}
