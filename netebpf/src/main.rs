//! The `netebpf` program: reads the command line, runs the command, ends with its exit code.

#![forbid(unsafe_code)]

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use netebpf::{
    cli::{self, Args},
    telemetry,
};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let line: Vec<_> = env::args_os().collect();
    let args = match cli::parse(&line) {
        Ok(args) => args,
        Err(refusal) => return refusal.tell(),
    };
    run(args).unwrap_or_else(|error| {
        // Nobody is left to tell when standard error is closed.
        drop(writeln!(io::stderr(), "Error: {error:#}"));
        ExitCode::FAILURE
    })
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init(&args.log)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let code = runtime.block_on(cli::run(args));
    // Work that cannot be interrupted must not hold up the exit.
    runtime.shutdown_background();
    Ok(code)
}
