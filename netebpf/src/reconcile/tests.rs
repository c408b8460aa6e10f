//! Reconciling on the fake kernel.
