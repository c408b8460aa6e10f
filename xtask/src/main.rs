//! `cargo xtask`: everything that a contributor or a CI machine does with this repository.

#![forbid(unsafe_code)]

mod build;
mod dist;
mod lint;
mod run;
mod setup;
mod step;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Tasks of the netebpf workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Finds, or installs, what the BPF programs need to be built
    Setup(setup::Args),
    /// Builds the BPF programs and the `netebpf` program that contains them
    Build(build::Args),
    /// Runs the demo on real packets; with arguments, runs `netebpf` with them
    Run(run::Args),
    /// Runs the tests, all layers or the named ones
    Test(test::Args),
    /// Checks formatting, lints, documentation and the rules of this repository
    Lint,
    /// Packs a static program into an archive and a Debian package
    Dist(dist::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let workspace = Workspace::locate();
    let done = match cli.task {
        Task::Setup(args) => setup::run(&workspace, &args),
        Task::Build(args) => build::run(&workspace, &args),
        Task::Run(args) => run::run(&workspace, &args),
        Task::Test(args) => test::run(&workspace, &args),
        Task::Lint => lint::run(&workspace),
        Task::Dist(args) => dist::run(&workspace, &args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::say(&format!("Error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
