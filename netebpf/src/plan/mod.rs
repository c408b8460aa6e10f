//! What has to be done so that the kernel shows what the spec asks for.

mod action;
mod display;

use crate::{
    kernel::{Observed, TableContents},
    model::Spec,
};

pub use action::{Action, Entry, Key};

/// Returns the next changes, in the order in which they must be made; empty when there is nothing to do.
#[must_use]
pub fn plan(spec: &Spec, wanted: &TableContents, observed: &Observed) -> Vec<Action> {
    todo!("{spec:?} {wanted:?} {observed:?}")
}
