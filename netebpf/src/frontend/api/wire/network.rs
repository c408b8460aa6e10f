//! Networks as the Docker Engine API describes them (version 1.55).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::EndpointConfig;

/// A network, as `GET /networks` and `GET /networks/{id}` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the Docker Engine's shape")]
pub struct Network {
    /// Name.
    pub name: String,
    /// Identifier.
    pub id: String,
    /// When it was created (RFC 3339).
    pub created: String,
    /// Always `local`.
    pub scope: String,
    /// `bridge`, `host` or `null`.
    pub driver: String,
    /// Whether it has IPv4 addresses.
    #[serde(rename = "EnableIPv4")]
    pub enable_ipv4: bool,
    /// Whether it has IPv6 addresses.
    #[serde(rename = "EnableIPv6")]
    pub enable_ipv6: bool,
    /// Its addresses.
    #[serde(rename = "IPAM")]
    pub ipam: Ipam,
    /// Whether nothing leaves it.
    pub internal: bool,
    /// Whether it was created with `--attachable`.
    pub attachable: bool,
    /// Swarm only: always false.
    pub ingress: bool,
    /// The configuration that it was made from.
    pub config_from: NetworkReference,
    /// Whether it is only a configuration for others.
    pub config_only: bool,
    /// Driver options.
    pub options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The sandboxes in it, by id; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containers: Option<BTreeMap<String, NetworkContainer>>,
    /// How full it is; left out in lists, and before version 1.52.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<NetworkStatus>,
}

/// How full a network is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkStatus {
    /// Its addresses.
    #[serde(rename = "IPAM")]
    pub ipam: IpamStatus,
}

/// How full the subnets of a network are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IpamStatus {
    /// By subnet; left out if there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subnets: BTreeMap<String, SubnetStatus>,
}

/// How full a subnet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SubnetStatus {
    /// Addresses that nobody can get any more; a greater number than fits is the greatest that does.
    #[serde(rename = "IPsInUse")]
    pub in_use: u64,
    /// Addresses that endpoints can still get without naming one; the same holds for its size.
    #[serde(rename = "DynamicIPsAvailable")]
    pub available: u64,
}

/// The name of another network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkReference {
    /// The name.
    pub network: String,
}

/// How a network's addresses are managed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ipam {
    /// Always `default`.
    pub driver: Option<String>,
    /// Driver options.
    pub options: Option<BTreeMap<String, String>>,
    /// The pools.
    pub config: Option<Vec<IpamConfig>>,
}

/// A pool of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IpamConfig {
    /// The subnet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subnet: String,
    /// The part of the subnet that addresses are taken from.
    #[serde(rename = "IPRange", skip_serializing_if = "String::is_empty")]
    pub ip_range: String,
    /// The host's address in it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gateway: String,
    /// Addresses that no endpoint gets, by name.
    #[serde(rename = "AuxiliaryAddresses", skip_serializing_if = "Option::is_none")]
    pub auxiliary: Option<BTreeMap<String, String>>,
}

/// A sandbox in a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkContainer {
    /// Name of the sandbox.
    pub name: String,
    /// Identifier of its endpoint in this network.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// MAC of the endpoint.
    pub mac_address: String,
    /// IPv4 address with the subnet's prefix length.
    #[serde(rename = "IPv4Address")]
    pub ipv4_address: String,
    /// IPv6 address with the subnet's prefix length, or empty.
    #[serde(rename = "IPv6Address")]
    pub ipv6_address: String,
}

/// The body of `POST /networks/create`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the Docker Engine's shape")]
pub struct CreateNetwork {
    /// Name.
    pub name: String,
    /// Driver; `bridge` when empty.
    pub driver: String,
    /// Whether it gets IPv4 addresses; yes by default.
    #[serde(rename = "EnableIPv4", skip_serializing_if = "Option::is_none")]
    pub enable_ipv4: Option<bool>,
    /// Whether it gets IPv6 addresses.
    #[serde(rename = "EnableIPv6", skip_serializing_if = "Option::is_none")]
    pub enable_ipv6: Option<bool>,
    /// Its addresses.
    #[serde(rename = "IPAM")]
    pub ipam: Option<Ipam>,
    /// Whether nothing leaves it.
    pub internal: bool,
    /// Whether swarm services' containers may join it.
    pub attachable: bool,
    /// Swarm only.
    pub ingress: bool,
    /// Only to be copied from.
    pub config_only: bool,
    /// The network to copy from.
    pub config_from: Option<NetworkReference>,
    /// `local`, or empty.
    pub scope: String,
    /// Driver options.
    pub options: Option<BTreeMap<String, String>>,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
}

/// The answer to `POST /networks/create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatedNetwork {
    /// Identifier of the new network.
    pub id: String,
    /// Always empty.
    pub warning: String,
}

/// The body of `POST /networks/{id}/connect`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Connect {
    /// The sandbox.
    pub container: String,
    /// Wishes for the endpoint.
    pub endpoint_config: Option<EndpointConfig>,
}

/// The body of `POST /networks/{id}/disconnect`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Disconnect {
    /// The sandbox.
    pub container: String,
    /// Even from a network that is gone.
    pub force: bool,
}

/// The answer to `POST /networks/prune`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pruned {
    /// Names of the networks that are gone; null if there are none.
    pub networks_deleted: Option<Vec<String>>,
}
