//! Which parts of what was read of the kernel may be out of date.

use std::{collections::BTreeSet, mem};

/// Parts of one kind that have to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doubt<T> {
    /// All there are, and those not known yet.
    Everything,
    /// These.
    Of(BTreeSet<T>),
}

impl<T: Ord> Doubt<T> {
    /// No doubt at all.
    pub(super) const fn none() -> Self {
        Self::Of(BTreeSet::new())
    }

    /// Adds one part.
    pub(super) fn add(&mut self, part: T) {
        match self {
            Self::Everything => {}
            Self::Of(parts) => drop(parts.insert(part)),
        }
    }

    /// Adds what another one doubts.
    pub(super) fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Of(parts), Self::Of(others)) => parts.extend(others),
            (doubt, Self::Everything) => *doubt = Self::Everything,
            (Self::Everything, Self::Of(_)) => {}
        }
    }

    /// Hands over what is doubted; what is read meanwhile is not.
    pub(super) fn take(&mut self) -> Self {
        mem::replace(self, Self::none())
    }
}

#[cfg(test)]
mod tests {
    use super::Doubt;

    #[test]
    fn doubts_add_up_until_they_are_taken() {
        let mut doubt = Doubt::none();
        doubt.add(1);
        doubt.merge(Doubt::Of([2, 3].into()));
        assert_eq!(doubt.take(), Doubt::Of([1, 2, 3].into()));
        assert_eq!(doubt.take(), Doubt::none());
        doubt.merge(Doubt::Everything);
        doubt.add(1);
        doubt.merge(Doubt::Of([2].into()));
        assert_eq!(doubt.take(), Doubt::Everything);
    }
}
