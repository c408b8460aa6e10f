//! Sandboxes: our own shapes, with Docker's field names where Docker has the field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::EndpointConfig;

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

/// Published ports: one, or several in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Port {
    /// Host address; `0.0.0.0` and `::` for any of their IP version. Empty in a request for the network's default, and
    /// in an answer where the port is open at the sandbox's own address.
    #[serde(default, rename = "IP", skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// Port in the sandbox, the first of several.
    pub private_port: u16,
    /// The last port in the sandbox, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_port_end: Option<u16>,
    /// Port of the host, the first of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_port: Option<u16>,
    /// The last port of the host, where there are several. With one port in the sandbox, a range to choose from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_port_end: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
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
    /// IPv6 address of the network's gateway.
    #[serde(rename = "IPv6Gateway")]
    pub ipv6_gateway: String,
    /// IPv6 address.
    #[serde(rename = "GlobalIPv6Address")]
    pub global_ipv6_address: String,
    /// Prefix length of the IPv6 subnet.
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub global_ipv6_prefix_len: u8,
    /// MAC.
    pub mac_address: String,
    /// Name of the interface in the sandbox.
    pub interface: String,
}

/// The body of `POST /netebpf/sandboxes`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateSandbox {
    /// Name; one is made up when empty.
    pub name: String,
    /// The networks that it is to join, the first one being the one that is meant by `links`.
    pub networks: Vec<NamedEndpoint>,
    /// The sandbox whose network namespace it shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_with: Option<String>,
    /// Path of the network namespace that it adopts; such a sandbox has no command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopt: Option<String>,
    /// Ports to publish; without a public port, or with 0, any free one.
    pub ports: Vec<Port>,
    /// Whether every exposed port is published, too.
    pub publish_all_ports: bool,
    /// Ports that the command listens on: `80/tcp`, `80-90/udp`.
    pub exposed_ports: Vec<String>,
    /// Sandboxes to link to: `NAME` or `NAME:ALIAS`.
    pub links: Vec<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Changes to its environment: `KEY=VALUE`.
    pub environment: Vec<String>,
    /// Where it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Host name; the beginning of the identifier when empty.
    pub hostname: String,
    /// Domain name.
    pub domainname: String,
    /// Name servers.
    pub dns: Vec<String>,
    /// Domains to search.
    pub dns_search: Vec<String>,
    /// Options of the resolver.
    pub dns_options: Vec<String>,
    /// Further lines of `/etc/hosts`: `NAME:ADDRESS`.
    pub extra_hosts: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Remove the sandbox when the command ends.
    pub auto_remove: bool,
    /// Who starts the command at once; it stays created when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
}

/// A network that a sandbox is to join.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NamedEndpoint {
    /// Name or identifier of the network.
    pub network: String,
    /// What is wished there.
    pub config: EndpointConfig,
}

/// Who starts a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// The daemon, in the background.
    Daemon,
    /// The client with this process id, which reports `started` and `ended`.
    Client(i32),
    /// Nobody, because the namespace is adopted; it is let go when this process ends, if one is given.
    Nobody(Option<i32>),
}

/// The body of `POST /netebpf/sandboxes/{id}/start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartSandbox {
    /// Who starts the command.
    pub start: Start,
}

/// The body of `POST /netebpf/sandboxes/{id}/signal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Signal {
    /// Name or number.
    pub signal: String,
}

/// The answer to `POST /netebpf/sandboxes` and to its `start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatedSandbox {
    /// Identifier of the sandbox.
    pub id: String,
    /// How its command is started by a client.
    pub launch: Launch,
    /// What the user should know.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// How a client starts the command of a sandbox that has a place in the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Launch {
    /// Path of the network namespace.
    pub namespace: String,
    /// What the command sees of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// Changes to the environment.
    pub environment: Vec<String>,
    /// Where the command begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
}

/// What the commands of a sandbox see of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    /// Path of what is `/etc/hosts`.
    pub hosts_path: String,
    /// Path of what is `/etc/resolv.conf`.
    pub resolv_conf_path: String,
    /// Path of what is `/etc/hostname`.
    pub hostname_path: String,
    /// Host name.
    pub hostname: String,
    /// Domain name; the host's when empty.
    pub domainname: String,
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
