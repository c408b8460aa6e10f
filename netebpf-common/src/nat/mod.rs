//! What do a flow's packets look like on the other side? Chooses the source port, records the flow, rewrites packets.

mod record;
mod related;
mod rewrite;
mod sctp;
#[cfg(test)]
mod tests;

pub use record::{MAX_ATTEMPTS, record};
pub use related::translate_error;
pub use rewrite::{Hop, translate};

use crate::{
    abi::{Address, Translation, Tuple},
    checksum::Change,
};

/// The translation that turns packets of `before` into packets of `after`.
#[inline(always)]
#[must_use]
pub const fn translation(before: &Tuple, after: &Tuple) -> Translation {
    let addresses = replace(Change::NONE, before.source, after.source);
    Translation {
        source: after.source,
        destination: after.destination,
        source_port: after.source_port,
        destination_port: after.destination_port,
        address_delta: replace(addresses, before.destination, after.destination).sum(),
        port_delta: port_delta(before, after),
    }
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
