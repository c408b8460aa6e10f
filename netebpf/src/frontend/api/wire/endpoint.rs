//! What clients wish for an endpoint: Docker's `EndpointSettings`, as far as it is a wish.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Wishes for an endpoint. Clients send null for what they do not wish for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EndpointConfig {
    /// Addresses.
    #[serde(rename = "IPAMConfig", skip_serializing_if = "Option::is_none")]
    pub ipam_config: Option<EndpointIpamConfig>,
    /// What the sandbox calls others: `NAME` or `NAME:ALIAS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<String>>,
    /// Further names of the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<String>>,
    /// Options of the driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_opts: Option<BTreeMap<String, String>>,
    /// Of several networks that lead out the one with the highest is the way.
    pub gw_priority: i64,
    /// MAC; ours when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mac_address: String,
}

/// The addresses an endpoint is to have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EndpointIpamConfig {
    /// IPv4 address; a free one when empty.
    #[serde(rename = "IPv4Address", skip_serializing_if = "String::is_empty")]
    pub ipv4_address: String,
    /// IPv6 address; a free one when empty.
    #[serde(rename = "IPv6Address", skip_serializing_if = "String::is_empty")]
    pub ipv6_address: String,
    /// Further addresses of the interface.
    #[serde(rename = "LinkLocalIPs", skip_serializing_if = "Option::is_none")]
    pub link_local_ips: Option<Vec<String>>,
}
