//! `netebpf exec`: a further command in a running sandbox.

use std::process::ExitCode;

use super::{environment, foreground, relay::Relay};
use crate::{
    cli::{Client, Error, args::ExecArgs, client::segment},
    frontend::api::wire::{Sandbox, State},
    kernel::{
        launch::{Launch, Place, Stdio},
        process,
    },
};

pub(in crate::cli) async fn run(args: ExecArgs, client: &Client) -> Result<ExitCode, Error> {
    let environment = environment::read(&args.env_file, &args.env).map_err(Error::options("exec"))?;
    let place = place(client, &args.sandbox).await?;
    let launch = Launch { place, environment, directory: args.workdir, command: args.command };
    if args.detach {
        foreground::start(&launch, Stdio::Nothing)?;
        return Ok(ExitCode::SUCCESS);
    }
    let relay = Relay::begin().map_err(Error::Wait)?;
    let process = foreground::start(&launch, Stdio::Inherited)?;
    Ok(foreground::attend(process, relay).await?.into())
}

/// Beside the sandbox's process, or in its network namespace if it has none.
async fn place(client: &Client, reference: &str) -> Result<Place, Error> {
    let sandbox = running(client, reference).await?;
    let Some(pid) = sandbox.pid else {
        return Ok(Place::New { namespace: Some(sandbox.namespace.into()), view: None });
    };
    let process = process::identify(pid);
    // Only a process that is still the sandbox's was the one with this number a moment ago.
    let now = running(client, &sandbox.id).await?;
    match process {
        Some(process) if now.pid == Some(pid) => Ok(Place::Beside(process)),
        Some(_) | None => Err(Error::NotRunning(sandbox.id)),
    }
}

async fn running(client: &Client, reference: &str) -> Result<Sandbox, Error> {
    let sandbox: Sandbox = client.get(&format!("/netebpf/sandboxes/{}", segment(reference))).await?;
    match sandbox.state {
        State::Running => Ok(sandbox),
        State::Created | State::Exited => Err(Error::NotRunning(sandbox.id)),
    }
}
