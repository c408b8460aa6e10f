//! Sockets that hold published ports against other programs.

use netebpf_common::abi::Family;

use super::Action;
use crate::{compile::Wanted, kernel::Observed};

pub(super) fn release(wanted: &Wanted, observed: &Observed) -> Vec<Action> {
    observed.held.difference(&wanted.held).copied().map(Action::ReleasePort).collect()
}

/// IPv4 first, so that of a port that is taken on both IP versions the error names the address that users know.
pub(super) fn hold(wanted: &Wanted, observed: &Observed) -> Vec<Action> {
    let missing = wanted.held.difference(&observed.held).copied();
    let (v4, v6): (Vec<_>, Vec<_>) = missing.partition(|key| key.address.family() == Family::V4);
    v4.into_iter().chain(v6).map(Action::HoldPort).collect()
}
