//! Plans for small specs.
