//! `netebpf run`: a command in a new sandbox, in the background or on this terminal.

use std::{path::PathBuf, process::ExitCode};

use super::{foreground, relay::Relay, request, warn_of};
use crate::{
    cli::{Client, Error, Output, args::RunArgs, client},
    frontend::api::wire::{self, CreatedSandbox, Ended, Start, Started},
    kernel::{
        launch::{Launch, Place, Stdio, View},
        process,
    },
    model::{Process, Signal},
};

pub(in crate::cli) async fn run(
    args: RunArgs,
    client: &Client,
    output: &mut Output,
) -> Result<ExitCode, Error> {
    let is_detached = args.detach;
    let mut body = request::with_command(args.sandbox).map_err(Error::options("run"))?;
    body.start =
        Some(if is_detached { Start::Daemon } else { Start::Client(std::process::id().cast_signed()) });
    let created: Result<CreatedSandbox, _> = client.create("/netebpf/sandboxes", &body).await;
    let created = created.map_err(|error| Error::NotRun(Box::new(error.into())))?;
    warn_of(&created)?;
    if is_detached {
        output.line(created.id)?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = format!("/netebpf/sandboxes/{}", created.id);
    let relay = Relay::begin().map_err(Error::Wait)?;
    match start(client, &path, &launch(created.launch)).await {
        Ok(process) => finish(client, &path, foreground::attend(process, relay).await?).await,
        Err(error) => {
            let removed = client.delete(&format!("{path}?force=true")).await;
            let mut errors = vec![error];
            errors.extend(removed.err().filter(|error| !error.is_not_found()).map(Error::from));
            Err(Error::NotRun(Box::new(Error::one_of(errors))))
        }
    }
}

fn launch(wanted: wire::Launch) -> Launch {
    let wire::Launch { namespace, view, environment, directory, command } = wanted;
    let view = view.map(|view| View {
        hosts: view.hosts_path.into(),
        resolv_conf: view.resolv_conf_path.into(),
        hostname_file: view.hostname_path.into(),
        hostname: view.hostname,
        domainname: view.domainname,
    });
    Launch {
        place: Place::New { namespace: Some(namespace.into()), view },
        environment,
        directory: directory.map(PathBuf::from),
        command,
    }
}

/// Starts the command on our terminal, inside the sandbox, and tells the daemon.
async fn start(client: &Client, path: &str, launch: &Launch) -> Result<Process, Error> {
    let process = foreground::start(launch, Stdio::Inherited)?;
    if let Err(error) = client.post(&format!("{path}/started"), &Started { pid: process.pid }).await {
        process::signal(process, Signal::KILL)?;
        process::exited(process).await?;
        return Err(error.into());
    }
    Ok(process)
}

/// Tells the daemon how the command has ended, and ends the same way.
async fn finish(client: &Client, path: &str, code: u8) -> Result<ExitCode, Error> {
    match client.post(&format!("{path}/ended"), &Ended { code: code.into() }).await {
        // With --rm the daemon may have seen the end first, and when there is none the next one will look.
        Ok(()) | Err(client::Error::Daemon { .. } | client::Error::NoDaemon(_)) => Ok(ExitCode::from(code)),
        Err(error) => Err(error.into()),
    }
}
