//! What the daemon tells its operator.

mod log;

pub use log::{FilterError, init};
