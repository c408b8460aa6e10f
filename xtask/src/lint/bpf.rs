//! Clippy for the BPF programs, whose compiler usually comes without it.

use anyhow::Result;

use super::Outcome;
use crate::{step, workspace::Workspace};

/// Lets the host's clippy read the BPF programs.
pub(super) fn clippy(workspace: &Workspace) -> Result<Outcome> {
    let mut cargo =
        workspace.cargo(&["clippy", "-p", "netebpf-ebpf", "--profile", "bpf", "--", "-D", "warnings"]);
    cargo.env("RUSTC_BOOTSTRAP", "1");
    step::run("cargo clippy for the BPF programs", cargo)?;
    Ok(Outcome::Passed)
}
