//! The command line: what is typed, what is asked of the daemon for it, what is printed.
//!
//! One file per command, each with a `run`.

pub mod args;
mod cleanup;
mod client;
mod confirm;
mod daemon;
mod dns;
mod documents;
mod drops;
mod error;
mod flows;
mod follow;
mod format;
mod network;
mod plan;
mod refusal;
mod render;
mod sandbox;
mod status;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

pub use args::Args;
pub use client::Client;
pub use error::Error;
pub use refusal::{Refusal, parse};
pub use render::Output;

use args::{Command, NetworkCommand};

/// Runs a command, tells on standard error what went wrong, and returns the exit code: 0 done, 1 failed, 125 wrong flags
/// or nothing run, or what a sandbox's command ended with.
pub async fn run(args: Args) -> ExitCode {
    let mut output = Output::default();
    let result = Box::pin(dispatch(args, &mut output)).await;
    let result = output.flush().map_err(Error::from).and(result);
    match result {
        Ok(code) => code,
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.report() {
                // Nobody is left to tell when standard error is closed.
                drop(writeln!(io::stderr(), "{line}"));
            }
            error.exit_code()
        }
    }
}

async fn dispatch(args: Args, output: &mut Output) -> Result<ExitCode, Error> {
    let settings = args.settings();
    let client = Client::new(&settings);
    let done = match args.command {
        Command::Run(args) => return sandbox::run::run(*args, &client, output).await,
        Command::Exec(args) => return sandbox::exec::run(args, &client).await,
        Command::Daemon(args) => daemon::run(settings, &args, output).await,
        Command::Network(command) => dispatch_network(command, &client, output).await,
        Command::Create(args) => sandbox::create::run(*args, &client, output).await,
        Command::Attach(args) => sandbox::attach::run(*args, &client, output).await,
        Command::Ps(args) => sandbox::ps::run(&args, &client, output).await,
        Command::Start(args) => sandbox::start::run(&args, &client, output).await,
        Command::Stop(args) => sandbox::stop::run(&args, "stop", &client, output).await,
        Command::Restart(args) => sandbox::stop::run(&args, "restart", &client, output).await,
        Command::Kill(args) => sandbox::kill::run(&args, &client, output).await,
        Command::Rm(args) => sandbox::rm::run(&args, &client, output).await,
        Command::Rename(args) => sandbox::rename::run(&args, &client).await,
        Command::Wait(args) => sandbox::wait::run(&args, &client, output).await,
        Command::Inspect(args) => sandbox::inspect::run(&args, &client, output).await,
        Command::Port(args) => sandbox::port::run(&args, &client, output).await,
        Command::Logs(args) => sandbox::logs::run(&args, &client, output).await,
        Command::Top(args) => sandbox::top::run(&args, &client, output).await,
        Command::Status(args) => status::run(&args, &client, output).await,
        Command::Drops(args) => drops::run(&args, &client, output).await,
        Command::Flows(args) => flows::run(&args, &client, output).await,
        Command::Dns(command) => dns::run(command, &client, output).await,
        Command::Plan(args) => plan::run(&args, &client, output).await,
        Command::Cleanup(args) => cleanup::run(&args, &settings, output).await,
        Command::Completions { shell } => documents::completions(shell, output),
        Command::Man => documents::manual(output),
    };
    done.map(|()| ExitCode::SUCCESS)
}

async fn dispatch_network(
    command: NetworkCommand,
    client: &Client,
    output: &mut Output,
) -> Result<(), Error> {
    match command {
        NetworkCommand::Create(args) => network::create::run(*args, client, output).await,
        NetworkCommand::Ls(args) => network::ls::run(&args, client, output).await,
        NetworkCommand::Inspect(args) => network::inspect::run(&args, client, output).await,
        NetworkCommand::Rm(args) => network::rm::run(&args, client, output).await,
        NetworkCommand::Prune(args) => network::prune::run(&args, client, output).await,
        NetworkCommand::Connect(args) => network::connect::run(*args, client).await,
        NetworkCommand::Disconnect(args) => network::disconnect::run(args, client).await,
    }
}
