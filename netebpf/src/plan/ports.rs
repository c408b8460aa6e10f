//! Sockets that hold published ports against other programs.

use netebpf_common::abi::PublishBlock;

use super::Action;
use crate::kernel::{Observed, TableContents};

pub(super) fn release(wanted: &TableContents, observed: &Observed) -> Vec<Action> {
    let unwanted =
        observed.held.iter().filter(|key| !wanted.published.contains_key(&PublishBlock::single(**key)));
    unwanted.copied().map(Action::ReleasePort).collect()
}

pub(super) fn hold(wanted: &TableContents, observed: &Observed) -> Vec<Action> {
    let missing = wanted.published.keys().map(|block| block.key).filter(|key| !observed.held.contains(key));
    missing.map(Action::HoldPort).collect()
}
