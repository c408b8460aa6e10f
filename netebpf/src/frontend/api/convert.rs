//! Between the wire's shapes and the model: the only place where one becomes the other.

use std::net::IpAddr;

use netebpf_common::{abi::Hook, verdict::Outcome};

use super::{
    error::Error,
    timestamp::rfc3339,
    wire::{
        Counter, CreateNetwork, CreateSandbox, EndpointConfig, Feature, Ipam, IpamConfig, Network,
        NetworkContainer, NetworkReference, Port, Program, Sandbox, SandboxEndpoint, State, Status, Table,
    },
};
use crate::{
    change::{NetworkRequest, SandboxRequest},
    daemon::{self, FeatureStatus, ProgramStatus, Settings, TableSize},
    model::{self, Endpoint, Name, PortMapping, PublishRequest, SandboxState, Spec},
};

/// A network as lists show it.
pub(super) fn network(network: &model::Network) -> Network {
    let pool = |pool: &model::Pool| IpamConfig {
        subnet: pool.subnet.to_string(),
        ip_range: String::new(),
        gateway: pool.gateway.to_string(),
    };
    Network {
        name: network.name.to_string(),
        id: network.id.to_string(),
        created: rfc3339(network.created),
        scope: "local".to_owned(),
        driver: "bridge".to_owned(),
        enable_ipv4: network.pools.iter().any(|pool| pool.gateway.is_ipv4()),
        enable_ipv6: network.pools.iter().any(|pool| pool.gateway.is_ipv6()),
        ipam: Ipam {
            driver: Some("default".to_owned()),
            options: None,
            config: Some(network.pools.iter().map(pool).collect()),
        },
        internal: network.internal,
        attachable: false,
        ingress: false,
        config_from: NetworkReference::default(),
        config_only: false,
        options: network.options.clone(),
        labels: network.labels.clone(),
        containers: None,
    }
}

/// A network with the sandboxes that have a place in it.
pub(super) fn network_with_containers(spec: &Spec, of: &model::Network) -> Network {
    let active =
        spec.endpoints().filter(|(sandbox, endpoint)| sandbox.is_active() && endpoint.network == of.id);
    let containers = active.map(|(sandbox, endpoint)| {
        let container = NetworkContainer {
            name: sandbox.name.to_string(),
            endpoint_id: endpoint.id.to_string(),
            mac_address: endpoint.mac.to_string(),
            ipv4_address: address_with_prefix(endpoint, of, IpAddr::is_ipv4),
            ipv6_address: address_with_prefix(endpoint, of, IpAddr::is_ipv6),
        };
        (sandbox.id.to_string(), container)
    });
    Network { containers: Some(containers.collect()), ..network(of) }
}

/// `172.18.0.2/16`, or nothing if the endpoint has no address of this version.
fn address_with_prefix(
    endpoint: &Endpoint,
    network: &model::Network,
    version: fn(&IpAddr) -> bool,
) -> String {
    let address = endpoint.addresses.iter().copied().find(version);
    address
        .and_then(|address| {
            let pool = network.pools.iter().find(|pool| pool.subnet.contains(&address))?;
            Some(format!("{address}/{}", pool.subnet.prefix_len()))
        })
        .unwrap_or_default()
}

/// What a client wants of a new network.
pub(super) fn network_request(body: CreateNetwork) -> Result<NetworkRequest, Error> {
    if !matches!(body.driver.as_str(), "" | "bridge") {
        return Err(Error::NoSuchDriver(body.driver));
    }
    if body.enable_ipv6 == Some(true) {
        return Err(Error::Unsupported("IPv6 in a network"));
    }
    if body.enable_ipv4 == Some(false) {
        return Err(Error::Unsupported("a network without IPv4"));
    }
    let ipam = body.ipam.unwrap_or_default();
    if ipam.driver.is_some_and(|driver| !matches!(driver.as_str(), "" | "default")) {
        return Err(Error::Unsupported("an IPAM driver other than default"));
    }
    let mut pools = ipam.config.unwrap_or_default().into_iter();
    let pool = pools.next().unwrap_or_default();
    if pools.next().is_some() {
        return Err(Error::Unsupported("a network with more than one subnet"));
    }
    if !pool.ip_range.is_empty() {
        return Err(Error::Unsupported("an IP range within a subnet"));
    }
    Ok(NetworkRequest {
        name: Name::of_network(&body.name)?,
        subnet: not_empty(pool.subnet)
            .map(|subnet| subnet.parse().map_err(|_| Error::Subnet(subnet)))
            .transpose()?,
        gateway: address(&pool.gateway)?,
        internal: body.internal,
        options: body.options.unwrap_or_default(),
        labels: body.labels.unwrap_or_default(),
    })
}

/// The address that a client wishes for an endpoint.
pub(super) fn endpoint_address(config: Option<EndpointConfig>) -> Result<Option<IpAddr>, Error> {
    let wishes = config.and_then(|config| config.ipam_config).unwrap_or_default();
    if !wishes.ipv6_address.is_empty() {
        return Err(Error::Unsupported("IPv6 in a network"));
    }
    address(&wishes.ipv4_address)
}

/// A sandbox with its endpoints.
pub(super) fn sandbox(spec: &Spec, sandbox: &model::Sandbox, settings: &Settings) -> Sandbox {
    let endpoints = sandbox.endpoints.iter().filter_map(|endpoint| {
        let network = spec.networks.get(&endpoint.network)?;
        Some((network.name.to_string(), sandbox_endpoint(endpoint, network)))
    });
    let (state, pid, exit_code) = match sandbox.state {
        SandboxState::Created => (State::Created, None, None),
        SandboxState::Running(process) => (State::Running, Some(process.pid), None),
        SandboxState::Exited(code) => (State::Exited, None, Some(code)),
    };
    Sandbox {
        id: sandbox.id.to_string(),
        name: sandbox.name.to_string(),
        created: rfc3339(sandbox.created),
        state,
        pid,
        exit_code,
        command: sandbox.command.clone(),
        ports: if sandbox.is_active() { sandbox.ports.iter().map(port).collect() } else { Vec::new() },
        networks: endpoints.collect(),
        namespace: settings.namespace(sandbox.id).display().to_string(),
    }
}

fn sandbox_endpoint(endpoint: &Endpoint, network: &model::Network) -> SandboxEndpoint {
    let pool = network.pools.iter().find(|pool| pool.gateway.is_ipv4());
    let address = endpoint.addresses.iter().find(|address| address.is_ipv4());
    SandboxEndpoint {
        network_id: network.id.to_string(),
        endpoint_id: endpoint.id.to_string(),
        gateway: pool.map(|pool| pool.gateway.to_string()).unwrap_or_default(),
        ip_address: address.map(ToString::to_string).unwrap_or_default(),
        ip_prefix_len: pool.map_or(0, |pool| pool.subnet.prefix_len()),
        mac_address: endpoint.mac.to_string(),
        interface: endpoint.interface.clone(),
    }
}

fn port(mapping: &PortMapping) -> Port {
    Port {
        ip: mapping.host_address.to_string(),
        private_port: mapping.port,
        public_port: mapping.host_port,
        protocol: mapping.protocol.to_string(),
    }
}

/// What a client wants of a new sandbox.
pub(super) fn sandbox_request(body: CreateSandbox) -> Result<SandboxRequest, Error> {
    Ok(SandboxRequest {
        name: Name::of_sandbox(&body.name)?,
        command: body.command,
        network: body.network,
        address: address(body.ip_address.as_deref().unwrap_or_default())?,
        ports: body.ports.iter().map(publish_request).collect::<Result<_, _>>()?,
        auto_remove: body.auto_remove,
    })
}

fn publish_request(port: &Port) -> Result<PublishRequest, Error> {
    Ok(PublishRequest {
        host_address: address(&port.ip)?.unwrap_or(IpAddr::from([0, 0, 0, 0])),
        host_port: Some(port.public_port).filter(|&port| port != 0),
        port: port.private_port,
        protocol: port.protocol.parse()?,
    })
}

/// The data plane.
pub(super) fn status(status: &daemon::Status) -> Status {
    let data_plane = &status.data_plane;
    let program = |program: &ProgramStatus| Program {
        name: program.name.to_owned(),
        attached_to: program.attached.clone(),
        instructions: program.instructions,
    };
    let table = |table: &TableSize| Table {
        name: table.name.to_owned(),
        entries: table.entries,
        capacity: table.max,
    };
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        kernel: data_plane.kernel.clone(),
        attach_mode: data_plane.attach_mode.map(|mode| mode.to_string()).unwrap_or_default(),
        features: data_plane.features.iter().map(feature).collect(),
        networks: status.networks,
        sandboxes: status.sandboxes,
        programs: data_plane.programs.iter().map(program).collect(),
        tables: data_plane.tables.iter().map(table).collect(),
        counters: data_plane.counters.iter().map(counter).collect(),
        events_lost: data_plane.events_lost,
    }
}

fn feature(status: &FeatureStatus) -> Feature {
    Feature {
        name: status.name.to_owned(),
        available: status.available,
        needed_from: status.needed_from.to_owned(),
        meaning: status.meaning.to_owned(),
    }
}

fn counter(&(hook, code, packets): &(Hook, u8, u64)) -> Counter {
    let (outcome, meaning) = match Outcome::from_code(code) {
        Some(outcome) => (outcome.as_str().to_owned(), explain(outcome)),
        None => (code.to_string(), "An outcome that this version does not know."),
    };
    Counter { hook: hook.as_str().to_owned(), outcome, packets, meaning: meaning.to_owned() }
}

const fn explain(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "Left to the bridge or the host stack.",
        Outcome::ToSandbox => "Sent straight into a sandbox.",
        Outcome::ToUplink => "Sent straight out of the host.",
        Outcome::ToStack => "Translated, and left to the host stack.",
        Outcome::Translated => "A host socket's address was translated.",
        Outcome::Dropped(reason) => reason.explain(),
    }
}

fn address(text: &str) -> Result<Option<IpAddr>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|source| Error::Address { text: text.to_owned(), source })
}

fn not_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
