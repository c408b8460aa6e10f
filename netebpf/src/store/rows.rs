//! One table of what is stored, with a sum that changes with each row of it.

use std::collections::BTreeMap;

use super::contents::{SEED, fnv};

/// Rows to be written, and `None` for those to be removed.
pub(super) type Patch = BTreeMap<[u8; 32], Option<Vec<u8>>>;

/// Rows by identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    rows: BTreeMap<[u8; 32], Vec<u8>>,
    /// Of the digests of all rows, so that a change of one does not take a look at the others.
    sum: u64,
}

impl Rows {
    /// All rows, by identifier.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8; 32], &[u8])> {
        self.rows.iter().map(|(id, row)| (id, row.as_slice()))
    }

    /// The sum over all rows.
    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }

    /// The sum after a change.
    pub(super) fn sum_after(&self, patch: &Patch) -> u64 {
        patch.iter().fold(self.sum, |sum, (id, row)| {
            let before = self.rows.get(id).map_or(0, |row| digest(id, row));
            let after = row.as_ref().map_or(0, |row| digest(id, row));
            sum.wrapping_sub(before).wrapping_add(after)
        })
    }

    /// Makes a change.
    pub(super) fn apply(&mut self, patch: Patch) {
        self.sum = self.sum_after(&patch);
        for (id, row) in patch {
            match row {
                Some(row) => drop(self.rows.insert(id, row)),
                None => drop(self.rows.remove(&id)),
            }
        }
    }

    /// The change that makes all of them.
    pub(super) fn all(&self) -> Patch {
        self.rows.iter().map(|(id, row)| (*id, Some(row.clone()))).collect()
    }
}

impl FromIterator<([u8; 32], Vec<u8>)> for Rows {
    fn from_iter<I: IntoIterator<Item = ([u8; 32], Vec<u8>)>>(rows: I) -> Self {
        let mut made = Self::default();
        made.apply(rows.into_iter().map(|(id, row)| (id, Some(row))).collect());
        made
    }
}

fn digest(id: &[u8; 32], row: &[u8]) -> u64 {
    fnv(SEED, id.iter().chain(row).copied())
}
