//! Sandboxes: our own shapes, with Docker's field names where Docker has the field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::EndpointConfig;

/// Published ports: one, or several in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Port {
    /// Host address; `0.0.0.0` and `::` for any of their IP version, empty for the network's default.
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
