//! A sandbox: a network namespace in which a command runs, attached to networks.

use std::collections::BTreeMap;

use super::{
    Attachment, DnsServer, Domainname, Endpoint, ExposedPorts, ExtraHost, Hostname, Name, NetworkId,
    PortMapping, PublishRequest, SandboxId, SandboxLink, SearchDomain,
};

/// A sandbox as the user asked for it, with what it was given while it is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Identifier; the namespace file has its name.
    pub id: SandboxId,
    /// Name, unique among sandboxes.
    pub name: Name,
    /// When it was created, in nanoseconds since the Unix epoch.
    pub created: u64,
    /// Where it gets its network namespace from.
    pub mode: NetworkMode,
    /// What the user said once and for all.
    pub config: SandboxConfig,
    /// What has become of the command.
    pub state: SandboxState,
    /// Host ports that lead to it; none while it is not active.
    pub ports: Vec<PortMapping>,
    /// Sandboxes whose exposed ports this one may reach where ICC is off (`--link` on the default bridge).
    pub links: Vec<SandboxLink>,
    /// The networks it belongs to, in joining order.
    pub attachments: Vec<Attachment>,
    /// Whether it was parted from a network with names since it was started. Programs that have read its `resolv.conf` go on
    /// asking the resolver, so it keeps that until it stops, as in Docker.
    pub keeps_resolver: bool,
}

/// What a user says about a sandbox when it is made; starting and stopping changes none of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SandboxConfig {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Changes to the command's environment: `KEY=VALUE` sets (`-e`).
    pub environment: Vec<String>,
    /// Where the command begins; the daemon's own directory if none (`-w`).
    pub directory: Option<String>,
    /// Host name; the beginning of the identifier if none.
    pub hostname: Option<Hostname>,
    /// Domain name.
    pub domainname: Option<Domainname>,
    /// How names are resolved.
    pub dns: DnsConfig,
    /// Further lines of `/etc/hosts` (`--add-host`).
    pub extra_hosts: Vec<ExtraHost>,
    /// Ports to be published (`-p`).
    pub publish: Vec<PublishRequest>,
    /// Whether every exposed port is published, too (`-P`).
    pub publish_all: bool,
    /// Ports that the command listens on (`--expose`).
    pub exposed: Vec<ExposedPorts>,
    /// Remove the sandbox when its command ends (`--rm`).
    pub auto_remove: bool,
    /// User labels.
    pub labels: BTreeMap<String, String>,
}

/// How a sandbox resolves names; what is empty is as the engine was told, or as the host does it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DnsConfig {
    /// Name servers (`--dns`).
    pub servers: Vec<DnsServer>,
    /// Domains to search (`--dns-search`).
    pub search: Vec<SearchDomain>,
    /// Options of the resolver (`--dns-option`), as resolv.conf(5) has them.
    pub options: Vec<String>,
}

/// Where a sandbox gets its network namespace from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkMode {
    /// It has one of its own; the text is what the user called the network, for `inspect`.
    Own(String),
    /// It is in the daemon's.
    Host,
    /// It shares that of another sandbox, and ends with it.
    Container(SandboxId),
    /// It is one that others made: the path of its file when it was adopted.
    Adopted(String),
}

/// What has become of a sandbox's command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxState {
    /// Never started.
    Created,
    /// This process is about to start it; without it the sandbox goes back to being created.
    Starting(Process),
    /// Running.
    Running {
        /// The command; none in an adopted namespace that nobody's end is the end of.
        process: Option<Process>,
        /// Since when, in nanoseconds since the Unix epoch.
        started: u64,
    },
    /// Ended.
    Exited {
        /// Its exit code (128 + n after signal n, as shells count).
        code: i32,
        /// When it started, in nanoseconds since the Unix epoch.
        started: u64,
        /// When it ended.
        finished: u64,
    },
}

/// A process that can be told from a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: i32,
    /// Start time, in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub start_time: u64,
}

impl SandboxState {
    /// What Docker calls it: `created`, `running` or `exited`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created | Self::Starting(_) => "created",
            Self::Running { .. } => "running",
            Self::Exited { .. } => "exited",
        }
    }
}

impl Sandbox {
    /// Whether the sandbox has a place in the kernel; if not, it has no addresses and no host ports.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        match self.state {
            SandboxState::Starting(_) | SandboxState::Running { .. } => true,
            SandboxState::Created | SandboxState::Exited { .. } => false,
        }
    }

    /// Whether its command runs.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        matches!(self.state, SandboxState::Running { .. })
    }

    /// The process that it lives as long as.
    #[must_use]
    pub const fn process(&self) -> Option<Process> {
        match self.state {
            SandboxState::Starting(process) => Some(process),
            SandboxState::Running { process, .. } => process,
            SandboxState::Created | SandboxState::Exited { .. } => None,
        }
    }

    /// Whether there is a namespace file for it while it is active.
    #[must_use]
    pub const fn has_namespace(&self) -> bool {
        match self.mode {
            NetworkMode::Own(_) | NetworkMode::Adopted(_) => true,
            NetworkMode::Host | NetworkMode::Container(_) => false,
        }
    }

    /// Its endpoints; none while it is not active.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.attachments.iter().filter_map(|attachment| attachment.endpoint.as_ref())
    }

    /// Its endpoint on this network, while it is active.
    #[must_use]
    pub fn endpoint_on(&self, network: NetworkId) -> Option<&Endpoint> {
        self.attachment_to(network)?.endpoint.as_ref()
    }

    /// How it belongs to this network.
    #[must_use]
    pub fn attachment_to(&self, network: NetworkId) -> Option<&Attachment> {
        self.attachments.iter().find(|attachment| attachment.network == network)
    }
}
