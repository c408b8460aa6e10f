//! What Docker's clients ask about the engine itself: `GET /version` and `GET /info`, as far as it has an answer here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The answer to `GET /version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// Who answers.
    pub platform: Platform,
    /// What it is made of.
    pub components: Vec<Component>,
    /// Version of netebpf.
    pub version: String,
    /// Version of the API.
    pub api_version: String,
    /// The oldest version of the API that is understood.
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: String,
    /// Always `linux`.
    pub os: String,
    /// The processor, as Go names it.
    pub arch: String,
    /// Release of the kernel.
    pub kernel_version: String,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Platform {
    /// Its name.
    pub name: String,
}

/// A part of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// More about it.
    pub details: BTreeMap<String, String>,
}

/// The answer to `GET /info`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Info {
    /// Tells this engine from others.
    #[serde(rename = "ID")]
    pub id: String,
    /// Sandboxes.
    pub containers: usize,
    /// Sandboxes whose command runs.
    pub containers_running: usize,
    /// Always 0.
    pub containers_paused: usize,
    /// Sandboxes whose command does not run.
    pub containers_stopped: usize,
    /// Always 0: sandboxes have no images.
    pub images: usize,
    /// Plugins by their kind.
    pub plugins: Plugins,
    /// Release of the kernel.
    pub kernel_version: String,
    /// The distribution.
    pub operating_system: String,
    /// Version of the distribution.
    #[serde(rename = "OSVersion")]
    pub os_version: String,
    /// Always `linux`.
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// The processor, as the kernel names it.
    pub architecture: String,
    /// Processors.
    #[serde(rename = "NCPU")]
    pub processors: usize,
    /// Memory of the host, in bytes.
    #[serde(rename = "MemTotal")]
    pub memory: u64,
    /// Whether the host passes IPv4 packets on.
    #[serde(rename = "IPv4Forwarding")]
    pub ipv4_forwarding: bool,
    /// Where the engine keeps its state.
    #[serde(rename = "DockerRootDir")]
    pub root: String,
    /// Always true: sandboxes go on while the daemon is away.
    #[serde(rename = "LiveRestoreEnabled")]
    pub live_restore: bool,
    /// The swarm that it belongs to: none.
    pub swarm: Swarm,
    /// Name of the host.
    pub name: String,
    /// Version of netebpf.
    pub server_version: String,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// What the engine is to a swarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Swarm {
    /// Always `inactive`.
    pub local_node_state: String,
}

/// Plugins by their kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Plugins {
    /// Network drivers.
    pub network: Vec<String>,
}
