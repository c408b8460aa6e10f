//! How requests reach the daemon: wire formats are converted to the model here and nowhere else.

pub mod api;
mod duration;
mod socket;

pub use duration::{Status, human_duration};
pub use socket::{Error, Socket};
