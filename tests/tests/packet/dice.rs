//! Random choices that can be repeated: a run prints its seed, and `NETEBPF_SEED` sets it.

use std::{env, time::SystemTime};

/// A small generator (xorshift64*, Vigna 2016); good enough to choose test packets.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// A generator that makes the same choices for the same seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The seed of this run.
    pub(crate) fn seed() -> u64 {
        let now =
            || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |time| time.as_secs());
        env::var("NETEBPF_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(now)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A byte.
    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}
