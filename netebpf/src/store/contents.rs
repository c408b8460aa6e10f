//! What is stored: two tables of rows and a few numbers, and what tells one state of them from the next.

use std::collections::BTreeMap;

use super::rows::{Patch, Rows};

/// Everything that is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// How many commits led here.
    pub(super) generation: u64,
    /// What tells this engine from others, and one boot of its host from the next.
    pub(super) numbers: BTreeMap<String, u64>,
    /// The networks.
    pub(super) networks: Rows,
    /// The sandboxes.
    pub(super) sandboxes: Rows,
}

/// What one commit changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Numbers that are set; none is ever removed.
    pub(super) numbers: BTreeMap<String, u64>,
    /// What happens to the table of networks.
    pub(super) networks: Patch,
    /// What happens to the table of sandboxes.
    pub(super) sandboxes: Patch,
}

/// What a state says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// How many commits led here.
    pub(super) generation: u64,
    /// Of all of it.
    pub(super) digest: u64,
}

impl Contents {
    /// Does what one commit did.
    pub(super) fn apply(&mut self, changes: Changes) {
        self.generation += 1;
        self.numbers.extend(changes.numbers);
        self.networks.apply(changes.networks);
        self.sandboxes.apply(changes.sandboxes);
    }

    /// The stamp of this state.
    pub(super) fn stamp(&self) -> Stamp {
        stamp(self.generation, &self.numbers, [self.networks.sum(), self.sandboxes.sum()])
    }

    /// The stamp of the state that one more commit leads to; it takes as long as what changes.
    pub(super) fn stamp_after(&self, changes: &Changes) -> Stamp {
        let mut numbers = self.numbers.clone();
        numbers.extend(changes.numbers.clone());
        let sums = [self.networks.sum_after(&changes.networks), self.sandboxes.sum_after(&changes.sandboxes)];
        stamp(self.generation + 1, &numbers, sums)
    }
}

impl Changes {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.networks.is_empty() && self.sandboxes.is_empty()
    }
}

fn stamp(generation: u64, numbers: &BTreeMap<String, u64>, sums: [u64; 2]) -> Stamp {
    let named = numbers.iter().flat_map(|(name, number)| name.bytes().chain(number.to_le_bytes()));
    let sums = sums.into_iter().flat_map(u64::to_le_bytes);
    let digest = fnv(SEED, generation.to_le_bytes().into_iter().chain(named).chain(sums));
    Stamp { generation, digest }
}

/// What a digest begins with.
pub(super) const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a over bytes, going on from the digest of those before. One changed byte always changes it.
pub(super) fn fnv(seed: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |digest: u64, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.into_iter().fold(seed, step)
}

/// Everything in one change, for a file that begins.
impl From<&Contents> for Changes {
    fn from(contents: &Contents) -> Self {
        Self {
            numbers: contents.numbers.clone(),
            networks: contents.networks.all(),
            sandboxes: contents.sandboxes.all(),
        }
    }
}
