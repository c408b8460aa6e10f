//! Is netebpf what Docker's users know? A real Docker Engine and netebpf get the same commands, on machines alike.
//!
//! In reading order: [`machine`] is a host with a root file system of its own inside one of the harness's network
//! namespaces, [`subject`] starts an engine there and types commands, [`script`] reads the commands from a document,
//! [`mask`] takes out what no two engines have in common, such as ids, and [`difference`] compares what is left and
//! knows which differences are meant.

pub mod machine;

pub mod subject;

pub mod script;

pub mod mask;

pub mod difference;

mod canonical;
mod cgroup;
mod mounts;
mod release;

pub use release::Release;
