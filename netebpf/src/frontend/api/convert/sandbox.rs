//! Sandboxes, their endpoints and their ports.

use netebpf_common::abi::Family;

use super::{
    super::{
        error::Error,
        timestamp::rfc3339,
        wire::{CreateSandbox, EndpointConfig, Port, Sandbox, SandboxEndpoint, State},
    },
    address,
};
use crate::{
    change::{AddressWishes, SandboxRequest},
    daemon::Settings,
    model::{self, Endpoint, Name, PortMapping, PortRange, PublishRequest, SandboxState, Spec},
};

/// The addresses that a client wishes for an endpoint.
pub(in crate::frontend::api) fn endpoint_addresses(
    config: Option<EndpointConfig>,
) -> Result<AddressWishes, Error> {
    let wishes = config.and_then(|config| config.ipam_config).unwrap_or_default();
    Ok(AddressWishes { v4: address(&wishes.ipv4_address)?, v6: address(&wishes.ipv6_address)? })
}

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
        SandboxState::Created => (State::Created, None, None),
        SandboxState::Running(process) => (State::Running, Some(process.pid), None),
        SandboxState::Exited(code) => (State::Exited, None, Some(code)),
    };
    let ports = sandbox.ports.iter().filter(|_| sandbox.is_active());
    Sandbox {
        id: sandbox.id.to_string(),
        name: sandbox.name.to_string(),
        created: rfc3339(sandbox.created),
        state,
        pid,
        exit_code,
        command: sandbox.command.clone(),
        ports: ports.filter_map(|mapping| port(spec, sandbox, mapping)).collect(),
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
        mac_address: endpoint.mac.to_string(),
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
    let addresses = AddressWishes {
        v4: address(body.ip_address.as_deref().unwrap_or_default())?,
        v6: address(body.ipv6_address.as_deref().unwrap_or_default())?,
    };
    let exposed = body.exposed_ports.iter().map(|text| text.parse());
    let links = body.links.iter().map(|text| text.parse());
    Ok(SandboxRequest {
        name: Name::of_sandbox(&body.name)?,
        command: body.command,
        network: body.network,
        addresses,
        ports: body.ports.iter().map(publish_request).collect::<Result<_, _>>()?,
        exposed: exposed.collect::<Result<_, _>>()?,
        links: links.collect::<Result<_, _>>()?,
        auto_remove: body.auto_remove,
    })
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
