//! What do a flow's packets look like on the other side? Chooses the source port, records the flow, rewrites packets.

mod record;
mod rewrite;
#[cfg(test)]
mod tests;

pub use record::{MAX_ATTEMPTS, record};
pub use rewrite::rewrite;

use crate::{
    abi::{Address, Port, Translation, Tuple},
    checksum,
};

/// The translation that turns packets of `before` into packets of `after`.
#[inline(always)]
#[must_use]
pub const fn translation(before: &Tuple, after: &Tuple) -> Translation {
    Translation {
        source: after.source,
        destination: after.destination,
        source_port: after.source_port,
        destination_port: after.destination_port,
        address_delta: checksum::add(
            address_change(before.source, after.source),
            address_change(before.destination, after.destination),
        ),
        port_delta: checksum::add(
            port_change(before.source_port, after.source_port),
            port_change(before.destination_port, after.destination_port),
        ),
    }
}

#[inline(always)]
const fn address_change(old: Address, new: Address) -> u32 {
    let (old, new) = (old.words(), new.words());
    let high = checksum::add(word_change(old[0], new[0]), word_change(old[1], new[1]));
    let low = checksum::add(word_change(old[2], new[2]), word_change(old[3], new[3]));
    checksum::add(high, low)
}

#[inline(always)]
const fn word_change(old: u32, new: u32) -> u32 {
    if old == new { 0 } else { checksum::change(old, new) }
}

#[inline(always)]
const fn port_change(old: Port, new: Port) -> u32 {
    word_change(old.wire() as u32, new.wire() as u32)
}
