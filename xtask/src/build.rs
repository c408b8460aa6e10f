//! `cargo xtask build`: first the BPF object, then the programs that contain it.

use std::fs;

use anyhow::{Context, Result};

use crate::{
    setup::{self, Toolchain},
    step,
    workspace::Workspace,
};

/// What the user typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Optimise `netebpf`; the BPF programs always are
    #[arg(long)]
    release: bool,
}

/// How `netebpf` is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// Quick to run.
    Release,
}

/// Builds what the user asked for.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    programs(workspace, if args.release { Profile::Release } else { Profile::Dev })
}

/// Builds `netebpf` and the demo, with the BPF object inside; sets the machine up if it has to.
pub(crate) fn programs(workspace: &Workspace, profile: Profile) -> Result<()> {
    object(workspace, &setup::toolchain(workspace)?)?;
    let mut cargo = workspace.cargo(&["build", "-p", "netebpf", "-p", "netebpf-tests"]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    step::run("build netebpf", cargo).map(drop)
}

fn object(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    let scratch = workspace.target().join("bpf-build");
    let mut cargo = toolchain.compiler.cargo(workspace, "build");
    cargo.args(["-p", "netebpf-ebpf", "--profile", "bpf", "--target-dir"]).arg(&scratch);
    cargo.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &toolchain.linker.path);
    step::run("build the BPF object", cargo)?;
    let built = scratch.join(setup::TARGET).join("bpf/netebpf-ebpf");
    publish(&built, &workspace.bpf_object())
}

/// Copies the object only if it differs, so that an unchanged one makes cargo rebuild nothing.
fn publish(built: &std::path::Path, object: &std::path::Path) -> Result<()> {
    let bytes = fs::read(built).with_context(|| format!("cannot read {}", built.display()))?;
    if fs::read(object).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    if let Some(folder) = object.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    // Another build may read the object right now: it sees the old one or the new one.
    let unfinished = object.with_extension("unfinished");
    fs::write(&unfinished, bytes).with_context(|| format!("cannot write {}", unfinished.display()))?;
    fs::rename(&unfinished, object).with_context(|| format!("cannot replace {}", object.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_object_keeps_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (built, object) = (folder.path().join("built"), folder.path().join("bpf/netebpf.o"));
        fs::write(&built, "one").unwrap();
        publish(&built, &object).unwrap();
        let written = fs::metadata(&object).unwrap().modified().unwrap();
        publish(&built, &object).unwrap();
        assert_eq!(fs::metadata(&object).unwrap().modified().unwrap(), written);
        fs::write(&built, "two").unwrap();
        publish(&built, &object).unwrap();
        assert_eq!(fs::read(&object).unwrap(), b"two");
    }
}
