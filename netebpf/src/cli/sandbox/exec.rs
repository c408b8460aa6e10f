//! `netebpf exec`: a further command in a running sandbox.

use std::{path::PathBuf, process::ExitCode};

use super::{environment, foreground, relay::Relay};
use crate::{
    cli::{Client, Error, args::ExecArgs, client::segment},
    frontend::api::wire::Container,
    kernel::{
        launch::{Launch, Place, Stdio},
        process,
    },
};

pub(in crate::cli) async fn run(args: ExecArgs, client: &Client) -> Result<ExitCode, Error> {
    let changes = environment::read(&args.env_file, &args.env).map_err(Error::options("exec"))?;
    let (container, place) = find(client, &args.sandbox).await?;
    let mut environment = own_environment(&container);
    environment.extend(changes);
    if args.detach {
        environment.extend(container.id.parse().ok().map(process::mark));
    }
    let own_directory = Some(container.config.working_dir).filter(|directory| !directory.is_empty());
    let directory = args.workdir.filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.or(own_directory.map(PathBuf::from));
    let launch = Launch { place, environment, directory, command: args.command };
    if args.detach {
        foreground::start(&launch, Stdio::Nothing)?;
        return Ok(ExitCode::SUCCESS);
    }
    let relay = Relay::begin().map_err(Error::Wait)?;
    let process = foreground::start(&launch, Stdio::Inherited)?;
    Ok(foreground::attend(process, relay).await?.into())
}

/// What the sandbox's own command was given.
fn own_environment(container: &Container) -> Vec<String> {
    let config = &container.config;
    // In a namespace that others made, the names are theirs.
    let is_adopted = config.cmd.is_none();
    let hostname = (!is_adopted).then(|| format!("HOSTNAME={}", config.hostname));
    hostname.into_iter().chain(config.env.iter().flatten().cloned()).collect()
}

/// Beside the sandbox's process, or in its network namespace if it has none.
async fn find(client: &Client, reference: &str) -> Result<(Container, Place), Error> {
    let container = running(client, reference).await?;
    let pid = container.state.pid;
    if pid == 0 {
        let namespace = PathBuf::from(&container.network_settings.sandbox_key);
        return Ok((container, Place::New { namespace: Some(namespace), view: None }));
    }
    let process = process::identify(pid);
    // Only a process that is still the sandbox's was the one with this number a moment ago.
    let container = running(client, &container.id).await?;
    match process {
        Some(process) if container.state.pid == pid => Ok((container, Place::Beside(process))),
        Some(_) | None => Err(Error::NotRunning(container.id)),
    }
}

async fn running(client: &Client, reference: &str) -> Result<Container, Error> {
    let container: Container = client.get(&format!("/containers/{}/json", segment(reference))).await?;
    if container.state.running { Ok(container) } else { Err(Error::NotRunning(container.id)) }
}
