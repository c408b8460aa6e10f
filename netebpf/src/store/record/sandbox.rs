//! What of a sandbox is kept?

use std::{collections::BTreeMap, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{attachment::AttachmentRecord, to_json};
use crate::{
    model::{
        Attachment, DnsConfig, DnsServer, Name, NetworkMode, PortMapping, PortRange, Process, PublishRequest,
        Sandbox, SandboxConfig, SandboxId, SandboxLink, SandboxState,
    },
    store::Damage,
};

#[derive(Serialize, Deserialize)]
struct SandboxRecord {
    name: String,
    created: u64,
    mode: ModeRecord,
    config: ConfigRecord,
    state: StateRecord,
    ports: Vec<PortRecord>,
    links: Vec<LinkRecord>,
    attachments: Vec<AttachmentRecord>,
    #[serde(default)]
    keeps_resolver: bool,
}

#[derive(Serialize, Deserialize)]
struct ConfigRecord {
    command: Vec<String>,
    environment: Vec<String>,
    directory: Option<String>,
    hostname: Option<String>,
    domainname: Option<String>,
    dns: Vec<IpAddr>,
    dns_search: Vec<String>,
    dns_options: Vec<String>,
    extra_hosts: Vec<String>,
    publish: Vec<String>,
    publish_all: bool,
    exposed: Vec<String>,
    auto_remove: bool,
    labels: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModeRecord {
    Own(String),
    Host,
    Container(String),
    Adopted(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateRecord {
    Created,
    Starting(ProcessRecord),
    Running { process: Option<ProcessRecord>, started: u64 },
    Exited { code: i32, started: u64, finished: u64 },
}

#[derive(Serialize, Deserialize)]
struct ProcessRecord {
    pid: i32,
    start_time: u64,
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

pub(in crate::store) fn write_sandbox(sandbox: &Sandbox) -> Vec<u8> {
    to_json(&SandboxRecord {
        name: sandbox.name.to_string(),
        created: sandbox.created,
        mode: ModeRecord::from(&sandbox.mode),
        config: ConfigRecord::from(&sandbox.config),
        state: StateRecord::from(sandbox.state),
        ports: sandbox.ports.iter().map(PortRecord::from).collect(),
        links: sandbox.links.iter().map(LinkRecord::from).collect(),
        attachments: sandbox.attachments.iter().map(AttachmentRecord::from).collect(),
        keeps_resolver: sandbox.keeps_resolver,
    })
}

pub(in crate::store) fn read_sandbox(id: SandboxId, row: &[u8]) -> Result<Sandbox, Damage> {
    let record: SandboxRecord = serde_json::from_slice(row)?;
    Ok(Sandbox {
        id,
        name: Name::of_sandbox(&record.name)?,
        created: record.created,
        mode: NetworkMode::try_from(record.mode)?,
        config: SandboxConfig::try_from(record.config)?,
        state: record.state.into(),
        ports: record.ports.into_iter().map(PortMapping::try_from).collect::<Result<_, _>>()?,
        links: record.links.into_iter().map(SandboxLink::try_from).collect::<Result<_, _>>()?,
        attachments: record.attachments.into_iter().map(Attachment::try_from).collect::<Result<_, _>>()?,
        keeps_resolver: record.keeps_resolver,
    })
}

impl From<&NetworkMode> for ModeRecord {
    fn from(mode: &NetworkMode) -> Self {
        match mode {
            NetworkMode::Own(network) => Self::Own(network.clone()),
            NetworkMode::Host => Self::Host,
            NetworkMode::Container(donor) => Self::Container(donor.to_string()),
            NetworkMode::Adopted(path) => Self::Adopted(path.clone()),
        }
    }
}

impl TryFrom<ModeRecord> for NetworkMode {
    type Error = Damage;

    fn try_from(record: ModeRecord) -> Result<Self, Damage> {
        Ok(match record {
            ModeRecord::Own(network) => Self::Own(network),
            ModeRecord::Host => Self::Host,
            ModeRecord::Container(donor) => Self::Container(donor.parse()?),
            ModeRecord::Adopted(path) => Self::Adopted(path),
        })
    }
}

impl From<&SandboxConfig> for ConfigRecord {
    fn from(config: &SandboxConfig) -> Self {
        Self {
            command: config.command.clone(),
            environment: config.environment.clone(),
            directory: config.directory.clone(),
            hostname: config.hostname.as_ref().map(ToString::to_string),
            domainname: config.domainname.as_ref().map(ToString::to_string),
            dns: config.dns.servers.iter().map(|server| server.0).collect(),
            dns_search: config.dns.search.iter().map(ToString::to_string).collect(),
            dns_options: config.dns.options.clone(),
            extra_hosts: config.extra_hosts.iter().map(ToString::to_string).collect(),
            publish: config.publish.iter().map(ToString::to_string).collect(),
            publish_all: config.publish_all,
            exposed: config.exposed.iter().map(ToString::to_string).collect(),
            auto_remove: config.auto_remove,
            labels: config.labels.clone(),
        }
    }
}

impl TryFrom<ConfigRecord> for SandboxConfig {
    type Error = Damage;

    fn try_from(record: ConfigRecord) -> Result<Self, Damage> {
        let publish = record.publish.iter().map(|text| text.parse::<PublishRequest>());
        Ok(Self {
            command: record.command,
            environment: record.environment,
            directory: record.directory,
            hostname: record.hostname.as_deref().map(read).transpose()?,
            domainname: record.domainname.as_deref().map(read).transpose()?,
            dns: DnsConfig {
                servers: record.dns.into_iter().map(DnsServer).collect(),
                search: record.dns_search.iter().map(|text| read(text)).collect::<Result<_, _>>()?,
                options: record.dns_options,
            },
            extra_hosts: record.extra_hosts.iter().map(|text| read(text)).collect::<Result<_, _>>()?,
            publish: publish.collect::<Result<_, _>>()?,
            publish_all: record.publish_all,
            exposed: record.exposed.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            auto_remove: record.auto_remove,
            labels: record.labels,
        })
    }
}

/// Reads what was written as text; the reason why it cannot be read is of no use to anybody.
fn read<T: FromStr>(text: &str) -> Result<T, Damage> {
    text.parse().map_err(|_| Damage::Inconsistent)
}

impl From<SandboxState> for StateRecord {
    fn from(state: SandboxState) -> Self {
        match state {
            SandboxState::Created => Self::Created,
            SandboxState::Starting(process) => Self::Starting(process.into()),
            SandboxState::Running { process, started } => {
                Self::Running { process: process.map(ProcessRecord::from), started }
            }
            SandboxState::Exited { code, started, finished } => Self::Exited { code, started, finished },
        }
    }
}

impl From<StateRecord> for SandboxState {
    fn from(record: StateRecord) -> Self {
        match record {
            StateRecord::Created => Self::Created,
            StateRecord::Starting(process) => Self::Starting(process.into()),
            StateRecord::Running { process, started } => {
                Self::Running { process: process.map(Process::from), started }
            }
            StateRecord::Exited { code, started, finished } => Self::Exited { code, started, finished },
        }
    }
}

impl From<Process> for ProcessRecord {
    fn from(Process { pid, start_time }: Process) -> Self {
        Self { pid, start_time }
    }
}

impl From<ProcessRecord> for Process {
    fn from(ProcessRecord { pid, start_time }: ProcessRecord) -> Self {
        Self { pid, start_time }
    }
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
