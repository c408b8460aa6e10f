//! `netebpf run`: a command in a new sandbox, in the background or on this terminal.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use tokio::signal::unix::{SignalKind, signal};

use super::{Client, Error, Output, args::RunArgs, client};
use crate::{
    daemon,
    frontend::api::wire::{
        self, CreateSandbox, CreatedSandbox, Ended, EndpointConfig, EndpointIpamConfig, NamedEndpoint, Port,
        Start, Started,
    },
    kernel::{
        launch::{self, Launch, Place, Stdio, View},
        process,
    },
    model::{PortRange, Process, PublishRequest, Signal},
};

pub(super) async fn run(args: RunArgs, client: &Client, output: &mut Output) -> Result<ExitCode, Error> {
    let detach = args.detach;
    let created: CreatedSandbox = client.create("/netebpf/sandboxes", &body(args)).await?;
    if detach {
        output.line(created.id)?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = format!("/netebpf/sandboxes/{}", created.id);
    match start(client, &path, created.launch).await {
        Ok(process) => attend(client, &path, process).await,
        Err(error) => match client.delete(&format!("{path}?force=true")).await {
            Ok(()) => Err(error),
            Err(remains) => Err(Error::Several(vec![error, remains.into()])),
        },
    }
}

fn body(args: RunArgs) -> CreateSandbox {
    let wishes = EndpointIpamConfig {
        ipv4_address: args.ip.map(|address| address.to_string()).unwrap_or_default(),
        ipv6_address: args.ip6.map(|address| address.to_string()).unwrap_or_default(),
        link_local_ips: None,
    };
    CreateSandbox {
        name: args.name,
        networks: vec![NamedEndpoint {
            network: args.network,
            config: EndpointConfig { ipam_config: Some(wishes), ..EndpointConfig::default() },
        }],
        ports: args.publish.into_iter().map(port).collect(),
        exposed_ports: args.expose.iter().map(ToString::to_string).collect(),
        links: args.link.into_iter().map(|link| format!("{}:{}", link.sandbox, link.alias)).collect(),
        command: args.command,
        auto_remove: args.rm,
        start: Some(if args.detach {
            Start::Daemon
        } else {
            Start::Client(std::process::id().cast_signed())
        }),
        ..CreateSandbox::default()
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

fn from_wire(how: wire::Launch) -> Launch {
    let view = how.view.map(|view| View {
        hosts: view.hosts_path.into(),
        resolv_conf: view.resolv_conf_path.into(),
        hostname_file: view.hostname_path.into(),
        hostname: view.hostname,
        domainname: view.domainname,
    });
    Launch {
        place: Place::New { namespace: Some(how.namespace.into()), view },
        environment: how.environment,
        directory: how.directory.map(PathBuf::from),
        command: how.command,
    }
}

/// Starts the command on our terminal, inside the sandbox, and tells the daemon.
async fn start(client: &Client, path: &str, how: wire::Launch) -> Result<Process, Error> {
    let process = launch::start(&from_wire(how), Stdio::Inherited)
        .map_err(|error| Error::Command(daemon::Error::command(error)))?;
    if let Err(error) = client.post(&format!("{path}/started"), &Started { pid: process.pid }).await {
        process::signal(process, Signal::KILL)?;
        process::exited(process).await?;
        return Err(error.into());
    }
    Ok(process)
}

/// Passes signals on to the command until it ends, tells the daemon, and ends as the command did.
async fn attend(client: &Client, path: &str, process: Process) -> Result<ExitCode, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Wait)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Wait)?;
    let end = process::exited(process);
    tokio::pin!(end);
    let code = loop {
        tokio::select! {
            code = &mut end => break u8::try_from(code?).unwrap_or(u8::MAX),
            _ = terminate.recv() => process::signal(process, Signal::TERM)?,
            // Ctrl-C on a terminal reaches the command without us.
            _ = interrupt.recv(), if !io::stdin().is_terminal() => process::signal(process, Signal::INT)?,
        }
    };
    match client.post(&format!("{path}/ended"), &Ended { code: code.into() }).await {
        // With --rm the daemon may have seen the end first, and when there is none the next one will look.
        Ok(()) | Err(client::Error::Daemon { .. } | client::Error::NoDaemon(_)) => Ok(ExitCode::from(code)),
        Err(error) => Err(error.into()),
    }
}
