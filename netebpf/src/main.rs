//! The `netebpf` program: reads the command line, runs the command, turns the result into an exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use netebpf::{
    cli::{self, Args},
    telemetry,
};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            cli::report(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init(&args.log)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let result = runtime.block_on(cli::run(args));
    // Blocking reads of standard input or of a child's end must not hold up the exit.
    runtime.shutdown_background();
    Ok(result?)
}
