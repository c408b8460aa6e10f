//! An endpoint, as Docker's `EndpointSettings`: what clients wish for one, and what it is.

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

/// An endpoint, as containers show theirs. Of one that is not connected only the wishes are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EndpointSettings {
    /// Addresses that are wished for; null if none are.
    #[serde(rename = "IPAMConfig")]
    pub ipam_config: Option<EndpointIpamConfig>,
    /// What the sandbox calls others, as `NAME:ALIAS`; null if there are none.
    pub links: Option<Vec<String>>,
    /// Further names of the sandbox; null if there are none.
    pub aliases: Option<Vec<String>>,
    /// Options of the driver; null if there are none.
    pub driver_opts: Option<BTreeMap<String, String>>,
    /// Of several networks that lead out the one with the highest is the way.
    pub gw_priority: i64,
    /// Identifier of the network; empty if the sandbox was never started.
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
    /// MAC.
    pub mac_address: String,
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
    /// Names by which others on the network find the sandbox; null on the networks that are there by themselves, and if
    /// it was never started.
    #[serde(rename = "DNSNames")]
    pub dns_names: Option<Vec<String>>,
}
