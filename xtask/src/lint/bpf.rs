//! Clippy for the BPF programs.
//!
//! Their own compiler usually comes without clippy; the host's reads them as programs of the host, which needs no
//! code to be generated.

use anyhow::Result;

use super::Outcome;
use crate::{step, workspace::Workspace};

/// Lints that are wrong about BPF programs: the verifier must see one function, and an entry point's signature is
/// given by aya.
const WRONG_HERE: &[&str] = &["clippy::inline_always", "clippy::needless_pass_by_value"];

/// Lets the host's clippy read the BPF programs.
pub(super) fn clippy(workspace: &Workspace) -> Result<Outcome> {
    let mut cargo =
        workspace.cargo(&["clippy", "-p", "netebpf-ebpf", "--profile", "bpf", "--", "-D", "warnings"]);
    cargo.args(WRONG_HERE.iter().flat_map(|lint| ["-A", lint]));
    // aya-ebpf uses an experimental feature of the compiler.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    step::run("cargo clippy for the BPF programs", cargo)?;
    Ok(Outcome::Passed)
}
