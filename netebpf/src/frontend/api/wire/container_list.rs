//! A sandbox as a line of the Docker Engine's list of containers (version 1.55).

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::{EndpointSettings, container::Empty};

/// A container, as `GET /containers/json` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerSummary {
    /// Identifier.
    pub id: String,
    /// Its name, then those that links give it, all with a slash in front.
    pub names: Vec<String>,
    /// Always empty: sandboxes have no images.
    pub image: String,
    /// Always empty.
    #[serde(rename = "ImageID")]
    pub image_id: String,
    /// Command line.
    pub command: String,
    /// When it was created, in seconds since the Unix epoch.
    pub created: i64,
    /// Ports, published or exposed.
    pub ports: Vec<ContainerPort>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `created`, `running` or `exited`.
    pub state: String,
    /// The same in words, with how long.
    pub status: String,
    /// What the user wants of the host.
    pub host_config: SummaryHostConfig,
    /// What it has of networks.
    pub network_settings: SummaryNetworkSettings,
    /// Always empty.
    pub mounts: Vec<Empty>,
}

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerPort {
    /// Address of the host, if the port is published.
    #[serde(default, rename = "IP", skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Port of the container.
    pub private_port: u16,
    /// Port of the host, if it has a part in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_port: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    #[serde(rename = "Type")]
    pub protocol: String,
}

/// What a user wants of the host for a container, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SummaryHostConfig {
    /// `host`, `none`, `container:ID`, or the network as the user called it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub network_mode: String,
}

/// What a container has of networks, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SummaryNetworkSettings {
    /// Its endpoints by network name.
    pub networks: BTreeMap<String, EndpointSettings>,
}
