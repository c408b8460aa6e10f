//! What the recording's engine answers about a network and a container, as structs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cli::format::Binding;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "Docker's shape")]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) created: String,
    pub(super) scope: String,
    pub(super) driver: String,
    #[serde(rename = "EnableIPv4")]
    pub(super) enable_ipv4: bool,
    #[serde(rename = "EnableIPv6")]
    pub(super) enable_ipv6: bool,
    #[serde(rename = "IPAM")]
    ipam: Ipam,
    pub(super) internal: bool,
    attachable: bool,
    ingress: bool,
    config_from: Reference,
    config_only: bool,
    containers: BTreeMap<String, Endpoint>,
    options: Option<BTreeMap<String, String>>,
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    driver: String,
    options: Option<BTreeMap<String, String>>,
    config: Option<Vec<Pool>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Pool {
    #[serde(skip_serializing_if = "String::is_empty")]
    subnet: String,
    #[serde(rename = "IPRange", skip_serializing_if = "String::is_empty")]
    ip_range: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    gateway: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    auxiliary_addresses: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reference {
    network: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "Docker's names")]
struct Endpoint {
    name: String,
    #[serde(rename = "EndpointID")]
    endpoint_id: String,
    mac_address: String,
    #[serde(rename = "IPv4Address")]
    ipv4_address: String,
    #[serde(rename = "IPv6Address")]
    ipv6_address: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Container {
    id: String,
    created: String,
    path: String,
    args: Vec<String>,
    state: State,
    name: String,
    config: Config,
    pub(super) network_settings: NetworkSettings,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    running: bool,
    pid: u32,
    exit_code: i32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    env: Vec<String>,
    cmd: Vec<String>,
    labels: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NetworkSettings {
    pub(super) ports: BTreeMap<String, Option<Vec<Binding>>>,
    networks: BTreeMap<String, Attachment>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attachment {
    gateway: String,
    #[serde(rename = "IPAddress")]
    ip_address: String,
    #[serde(rename = "IPPrefixLen")]
    ip_prefix_len: u8,
}
