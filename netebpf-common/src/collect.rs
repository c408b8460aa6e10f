//! Which flows may be forgotten, though no packet asks for them?
//!
//! The daemon walks the tables, picks candidates with [`is_dead`], and hands them over as a "packet" to the program
//! `collect`, which looks again and removes. Removal and traffic cannot disagree, for two reasons:
//!
//! - **No packet relies on what is removed.** Traffic itself takes a flow for gone once it has been idle for its time-out;
//!   here it must have been idle for [`GRACE`] longer. A program run that found the flow alive would have had to read its
//!   clock more than that long ago, and to write [`Flow::last_seen`] only now; none takes a thousandth of that.
//! - **What a packet begins anew is not removed.** A packet that finds its flow gone records a new one under the same
//!   tuples, perhaps between the last look here and the removal. So the pair of tuples is announced *before* the last look,
//!   and traffic asks [`is_announced`] *after* it has removed the old entries and before it writes new ones. If the
//!   announcement comes first, the packet sees it, and gives its flow up; if the packet comes first, the last look finds
//!   the old entries gone, and nothing is removed.

use zerocopy::{FromBytes, FromZeros as _, Immutable, IntoBytes, KnownLayout};

use crate::{
    abi::{Config, Direction, Flow, Timeouts, Tuple},
    conntrack::{counterpart, is_expired},
    packet::Packet,
    tables::Tier,
};

/// How much longer than traffic itself the collector waits, in nanoseconds.
pub const GRACE: u64 = 1_000_000_000;

/// How long a pending flow may miss its other half, in nanoseconds: more than any program run, less than any time-out.
pub const HALF_LIFE: u64 = 5_000_000_000;

/// How many candidates are handed over at once: enough to make the system call cheap, few enough for the verifier, which
/// walks through each of them (some 10,000 instructions).
pub const BATCH: usize = 8;

/// Bytes in front of the candidates: the kernel takes no test packet without an Ethernet header.
pub const HEADER: usize = 14;

/// A flow that may be over, found by one of its entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Candidate {
    /// The entry's key.
    pub tuple: Tuple,
    tier: u32,
    removed: u32,
}

impl Candidate {
    /// The flow with this entry.
    #[must_use]
    pub const fn new(tier: Tier, tuple: Tuple) -> Self {
        Self { tuple, tier: tier as u32, removed: 0 }
    }

    /// Where the entry is.
    #[inline(always)]
    #[must_use]
    pub const fn tier(&self) -> Tier {
        if self.tier == Tier::Assured as u32 { Tier::Assured } else { Tier::Pending }
    }

    /// Whether the program has removed the flow.
    #[must_use]
    pub const fn is_removed(&self) -> bool {
        self.removed != 0
    }
}

/// What the collector does to the tables.
pub trait Collector {
    /// Looks an entry up without leaving a trace.
    fn flow(&self, tier: Tier, tuple: &Tuple) -> Option<Flow>;

    /// Tells traffic which flow is about to be removed; zeroes for none. Later lookups see what was written before.
    fn announce(&mut self, pair: &[Tuple; 2]);

    /// Removes an entry.
    fn remove(&mut self, tier: Tier, tuple: &Tuple);

    /// Tells whoever follows that the flow with this original tuple is over.
    fn tell(&mut self, original: &Tuple);
}

/// Removes those of the candidates in the packet that are over, and notes there which ones.
#[inline(always)]
pub fn collect(packet: &mut impl Packet, tables: &mut impl Collector, config: &Config, now: u64) {
    let mut index = 0;
    while index < BATCH {
        let mut candidate = Candidate::new_zeroed();
        let offset = offset(index);
        if !packet.read(offset, candidate.as_mut_bytes()) {
            break;
        }
        if remove(&candidate, tables, &config.timeouts, now) {
            candidate.removed = 1;
            // A packet that could be read can be written; if not, the daemon only counts less than was done.
            let _written = packet.write(offset, candidate.as_bytes());
        }
        index += 1;
    }
    tables.announce(&NOBODY);
}

/// Where a candidate lies in the packet.
#[expect(clippy::cast_possible_truncation, reason = "the packet has less than a page")]
const fn offset(index: usize) -> u32 {
    (HEADER + index * size_of::<Candidate>()) as u32
}

const NOBODY: [Tuple; 2] = {
    let address = crate::abi::Address::from_words([0; 4]);
    let port = crate::abi::Port::from_wire(0);
    let tuple = Tuple {
        source: address,
        destination: address,
        source_port: port,
        destination_port: port,
        protocol: 0,
    };
    [tuple, tuple]
};

/// Removes both entries of a flow if it is over; false if it is not.
#[inline(always)]
fn remove(candidate: &Candidate, tables: &mut impl Collector, timeouts: &Timeouts, now: u64) -> bool {
    let (tier, tuple) = (candidate.tier(), &candidate.tuple);
    let Some(flow) = tables.flow(tier, tuple) else { return false };
    let other = counterpart(tuple, &flow.translation);
    tables.announce(&[*tuple, other]);
    let Some(flow) = tables.flow(tier, tuple) else { return false };
    let half = tables.flow(tier, &other).filter(|half| is_partner(tuple, &other, half));
    if !is_dead(&flow, tier, tuple.protocol, half.as_ref(), timeouts, now) {
        return false;
    }
    if half.is_some() {
        tables.remove(tier, &other);
    }
    tables.remove(tier, tuple);
    // What a flow leaves behind among the pending ones when it moves to the assured ones is not the flow.
    if matches!(tier, Tier::Assured) || tables.flow(Tier::Assured, tuple).is_none() {
        let is_original = flow.direction() as u8 == Direction::Original as u8;
        tables.tell(if is_original { tuple } else { &other });
    }
    true
}

/// Whether an entry's flow is over beyond doubt: both halves have been idle for [`GRACE`] longer than they may, or one is
/// missing and the flow was only pending.
///
/// `half` is the other half, see [`is_partner`]; `now` in nanoseconds of `CLOCK_MONOTONIC`.
#[inline(always)]
#[must_use]
pub fn is_dead(
    flow: &Flow,
    tier: Tier,
    protocol: u32,
    half: Option<&Flow>,
    timeouts: &Timeouts,
    now: u64,
) -> bool {
    let then = now.saturating_sub(GRACE);
    let expired = is_expired(flow, timeouts, protocol, then);
    match half {
        Some(half) => expired && is_expired(half, timeouts, protocol, then),
        None => expired || matches!(tier, Tier::Pending) && now.saturating_sub(flow.last_seen) > HALF_LIFE,
    }
}

/// Whether an entry found under the `other` tuple of a flow is that flow's: a half that was displaced may have left its
/// tuple to another flow.
#[inline(always)]
#[must_use]
pub fn is_partner(tuple: &Tuple, other: &Tuple, entry: &Flow) -> bool {
    counterpart(other, &entry.translation) == *tuple
}

/// Whether one of the tuples that a new flow would have is just being removed; `announced` as [`Collector::announce`] wrote it.
#[inline(always)]
#[must_use]
pub fn is_announced(announced: &[Tuple; 2], original: &Tuple, reply: &Tuple) -> bool {
    let [one, other] = announced;
    one == original || one == reply || other == original || other == reply
}

#[cfg(test)]
mod tests;
