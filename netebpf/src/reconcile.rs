//! Drives a kernel to what the spec asks for.

use crate::{kernel::Kernel, model::Spec, plan::Action};

/// What a reconcile did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The changes, in order.
    pub applied: Vec<Action>,
}

/// Why the kernel is not as the spec asks.
#[derive(Debug, thiserror::Error)]
pub enum Error<E: std::error::Error + 'static> {
    /// The kernel's state could not be read.
    #[error("cannot read the state of the kernel")]
    Observe(#[source] E),
    /// Changes failed; everything that does not depend on them was done.
    #[error("cannot {action}: {source}")]
    Apply {
        /// The first change that failed.
        action: Box<Action>,
        /// Why.
        source: E,
        /// The other changes that failed.
        others: Vec<Action>,
    },
    /// The kernel does not keep what it is given.
    #[error("the kernel's state does not settle; still to do: {0:?}")]
    Unsettled(Vec<Action>),
}

/// Observes, plans and applies until there is nothing left to do.
pub async fn reconcile<K: Kernel>(kernel: &mut K, spec: &Spec) -> Result<Report, Error<K::Error>> {
    kernel.observe().await.map_err(Error::Observe)?;
    todo!("{spec:?}")
}

/// Returns what a reconcile would change first; later changes may depend on links that are not there yet.
pub async fn preview<K: Kernel>(kernel: &mut K, spec: &Spec) -> Result<Vec<Action>, K::Error> {
    kernel.observe().await?;
    todo!("{spec:?}")
}
