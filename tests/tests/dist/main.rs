//! What users are given: does it hold together, and does a fresh Debian take it, use it and get rid of it? Needs root.
//!
//! `cargo xtask test dist` builds it first, twice.
#![forbid(unsafe_code)]

mod contents;

mod fresh;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

/// The first of the two builds.
fn built() -> Result<PathBuf> {
    Ok(both()?.join("one"))
}

/// The directory with both builds.
fn both() -> Result<PathBuf> {
    let set = env::var_os("NETEBPF_DIST").context("nothing is built: run `cargo xtask test dist`")?;
    Ok(set.into())
}

/// The file of a build whose name ends like this.
fn file(build: &Path, end: &str) -> Result<PathBuf> {
    let files = fs::read_dir(build)?.flatten().map(|entry| entry.path());
    let mut found = files.filter(|path| path.to_string_lossy().ends_with(end));
    found.next().with_context(|| format!("no {end} in {}", build.display()))
}

/// What a command writes to its output; fails, with all it said, if the command does.
fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {}", command.get_program().display()))?;
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    if !output.status.success() {
        bail!("{command:?} ended with {}:\n{stdout}{stderr}", output.status);
    }
    Ok(stdout.into_owned())
}
