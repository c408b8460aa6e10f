//! The kernel as the reconciler sees it: it can be read, and it performs actions.

mod addresses;
mod bpf;
pub mod cleanup;
mod diagnosis;
mod digest;
mod doubt;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod features;
mod forwarding;
pub mod launch;
mod links;
mod linux;
mod machine;
mod mounts;
pub mod namespaces;
mod netlink;
mod observed;
mod ownership;
mod ports;
mod privileges;
pub mod process;
mod reading;
mod relay;
pub mod resolver;
mod routes;
mod sandboxes;
mod settings;
mod stale;
mod sysctl;
#[cfg(test)]
mod tests;
pub mod watch;

use crate::plan::Action;

pub use bpf::{Abi, AttachMode, ProgramStatus, TableSize, drops, events, flows, names};
pub use error::{Error, MapLayout};
pub use features::{FeatureStatus, boot, hostname, release as kernel_release};
pub use links::index_of as link_index;
pub use links::name_of as link_name;
pub use linux::{LinuxKernel, OBJECT};
pub use machine::Machine;
pub use observed::{Interface, Link, LinkRole, Namespace, Observed, Owner, TableContents};
pub use privileges::{check as check_privileges, file_limit};
pub use settings::Settings;

/// What the reconciler asks of a kernel, a real or a fake one.
pub trait Kernel {
    /// Why the kernel could not be read or changed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Reads the present state; changes nothing. What cannot have changed since the last time need not be read again.
    fn observe(&mut self) -> impl Future<Output = Result<&Observed, Self::Error>> + Send;

    /// A number that stays the same as long as nothing is done and observations show nothing new; `None` if nobody counts.
    fn revision(&self) -> Option<u64>;

    /// Trusts nothing that was read before: the next observation reads the kernel itself.
    fn distrust(&mut self);

    /// Performs one change; repeating it is harmless.
    fn apply(&mut self, action: &Action) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
