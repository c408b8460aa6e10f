//! Sandboxes, their endpoints and their ports.

use std::{path::PathBuf, str::FromStr};

use netebpf_common::abi::Family;

use super::{
    super::{
        error::Error,
        timestamp::rfc3339,
        wire::{
            CreateSandbox, CreatedSandbox, Launch, NamedEndpoint, Port, Sandbox, SandboxEndpoint, Start,
            State, View,
        },
    },
    address, endpoint_settings,
};
use crate::{
    change::{AttachRequest, ModeRequest, SandboxRequest},
    daemon::{Place, Prepared, Settings, Starter},
    model::{
        self, DnsConfig, Endpoint, Name, PortMapping, PortRange, PublishRequest, SandboxConfig, SandboxState,
        Spec,
    },
};

/// A sandbox with its endpoints.
pub(in crate::frontend::api) fn sandbox(
    spec: &Spec,
    sandbox: &model::Sandbox,
    settings: &Settings,
) -> Sandbox {
    let endpoints = spec.joined(sandbox).map(|(endpoint, network)| {
        let shown = sandbox_endpoint(endpoint, network);
        (network.name.to_string(), shown)
    });
    let (state, pid, exit_code) = match sandbox.state {
        SandboxState::Created | SandboxState::Starting(_) => (State::Created, None, None),
        SandboxState::Running { process, .. } => (State::Running, process.map(|process| process.pid), None),
        SandboxState::Exited { code, .. } => (State::Exited, None, Some(code)),
    };
    Sandbox {
        id: sandbox.id.to_string(),
        name: sandbox.name.to_string(),
        created: rfc3339(sandbox.created),
        state,
        pid,
        exit_code,
        command: sandbox.config.command.clone(),
        ports: sandbox.ports.iter().filter_map(|mapping| port(spec, sandbox, mapping)).collect(),
        networks: endpoints.collect(),
        namespace: settings.namespace(sandbox.id).display().to_string(),
    }
}

fn sandbox_endpoint(endpoint: &Endpoint, network: &model::Network) -> SandboxEndpoint {
    let address = |family| endpoint.address(family).map(|address| address.to_string()).unwrap_or_default();
    let gateway = |family| {
        let gateway = network.pool(family).and_then(|pool| pool.gateway);
        gateway.map(|gateway| gateway.to_string()).unwrap_or_default()
    };
    let prefix = |family| network.pool(family).map_or(0, |pool| pool.subnet.prefix_len());
    SandboxEndpoint {
        network_id: network.id.to_string(),
        endpoint_id: endpoint.id.to_string(),
        gateway: gateway(Family::V4),
        ip_address: address(Family::V4),
        ip_prefix_len: prefix(Family::V4),
        ipv6_gateway: gateway(Family::V6),
        global_ipv6_address: address(Family::V6),
        global_ipv6_prefix_len: prefix(Family::V6),
        mac_address: endpoint.shown_mac(),
        interface: endpoint.interface.clone(),
    }
}

/// A mapping as it is in force: with its host ports, without them where the network is routed, or not at all.
fn port(spec: &Spec, sandbox: &model::Sandbox, mapping: &PortMapping) -> Option<Port> {
    let end = |range: PortRange| (!range.is_single()).then_some(range.last());
    let open = Port {
        ip: String::new(),
        private_port: mapping.ports.first(),
        private_port_end: end(mapping.ports),
        public_port: None,
        public_port_end: None,
        protocol: mapping.protocol.to_string(),
    };
    if spec.translated_to(sandbox, mapping).is_some() {
        let (public_port, public_port_end) = (Some(mapping.host_ports.first()), end(mapping.host_ports));
        return Some(Port { ip: mapping.host_address.to_string(), public_port, public_port_end, ..open });
    }
    spec.open_addresses(sandbox, mapping.family()).next().map(|_| open)
}

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
