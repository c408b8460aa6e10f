//! The program that runs on any distribution: linked statically, without symbols.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    build::{self, Profile},
    step,
    workspace::Workspace,
};

/// Builds it and returns its path. Of all that it is made of, only its own `main` is compiled a second time.
pub(super) fn build(workspace: &Workspace) -> Result<PathBuf> {
    build::programs(workspace, Profile::Release)?;
    let mut cargo = workspace.cargo(&["rustc", "--release", "-p", "netebpf", "--bin", "netebpf", "--"]);
    cargo.args(["-C", "target-feature=+crt-static", "-C", "strip=symbols"]);
    step::run("link netebpf statically", cargo)?;
    let directory = workspace.target().join("dist");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let (linked, program) = (workspace.target().join("release/netebpf"), directory.join("netebpf"));
    fs::copy(&linked, &program).with_context(|| format!("cannot copy {}", linked.display()))?;
    // Cargo gives both variants one name; the usual one gets it back.
    build::programs(workspace, Profile::Release)?;
    Ok(program)
}
