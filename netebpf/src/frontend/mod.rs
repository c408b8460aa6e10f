//! How requests reach the daemon: wire formats are converted to the model here and nowhere else.

pub mod api;
mod socket;

pub use socket::{Error, Socket};
