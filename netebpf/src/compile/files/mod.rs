//! The texts of the files that a sandbox has of its own, byte for byte as Docker writes them.

pub mod hosts;
mod merge;
pub mod resolv;

pub use merge::{keep_edited, merge_lines};

/// The text of `/etc/hostname`.
#[must_use]
pub fn hostname(hostname: &str) -> String {
    format!("{hostname}\n")
}
