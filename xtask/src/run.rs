//! `cargo xtask run`: builds, then becomes the demo, or `netebpf` when there are arguments.

use std::{ffi::OsString, os::unix::process::CommandExt};

use anyhow::{Error, Result, bail};

use crate::{
    build::{self, Profile},
    setup, step,
    workspace::{self, Workspace},
};

/// What the user typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Arguments for `netebpf`; without any, the demo runs
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<OsString>,
}

/// Builds and runs; returns only if it cannot.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let demo = args.arguments.is_empty();
    if demo && !workspace::is_root() {
        bail!("the demo makes network namespaces and needs root: run it with sudo, or as root");
    }
    build::programs(workspace, Profile::Release)?;
    if demo {
        setup::comparison(workspace)?;
    }
    let name = if demo { "netebpf-demo" } else { "netebpf" };
    let mut program = workspace.command(workspace.target().join("release").join(name));
    program.args(&args.arguments);
    if let Ok(here) = std::env::current_dir() {
        program.current_dir(here);
    }
    // Becoming the program leaves signals, the terminal and the exit code to it alone.
    let failure = program.exec();
    Err(Error::new(failure).context(format!("cannot start `{}`", step::display(&program))))
}
