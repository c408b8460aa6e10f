//! `cargo xtask dist`: what is given to users, an archive and a Debian package, both around one static program.
//!
//! The same commit gives the same bytes on the same machine: files are sorted, root's, and as old as the commit.

mod archive;
mod debian;
mod documents;
mod program;
mod tree;

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};

use crate::{step::say, workspace::Workspace};

/// What the user typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the archive and the package go; by default target/dist
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What is in a release, and how it is called.
#[derive(Debug)]
struct Release {
    /// The static program.
    program: PathBuf,
    /// The workspace's version.
    version: String,
    /// Debian's name of the processor's architecture.
    architecture: &'static str,
    /// The time that all files get, as all of them follow from one commit.
    time: SystemTime,
}

/// Builds everything that users are given.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let here = env::current_dir()?;
    let out = args.out.as_ref().map_or_else(|| workspace.target().join("dist"), |out| here.join(out));
    for file in build(workspace, &out)? {
        say(&format!("{}", file.display()));
    }
    Ok(())
}

/// Builds everything twice, for a test that compares; returns the directory that holds `one` and `two`.
pub(crate) fn twice(workspace: &Workspace) -> Result<PathBuf> {
    let out = workspace.target().join("dist/test");
    for name in ["one", "two"] {
        build(workspace, &out.join(name))?;
    }
    Ok(out)
}

/// Builds the archive and the package into a directory and returns their paths.
pub(crate) fn build(workspace: &Workspace, out: &Path) -> Result<[PathBuf; 2]> {
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let release = Release {
        program: program::build(workspace)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        architecture: architecture(),
        time: time(workspace)?,
    };
    Ok([archive::pack(workspace, &release, out)?, debian::pack(workspace, &release, out)?])
}

/// Debian's name for what this machine, and so the program, runs on.
fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// What `SOURCE_DATE_EPOCH` says (<https://reproducible-builds.org/specs/source-date-epoch/>), else the last commit.
fn time(workspace: &Workspace) -> Result<SystemTime> {
    const VARIABLE: &str = "SOURCE_DATE_EPOCH";
    let seconds = if let Ok(set) = env::var(VARIABLE) {
        set
    } else {
        let mut git = workspace.command("git");
        git.args(["log", "-1", "--format=%ct"]);
        let output = git.output().context("cannot start git")?;
        String::from_utf8(output.stdout)?
    };
    let seconds = seconds.trim().parse().with_context(|| {
        format!("no time for the files: set {VARIABLE} to seconds since 1970, or build in a clone of the repository")
    })?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

impl Release {
    /// The time in seconds since 1970.
    fn seconds(&self) -> Result<u64> {
        Ok(self.time.duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
    }
}
