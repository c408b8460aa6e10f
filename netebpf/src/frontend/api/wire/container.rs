//! A sandbox as the Docker Engine API describes a container (version 1.55), as far as a sandbox has such a thing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::EndpointSettings;

/// A container, as `GET /containers/{id}/json` answers. It has no image, so everything about images is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    /// Identifier.
    pub id: String,
    /// When it was created (RFC 3339).
    pub created: String,
    /// Its program.
    pub path: String,
    /// The program's arguments.
    pub args: Vec<String>,
    /// What has become of the program.
    pub state: ContainerState,
    /// Always empty.
    pub image: String,
    /// Its `/etc/resolv.conf` on the host.
    pub resolv_conf_path: String,
    /// Its `/etc/hostname` on the host.
    pub hostname_path: String,
    /// Its `/etc/hosts` on the host.
    pub hosts_path: String,
    /// What its program has written, if the daemon started it.
    pub log_path: String,
    /// Name, with a slash in front.
    pub name: String,
    /// Always 0.
    pub restart_count: u32,
    /// Always empty.
    pub driver: String,
    /// Always `linux`.
    pub platform: String,
    /// Always empty.
    pub mount_label: String,
    /// Always empty.
    pub process_label: String,
    /// Always empty.
    pub app_armor_profile: String,
    /// Always null.
    #[serde(rename = "ExecIDs")]
    pub exec_ids: Option<Vec<String>>,
    /// What the user wants of the host.
    pub host_config: HostConfig,
    /// Always empty.
    pub mounts: Vec<Empty>,
    /// What the user wants of the container.
    pub config: ContainerConfig,
    /// What it has of networks.
    pub network_settings: NetworkSettings,
}

/// What has become of a container's program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the Docker Engine's shape")]
pub struct ContainerState {
    /// `created`, `running` or `exited`.
    pub status: String,
    /// Whether it runs.
    pub running: bool,
    /// Always false.
    pub paused: bool,
    /// Always false.
    pub restarting: bool,
    /// Always false.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// Always false.
    pub dead: bool,
    /// Process id while it runs, else 0.
    pub pid: i32,
    /// Exit code once it has ended, else 0.
    pub exit_code: i32,
    /// Always empty.
    pub error: String,
    /// When it started last (RFC 3339); the first second of our era if never.
    pub started_at: String,
    /// When it ended (RFC 3339); the first second of our era if it did not.
    pub finished_at: String,
}

/// What a user wants of the host for a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HostConfig {
    /// Always null.
    pub binds: Option<Vec<String>>,
    /// `host`, `none`, `container:ID`, or the network as the user called it.
    pub network_mode: String,
    /// Ports to be published, by port of the container.
    pub port_bindings: BTreeMap<String, Vec<PortBinding>>,
    /// Never restarted.
    pub restart_policy: RestartPolicy,
    /// Whether it goes when its program ends.
    pub auto_remove: bool,
    /// Name servers.
    pub dns: Vec<String>,
    /// Options of the resolver.
    pub dns_options: Vec<String>,
    /// Domains to search.
    pub dns_search: Vec<String>,
    /// Further hosts as `NAME:ADDRESS`; null if there are none.
    pub extra_hosts: Option<Vec<String>>,
    /// Links on the default bridge as `/TARGET:/NAME/ALIAS`; null if there are none.
    pub links: Option<Vec<String>>,
    /// Always false.
    pub privileged: bool,
    /// Whether every exposed port is published, too.
    pub publish_all_ports: bool,
}

/// When a container is started again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RestartPolicy {
    /// Always `no`.
    pub name: String,
    /// Always 0.
    pub maximum_retry_count: u32,
}

/// A port of the host that leads to a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortBinding {
    /// Address of the host; empty in a wish for the default.
    pub host_ip: String,
    /// Port of the host, or a range to choose from; empty for any free one, and where the host has no part in it.
    pub host_port: String,
}

/// What a user wants of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the Docker Engine's shape")]
#[expect(clippy::zero_sized_map_values, reason = "the Docker Engine's shape")]
pub struct ContainerConfig {
    /// Host name.
    pub hostname: String,
    /// Domain name.
    pub domainname: String,
    /// Always empty.
    pub user: String,
    /// Always false.
    pub attach_stdin: bool,
    /// Always false.
    pub attach_stdout: bool,
    /// Always false.
    pub attach_stderr: bool,
    /// Ports that it listens on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Empty>,
    /// Always false.
    pub tty: bool,
    /// Always false.
    pub open_stdin: bool,
    /// Always false.
    pub stdin_once: bool,
    /// Changes to the environment as `KEY=VALUE`; null if there are none.
    pub env: Option<Vec<String>>,
    /// The program and its arguments; null in an adopted namespace.
    pub cmd: Option<Vec<String>>,
    /// Always empty.
    pub image: String,
    /// Always null.
    pub volumes: Option<BTreeMap<String, Empty>>,
    /// Where the program begins; empty for where the daemon is.
    pub working_dir: String,
    /// Always null.
    pub entrypoint: Option<Vec<String>>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// What a container has of networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkSettings {
    /// The container's identifier while it has a network namespace, else empty.
    #[serde(rename = "SandboxID")]
    pub sandbox_id: String,
    /// Path of its network namespace; empty where it has none of its own.
    pub sandbox_key: String,
    /// Its ports; null for those that are not published.
    pub ports: BTreeMap<String, Option<Vec<PortBinding>>>,
    /// Its endpoint on the default network once more, for clients before version 1.52.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub default_endpoint: Option<DefaultEndpoint>,
    /// Its endpoints by network name.
    pub networks: BTreeMap<String, EndpointSettings>,
}

/// A container's endpoint on the default network, as clients before version 1.52 know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DefaultEndpoint {
    /// Identifier of the endpoint.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// IPv4 address of the gateway.
    pub gateway: String,
    /// IPv6 address.
    #[serde(rename = "GlobalIPv6Address")]
    pub global_ipv6_address: String,
    /// Prefix length of the IPv6 subnet.
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub global_ipv6_prefix_len: u8,
    /// IPv4 address.
    #[serde(rename = "IPAddress")]
    pub ip_address: String,
    /// Prefix length of the IPv4 subnet.
    #[serde(rename = "IPPrefixLen")]
    pub ip_prefix_len: u8,
    /// IPv6 address of the gateway.
    #[serde(rename = "IPv6Gateway")]
    pub ipv6_gateway: String,
    /// MAC.
    pub mac_address: String,
}

/// `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}

/// The answer to `GET /containers/{id}/top`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Processes {
    /// The names of the columns.
    pub titles: Vec<String>,
    /// Of each process what stands in the columns.
    pub processes: Vec<Vec<String>>,
}

/// The answer to `POST /containers/{id}/wait`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Waited {
    /// Exit code.
    pub status_code: i32,
}

/// The answer to `POST /containers/prune`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainersPruned {
    /// Identifiers of the containers that are gone; null if there are none.
    pub containers_deleted: Option<Vec<String>>,
    /// Always 0.
    pub space_reclaimed: u64,
}
