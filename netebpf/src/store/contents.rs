//! What is stored: two tables of rows and a few numbers, and what tells one state of them from the next.

use std::collections::BTreeMap;

/// Rows by identifier.
pub(super) type Rows = BTreeMap<[u8; 32], Vec<u8>>;

/// Rows to be written, and `None` for those to be removed.
pub(super) type Patch = BTreeMap<[u8; 32], Option<Vec<u8>>>;

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

impl Contents {
    /// What has to be done to `before` to come here.
    pub(super) fn since(&self, before: &Self) -> Changes {
        let is_new = |(name, number): &(&String, &u64)| before.numbers.get(*name) != Some(*number);
        let numbers = self.numbers.iter().filter(is_new).map(|(name, number)| (name.clone(), *number));
        Changes {
            numbers: numbers.collect(),
            networks: patch(&before.networks, &self.networks),
            sandboxes: patch(&before.sandboxes, &self.sandboxes),
        }
    }

    /// Does what one commit did.
    pub(super) fn apply(&mut self, changes: Changes) {
        self.generation += 1;
        self.numbers.extend(changes.numbers);
        for (rows, patch) in
            [(&mut self.networks, changes.networks), (&mut self.sandboxes, changes.sandboxes)]
        {
            for (id, row) in patch {
                match row {
                    Some(row) => drop(rows.insert(id, row)),
                    None => drop(rows.remove(&id)),
                }
            }
        }
    }

    /// FNV-1a over all of it.
    pub(super) fn digest(&self) -> u64 {
        let numbers = self
            .numbers
            .iter()
            .flat_map(|(name, number)| name.bytes().chain(number.to_le_bytes()).collect::<Vec<_>>());
        let rows = self.networks.iter().chain(&self.sandboxes);
        let rows = rows.flat_map(|(id, row)| id.iter().chain(row).copied());
        fnv(SEED, self.generation.to_le_bytes().into_iter().chain(numbers).chain(rows))
    }
}

impl Changes {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.networks.is_empty() && self.sandboxes.is_empty()
    }
}

fn patch(before: &Rows, after: &Rows) -> Patch {
    let removed = before.keys().filter(|id| !after.contains_key(*id)).map(|id| (*id, None));
    let written = after.iter().filter(|(id, row)| before.get(*id) != Some(*row));
    removed.chain(written.map(|(id, row)| (*id, Some(row.clone())))).collect()
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
        contents.since(&Contents::default())
    }
}
