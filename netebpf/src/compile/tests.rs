//! Table contents for small specs.
