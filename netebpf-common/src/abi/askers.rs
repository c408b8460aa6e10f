//! What each endpoint asks the name server, and how much more it may.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The questions of one endpoint, by its host-side link. CPUs that write at the same time may lose a count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Asker {
    /// Queries that the kernel has answered.
    pub answered: u64,
    /// Packets that went to the name server.
    pub forwarded: u64,
    /// Packets that were dropped because there were too many.
    pub limited: u64,
    /// Until when what was sent uses up what may be, in nanoseconds of `CLOCK_MONOTONIC`.
    pub busy_until: u64,
}

/// How much an endpoint may ask the name server. Who waits for answers is never limited by time: each makes up for a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct QueryLimit {
    /// Nanoseconds that a packet of up to 512 bytes uses up; zero for no limit.
    pub interval: u32,
    /// How many such packets may come at once.
    pub burst: u32,
}

impl QueryLimit {
    /// As many queries under way as Docker allows (1,024). A packet that nobody answers counts for 500 µs: who sends nothing
    /// else sends 2,000 a second, a fraction of what the server can read.
    pub const USUAL: Self = Self { interval: 500_000, burst: 1_024 };

    /// The unit that is counted, as a shift: 512 bytes.
    const UNIT: u32 = 9;
}

impl Asker {
    /// Whether another packet may go to the name server now; counts it either way.
    ///
    /// A token bucket, kept as the time at which it will be full again.
    #[inline(always)]
    pub const fn admit(&mut self, limit: QueryLimit, length: u32, now: u64) -> bool {
        let units = (length >> QueryLimit::UNIT) as u64 + 1;
        let cost = units * limit.interval as u64;
        let free = if self.busy_until > now { self.busy_until } else { now };
        if free - now > limit.interval as u64 * limit.burst as u64 {
            self.limited = self.limited.wrapping_add(1);
            return false;
        }
        self.busy_until = free + cost;
        self.forwarded = self.forwarded.wrapping_add(1);
        true
    }

    /// The name server sends a packet: it makes up for one of the endpoint's.
    #[inline(always)]
    pub const fn settle(&mut self, limit: QueryLimit) {
        self.busy_until = self.busy_until.saturating_sub(limit.interval as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::{Asker, QueryLimit};

    const LIMIT: QueryLimit = QueryLimit { interval: 1000, burst: 10 };

    #[test]
    fn a_burst_passes_and_then_as_many_as_the_interval_says() {
        let mut asker = Asker::default();
        let at = |asker: &mut Asker, now| (0..100).filter(|_| asker.admit(LIMIT, 60, now)).count();
        assert_eq!(at(&mut asker, 5_000_000), 11);
        assert_eq!(at(&mut asker, 5_003_000), 3);
        assert_eq!(at(&mut asker, 9_000_000), 11);
        assert_eq!((asker.forwarded, asker.limited), (25, 275));
    }

    #[test]
    fn who_waits_for_answers_is_not_limited_however_fast_they_come() {
        let mut asker = Asker::default();
        for _ in 0..1000 {
            assert!((0..5).all(|_| asker.admit(LIMIT, 60, 1_000_000)));
            (0..5).for_each(|_| asker.settle(LIMIT));
        }
        assert_eq!((asker.forwarded, asker.limited), (5000, 0));
        (0..10_000).for_each(|_| asker.settle(LIMIT));
        let burst = (0..100).filter(|_| asker.admit(LIMIT, 60, 2_000_000)).count();
        assert_eq!(burst, 11, "what was never asked is no credit");
    }

    #[test]
    fn long_packets_count_as_many_short_ones_and_none_is_counted_without_a_limit() {
        let mut asker = Asker::default();
        assert!(asker.admit(LIMIT, 65_000, 1));
        assert!(!asker.admit(LIMIT, 60, 100_000));
        assert!(asker.admit(LIMIT, 60, 127_000));
        let unlimited = QueryLimit::default();
        assert!((0..1000).all(|_| Asker::default().admit(unlimited, 65_000, 1)));
    }
}
