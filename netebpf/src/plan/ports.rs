//! Sockets that hold published ports against other programs.

use super::Action;
use crate::kernel::{Observed, TableContents};

pub(super) fn release(wanted: &TableContents, observed: &Observed) -> Vec<Action> {
    let unwanted = observed.held.iter().filter(|key| !wanted.published.contains_key(key));
    unwanted.copied().map(Action::ReleasePort).collect()
}

pub(super) fn hold(wanted: &TableContents, observed: &Observed) -> Vec<Action> {
    let missing = wanted.published.keys().filter(|key| !observed.held.contains(key));
    missing.copied().map(Action::HoldPort).collect()
}
