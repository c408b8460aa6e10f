//! Sockets that hold published ports against other programs.

use super::Action;
use crate::{compile::Wanted, kernel::Observed};

pub(super) fn release(wanted: &Wanted, observed: &Observed) -> Vec<Action> {
    observed.held.difference(&wanted.held).copied().map(Action::ReleasePort).collect()
}

pub(super) fn hold(wanted: &Wanted, observed: &Observed) -> Vec<Action> {
    wanted.held.difference(&observed.held).copied().map(Action::HoldPort).collect()
}
