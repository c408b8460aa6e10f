//! The kernel as the reconciler sees it: it can be read, and it performs actions.

mod observed;

use crate::plan::Action;

pub use observed::{Interface, Link, LinkRole, Namespace, Observed, Owner, TableContents};

/// What the reconciler asks of a kernel, a real or a fake one.
pub trait Kernel {
    /// Why the kernel could not be read or changed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Reads the present state; changes nothing.
    fn observe(&mut self) -> impl Future<Output = Result<Observed, Self::Error>> + Send;

    /// Performs one change; repeating it is harmless.
    fn apply(&mut self, action: &Action) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
