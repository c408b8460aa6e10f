//! `netebpf run`: a command in a new sandbox, in the background or on this terminal.

use std::{
    io::{self, IsTerminal as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, ExitCode, ExitStatus},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};
use tracing::debug;

use super::{Client, Error, Output, args::RunArgs, client};
use crate::{
    daemon,
    frontend::api::wire::{CreateSandbox, CreatedSandbox, Ended, Port, Started},
    kernel::process,
    model::{PortRange, PublishRequest},
};

pub(super) async fn run(args: RunArgs, client: &Client, output: &mut Output) -> Result<ExitCode, Error> {
    let detach = args.detach;
    let command = args.command.clone();
    let created: CreatedSandbox = client.create("/netebpf/sandboxes", &body(args)).await?;
    if detach {
        output.line(created.id)?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = format!("/netebpf/sandboxes/{}", created.id);
    match start(client, &path, Path::new(&created.namespace), &command).await {
        Ok(child) => attend(client, &path, child).await,
        Err(error) => match client.delete(&format!("{path}?force=true")).await {
            Ok(()) => Err(error),
            Err(remains) => Err(Error::Several(vec![error, remains.into()])),
        },
    }
}

fn body(args: RunArgs) -> CreateSandbox {
    CreateSandbox {
        name: args.name,
        network: args.network,
        ip_address: args.ip.map(|address| address.to_string()),
        ipv6_address: args.ip6.map(|address| address.to_string()),
        ports: args.publish.into_iter().map(port).collect(),
        exposed_ports: args.expose.iter().map(ToString::to_string).collect(),
        links: args.link.into_iter().map(|link| format!("{}:{}", link.sandbox, link.alias)).collect(),
        command: args.command,
        auto_remove: args.rm,
        start: args.detach,
    }
}

fn port(request: PublishRequest) -> Port {
    Port {
        ip: request.host_address.map(|address| address.to_string()).unwrap_or_default(),
        private_port: request.ports.first(),
        private_port_end: Some(request.ports.last()),
        public_port: request.host_ports.map(PortRange::first),
        public_port_end: request.host_ports.map(PortRange::last),
        protocol: request.protocol.to_string(),
    }
}

/// Starts the command on our terminal, inside the sandbox, and tells the daemon.
async fn start(client: &Client, path: &str, namespace: &Path, command: &[String]) -> Result<Child, Error> {
    let mut child = process::spawn_attached(namespace, command)
        .map_err(|error| Error::Command(daemon::Error::command(error)))?;
    let pid = child.id().cast_signed();
    if let Err(error) = client.post(&format!("{path}/started"), &Started { pid }).await {
        child.kill().and_then(|()| child.wait()).map_err(Error::Wait)?;
        return Err(error.into());
    }
    Ok(child)
}

/// Passes signals on to the command until it ends, tells the daemon, and ends as the command did.
async fn attend(client: &Client, path: &str, mut child: Child) -> Result<ExitCode, Error> {
    let pid = Pid::from_raw(child.id().cast_signed());
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Wait)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Wait)?;
    let mut end = spawn_blocking(move || child.wait());
    let status = loop {
        tokio::select! {
            status = &mut end => break status.map_err(io::Error::other).flatten().map_err(Error::Wait)?,
            _ = terminate.recv() => pass_on(pid, Signal::SIGTERM),
            // Ctrl-C on a terminal reaches the command without us.
            _ = interrupt.recv(), if !io::stdin().is_terminal() => pass_on(pid, Signal::SIGINT),
        }
    };
    let code = exit_code(status);
    match client.post(&format!("{path}/ended"), &Ended { code: code.into() }).await {
        // With --rm the daemon may have seen the end first, and when there is none the next one will look.
        Ok(()) | Err(client::Error::Daemon { .. } | client::Error::NoDaemon(_)) => Ok(ExitCode::from(code)),
        Err(error) => Err(error.into()),
    }
}

fn pass_on(pid: Pid, signal: Signal) {
    if let Err(errno) = kill(pid, signal) {
        debug!(%errno, %signal, "the command had ended before the signal came");
    }
}

/// The exit code as shells have it: the command's own, or 128 + n after signal n.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
