//! The ports of a container, one by one: a range of ours is as many of Docker's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
};

use crate::{
    frontend::api::wire::{ContainerPort, PortBinding},
    model::{ExposedPorts, FAMILIES, PortMapping, Protocol, PublishRequest, Sandbox, SandboxConfig, Spec},
};

/// A port of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Port {
    number: u16,
    protocol: Protocol,
}

/// `80/tcp`.
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

/// Where a port is published; without a host port where the network is routed.
type Bindings = Vec<(IpAddr, Option<u16>)>;

/// Every port that is exposed or to be published.
pub(super) fn listening(config: &SandboxConfig) -> impl Iterator<Item = Port> {
    let exposed = config.exposed.iter().map(|ExposedPorts { ports, protocol }| (*ports, *protocol));
    let published = config.publish.iter().map(|request| (request.ports, request.protocol));
    exposed
        .chain(published)
        .flat_map(|(ports, protocol)| ports.iter().map(move |number| Port { number, protocol }))
}

/// The ports to be published.
pub(super) fn wished(config: &SandboxConfig) -> BTreeMap<String, Vec<PortBinding>> {
    let mut wished: BTreeMap<String, Vec<PortBinding>> = BTreeMap::new();
    for PublishRequest { host_address, host_ports, ports, protocol } in &config.publish {
        for (index, number) in (0..).zip(ports.iter()) {
            let host_port = host_ports.map(|range| match range.first().checked_add(index) {
                Some(host_port) if !ports.is_single() => host_port.to_string(),
                // A single port has the whole range to choose from.
                _ => range.to_string(),
            });
            let host_ip = host_address.map(|address| address.to_string()).unwrap_or_default();
            let binding = PortBinding { host_ip, host_port: host_port.unwrap_or_default() };
            wished.entry(Port { number, protocol: *protocol }.to_string()).or_default().push(binding);
        }
    }
    wished
}

/// The ports as they are, for details.
pub(super) fn in_force(spec: &Spec, sandbox: &Sandbox) -> BTreeMap<String, Option<Vec<PortBinding>>> {
    let shown = |(port, bindings): (Port, Bindings)| {
        let bindings = bindings.into_iter().map(|(address, host_port)| PortBinding {
            host_ip: address.to_string(),
            host_port: host_port.map(|port| port.to_string()).unwrap_or_default(),
        });
        (port.to_string(), super::some(bindings))
    };
    bindings(spec, sandbox).into_iter().map(shown).collect()
}

/// The ports as they are, for lists.
pub(super) fn listed(spec: &Spec, sandbox: &Sandbox) -> Vec<ContainerPort> {
    let shown = |(Port { number, protocol }, bindings): (Port, Bindings)| {
        let port = |ip, public_port| ContainerPort {
            ip,
            private_port: number,
            public_port,
            protocol: protocol.to_string(),
        };
        if bindings.is_empty() {
            vec![port(None, None)]
        } else {
            bindings.into_iter().map(|(address, host_port)| port(Some(address), host_port)).collect()
        }
    };
    bindings(spec, sandbox).into_iter().flat_map(shown).collect()
}

/// Whether a container has one of these ports on the host.
pub(in crate::frontend::api) fn is_published(
    ports: &[ContainerPort],
    wanted: &BTreeSet<(u16, String)>,
) -> bool {
    ports
        .iter()
        .any(|port| port.public_port.is_some_and(|public| wanted.contains(&(public, port.protocol.clone()))))
}

/// Whether a container has one of these ports.
pub(in crate::frontend::api) fn is_exposed(
    ports: &[ContainerPort],
    wanted: &BTreeSet<(u16, String)>,
) -> bool {
    ports.iter().any(|port| wanted.contains(&(port.private_port, port.protocol.clone())))
}

/// Every port with where it is published. Docker knows of none where nothing leads out.
fn bindings(spec: &Spec, sandbox: &Sandbox) -> BTreeMap<Port, Bindings> {
    if FAMILIES.into_iter().all(|family| spec.gateway_endpoint(sandbox, family).is_none()) {
        return BTreeMap::new();
    }
    let mut all: BTreeMap<Port, Bindings> =
        listening(&sandbox.config).map(|port| (port, Vec::new())).collect();
    for mapping in &sandbox.ports {
        let PortMapping { host_address, host_ports, ports, protocol } = *mapping;
        let is_translated = spec.translated_to(sandbox, mapping).is_some();
        let is_open = || spec.open_addresses(sandbox, mapping.family()).next().is_some();
        if !is_translated && !is_open() {
            continue;
        }
        for (number, host_port) in ports.iter().zip(host_ports.iter()) {
            let binding = (host_address, is_translated.then_some(host_port));
            all.entry(Port { number, protocol }).or_default().push(binding);
        }
    }
    all
}
