//! What is asked of a new sandbox, and how its command is started.

use std::{path::PathBuf, str::FromStr};

use super::{
    super::{
        error::Error,
        wire::{CreateSandbox, CreatedSandbox, Launch, NamedEndpoint, Port, Start, View},
    },
    address, endpoint_settings,
};
use crate::{
    change::{AttachRequest, ModeRequest, SandboxRequest},
    daemon::{Place, Prepared, Starter},
    model::{DnsConfig, Name, PortRange, PublishRequest, SandboxConfig},
};

/// What a client wants of a new sandbox.
pub(in crate::frontend::api) fn sandbox_request(body: CreateSandbox) -> Result<SandboxRequest, Error> {
    let name = (!body.name.is_empty()).then(|| Name::of_sandbox(&body.name)).transpose()?;
    let exposed = body.exposed_ports.iter().map(|text| text.parse());
    let links = body.links.iter().map(|text| text.parse());
    let networks = body.networks.into_iter().map(|NamedEndpoint { network, config }| {
        Ok::<_, Error>(AttachRequest { network, settings: endpoint_settings(config)? })
    });
    let mode = match (body.share_with, body.adopt) {
        (Some(_), Some(_)) => return Err(Error::Unsupported("adopting a namespace and sharing another one")),
        (Some(donor), None) => ModeRequest::Container(donor),
        (None, Some(path)) => ModeRequest::Adopted(path),
        (None, None) => ModeRequest::Own,
    };
    let config = SandboxConfig {
        command: body.command,
        environment: body.environment,
        directory: body.directory,
        hostname: optional(&body.hostname)?,
        domainname: optional(&body.domainname)?,
        dns: DnsConfig {
            servers: all(&body.dns)?,
            search: all(&body.dns_search)?,
            options: body.dns_options,
        },
        extra_hosts: all(&body.extra_hosts)?,
        publish: body.ports.iter().map(publish_request).collect::<Result<_, _>>()?,
        publish_all: body.publish_all_ports,
        exposed: exposed.collect::<Result<_, _>>()?,
        auto_remove: body.auto_remove,
        labels: body.labels,
    };
    let networks = networks.collect::<Result<_, _>>()?;
    Ok(SandboxRequest { name, mode, networks, links: links.collect::<Result<_, _>>()?, config })
}

/// Who starts a command.
pub(in crate::frontend::api) const fn starter(start: Start) -> Starter {
    match start {
        Start::Daemon => Starter::Daemon,
        Start::Client(pid) => Starter::Client(pid),
        Start::Nobody(pid) => Starter::Nobody(pid),
    }
}

fn optional<T: FromStr>(text: &str) -> Result<Option<T>, Error>
where
    Error: From<T::Err>,
{
    if text.is_empty() { Ok(None) } else { Ok(Some(text.parse()?)) }
}

fn all<T: FromStr>(texts: &[String]) -> Result<Vec<T>, Error>
where
    Error: From<T::Err>,
{
    texts.iter().map(|text| Ok(text.parse()?)).collect()
}

/// How a client starts the command of a sandbox.
pub(in crate::frontend::api) fn created_sandbox(prepared: Prepared) -> CreatedSandbox {
    let Prepared { id, launch, warnings } = prepared;
    let (namespace, view) = match launch.place {
        Place::New { namespace, view } => (namespace, view),
        Place::Beside(process) => (Some(format!("/proc/{}/ns/net", process.pid).into()), None),
    };
    let text = |path: PathBuf| path.display().to_string();
    let view = view.map(|view| View {
        hosts_path: text(view.hosts),
        resolv_conf_path: text(view.resolv_conf),
        hostname_path: text(view.hostname_file),
        hostname: view.hostname,
        domainname: view.domainname,
    });
    let launch = Launch {
        namespace: namespace.map(text).unwrap_or_default(),
        view,
        environment: launch.environment,
        directory: launch.directory.map(text),
        command: launch.command,
    };
    CreatedSandbox { id: id.to_string(), launch, warnings }
}

fn publish_request(port: &Port) -> Result<PublishRequest, Error> {
    let range = |first, end: Option<u16>| {
        let last = end.unwrap_or(first);
        PortRange::new(first, last).ok_or(Error::PortRange { first, last })
    };
    let host_ports = port.public_port.map(|first| range(first, port.public_port_end)).transpose()?;
    let ports = range(port.private_port, port.private_port_end)?;
    Ok(PublishRequest::new(address(&port.ip)?, host_ports, ports, port.protocol.parse()?)?)
}
