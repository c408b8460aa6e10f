//! The texts of the files that a sandbox has of its own, byte for byte as Docker writes them.

mod forwarding;
pub mod hosts;
mod merge;
mod of_sandbox;
pub mod resolv;

pub use forwarding::{Forwarding, forwarding};
pub use merge::{keep_edited, merge_lines};
pub use of_sandbox::{HostFiles, SandboxFiles, check_extra_hosts, hostname_of, of_sandbox};

/// The text of `/etc/hostname`.
#[must_use]
pub fn hostname(hostname: &str) -> String {
    format!("{hostname}\n")
}
