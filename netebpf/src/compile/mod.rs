//! Which table contents the spec asks for, given the links that are there.

use crate::{
    kernel::{Observed, TableContents},
    model::Spec,
};

/// Returns the contents that the tables should have; entries whose links are not there yet are left out.
#[must_use]
pub fn compile(spec: &Spec, observed: &Observed) -> TableContents {
    todo!("{spec:?} {observed:?}")
}
