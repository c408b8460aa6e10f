//! A sandbox: a network namespace in which a command runs, joined to networks by endpoints.

use std::net::IpAddr;

use netebpf_common::abi::{Family, Mac};

use super::{EndpointId, ExposedPorts, Name, NetworkId, PortMapping, SandboxId, SandboxLink, family_of};

/// A sandbox as the user asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Identifier; the namespace file has its name.
    pub id: SandboxId,
    /// Name, unique among sandboxes.
    pub name: Name,
    /// When it was created, in seconds since the Unix epoch.
    pub created: u64,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// What has become of the command.
    pub state: SandboxState,
    /// Ports published for this sandbox.
    pub ports: Vec<PortMapping>,
    /// Ports that sandboxes linked to this one may reach where ICC is off (`--expose`).
    pub exposed: Vec<ExposedPorts>,
    /// Sandboxes whose exposed ports this one may reach where ICC is off (`--link`).
    pub links: Vec<SandboxLink>,
    /// Remove the sandbox when its command ends (`--rm`).
    pub auto_remove: bool,
    /// The networks it is joined to, in joining order; the n-th interface is `eth<index>`.
    pub endpoints: Vec<Endpoint>,
}

/// Joins a sandbox to a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Identifier; the host-side veth is named after it.
    pub id: EndpointId,
    /// The network.
    pub network: NetworkId,
    /// Addresses, at most one for each IP version.
    pub addresses: Vec<IpAddr>,
    /// MAC of the sandbox side.
    pub mac: Mac,
    /// Name of the interface in the sandbox.
    pub interface: String,
}

/// What has become of a sandbox's command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxState {
    /// Not started yet.
    Created,
    /// Running.
    Running(Process),
    /// Ended with this exit code (128 + n after signal n, as shells count).
    Exited(i32),
}

/// A process that can be told from a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: i32,
    /// Start time, in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub start_time: u64,
}

impl Endpoint {
    /// The name of the host-side veth.
    #[must_use]
    pub fn link_name(&self) -> String {
        format!("neb{}", self.id.short())
    }

    /// The endpoint's address of an IP version.
    #[must_use]
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|address| family_of(*address) == family)
    }
}

impl Sandbox {
    /// Whether the sandbox has a place in the kernel: an exited one has none and its addresses are free.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        match self.state {
            SandboxState::Created | SandboxState::Running(_) => true,
            SandboxState::Exited(_) => false,
        }
    }

    /// The endpoint on this network.
    #[must_use]
    pub fn endpoint_on(&self, network: NetworkId) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.network == network)
    }
}
