//! What of a sandbox is kept?

use std::net::IpAddr;

use netebpf_common::abi::Mac;
use serde::{Deserialize, Serialize};

use super::to_json;
use crate::{
    model::{
        Endpoint, EndpointId, Name, NetworkId, PortMapping, PortRange, Process, Sandbox, SandboxId,
        SandboxLink, SandboxState,
    },
    store::Damage,
};

#[derive(Serialize, Deserialize)]
struct SandboxRecord {
    name: String,
    created: u64,
    command: Vec<String>,
    state: StateRecord,
    ports: Vec<PortRecord>,
    exposed: Vec<String>,
    links: Vec<LinkRecord>,
    auto_remove: bool,
    endpoints: Vec<EndpointRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateRecord {
    Created,
    Running { pid: i32, start_time: u64 },
    Exited { code: i32 },
}

#[derive(Serialize, Deserialize)]
struct PortRecord {
    host_address: IpAddr,
    host_ports: String,
    ports: String,
    protocol: String,
}

#[derive(Serialize, Deserialize)]
struct LinkRecord {
    sandbox: String,
    alias: String,
}

#[derive(Serialize, Deserialize)]
struct EndpointRecord {
    id: String,
    network: String,
    addresses: Vec<IpAddr>,
    mac: [u8; 6],
    interface: String,
}

pub(in crate::store) fn write_sandbox(sandbox: &Sandbox) -> Vec<u8> {
    to_json(&SandboxRecord {
        name: sandbox.name.to_string(),
        created: sandbox.created,
        command: sandbox.command.clone(),
        state: match sandbox.state {
            SandboxState::Created => StateRecord::Created,
            SandboxState::Running(Process { pid, start_time }) => StateRecord::Running { pid, start_time },
            SandboxState::Exited(code) => StateRecord::Exited { code },
        },
        ports: sandbox.ports.iter().map(PortRecord::from).collect(),
        exposed: sandbox.exposed.iter().map(ToString::to_string).collect(),
        links: sandbox.links.iter().map(LinkRecord::from).collect(),
        auto_remove: sandbox.auto_remove,
        endpoints: sandbox.endpoints.iter().map(EndpointRecord::from).collect(),
    })
}

pub(in crate::store) fn read_sandbox(id: SandboxId, row: &[u8]) -> Result<Sandbox, Damage> {
    let record: SandboxRecord = serde_json::from_slice(row)?;
    Ok(Sandbox {
        id,
        name: Name::of_sandbox(&record.name)?,
        created: record.created,
        command: record.command,
        state: match record.state {
            StateRecord::Created => SandboxState::Created,
            StateRecord::Running { pid, start_time } => SandboxState::Running(Process { pid, start_time }),
            StateRecord::Exited { code } => SandboxState::Exited(code),
        },
        ports: record.ports.into_iter().map(PortMapping::try_from).collect::<Result<_, _>>()?,
        exposed: record.exposed.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        links: record.links.into_iter().map(SandboxLink::try_from).collect::<Result<_, _>>()?,
        auto_remove: record.auto_remove,
        endpoints: record.endpoints.into_iter().map(Endpoint::try_from).collect::<Result<_, _>>()?,
    })
}

impl From<&PortMapping> for PortRecord {
    fn from(mapping: &PortMapping) -> Self {
        Self {
            host_address: mapping.host_address,
            host_ports: mapping.host_ports.to_string(),
            ports: mapping.ports.to_string(),
            protocol: mapping.protocol.to_string(),
        }
    }
}

impl TryFrom<PortRecord> for PortMapping {
    type Error = Damage;

    fn try_from(record: PortRecord) -> Result<Self, Damage> {
        let range = |text: String| PortRange::parse(&text).ok_or(Damage::Ports(text));
        let (host_ports, ports) = (range(record.host_ports)?, range(record.ports)?);
        if host_ports.alike(ports.first()) != Some(ports) {
            return Err(Damage::Inconsistent);
        }
        Ok(Self { host_address: record.host_address, host_ports, ports, protocol: record.protocol.parse()? })
    }
}

impl From<&SandboxLink> for LinkRecord {
    fn from(link: &SandboxLink) -> Self {
        Self { sandbox: link.sandbox.to_string(), alias: link.alias.clone() }
    }
}

impl TryFrom<LinkRecord> for SandboxLink {
    type Error = Damage;

    fn try_from(record: LinkRecord) -> Result<Self, Damage> {
        Ok(Self { sandbox: record.sandbox.parse()?, alias: record.alias })
    }
}

impl From<&Endpoint> for EndpointRecord {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            network: endpoint.network.to_string(),
            addresses: endpoint.addresses.clone(),
            mac: endpoint.mac.0,
            interface: endpoint.interface.clone(),
        }
    }
}

impl TryFrom<EndpointRecord> for Endpoint {
    type Error = Damage;

    fn try_from(record: EndpointRecord) -> Result<Self, Damage> {
        Ok(Self {
            id: record.id.parse::<EndpointId>()?,
            network: record.network.parse::<NetworkId>()?,
            addresses: record.addresses,
            mac: Mac(record.mac),
            interface: record.interface,
        })
    }
}
