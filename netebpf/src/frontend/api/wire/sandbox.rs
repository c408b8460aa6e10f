//! Sandboxes: our own shapes, with Docker's field names where Docker has the field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A sandbox, as `GET /netebpf/sandboxes` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Sandbox {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// When it was created (RFC 3339).
    pub created: String,
    /// What has become of its command.
    pub state: State,
    /// The command's process id while it runs.
    pub pid: Option<i32>,
    /// The command's exit code once it has ended.
    pub exit_code: Option<i32>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Its endpoints by network name.
    pub networks: BTreeMap<String, SandboxEndpoint>,
    /// Path of its network namespace.
    pub namespace: String,
}

/// What has become of a sandbox's command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not started yet.
    Created,
    /// Running.
    Running,
    /// Ended.
    Exited,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Port {
    /// Host address; `0.0.0.0` for any.
    #[serde(rename = "IP")]
    pub ip: String,
    /// Port in the sandbox.
    pub private_port: u16,
    /// Port of the host.
    pub public_port: u16,
    /// `tcp` or `udp`.
    #[serde(rename = "Type")]
    pub protocol: String,
}

/// A sandbox's endpoint in one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SandboxEndpoint {
    /// The network.
    #[serde(rename = "NetworkID")]
    pub network_id: String,
    /// Identifier of the endpoint.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// IPv4 address of the network's gateway.
    pub gateway: String,
    /// IPv4 address.
    #[serde(rename = "IPAddress")]
    pub ip_address: String,
    /// Prefix length of the IPv4 subnet.
    #[serde(rename = "IPPrefixLen")]
    pub ip_prefix_len: u8,
    /// MAC.
    pub mac_address: String,
    /// Name of the interface in the sandbox.
    pub interface: String,
}

/// The body of `POST /netebpf/sandboxes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateSandbox {
    /// Name.
    pub name: String,
    /// The network it is connected to.
    pub network: String,
    /// Its address there; a free one when absent.
    #[serde(default, rename = "IPAddress", skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// Ports to publish; a public port of 0 asks for any free one.
    #[serde(default)]
    pub ports: Vec<Port>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Remove the sandbox when the command ends.
    #[serde(default)]
    pub auto_remove: bool,
    /// Whether the daemon starts the command; otherwise the caller does and reports `started` and `ended`.
    #[serde(default)]
    pub start: bool,
}

/// The answer to `POST /netebpf/sandboxes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatedSandbox {
    /// Identifier of the new sandbox.
    pub id: String,
    /// Path of its network namespace.
    pub namespace: String,
}

/// The body of `POST /netebpf/sandboxes/{id}/started`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub struct Started {
    /// Process id of the command, not waited for yet.
    pub pid: i32,
}

/// The body of `POST /netebpf/sandboxes/{id}/ended`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub struct Ended {
    /// Exit code of the command, 128 + n after signal n.
    pub code: i32,
}
