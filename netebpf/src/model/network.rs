//! A network: a set of endpoints that reach each other over one bridge.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use netebpf_common::abi::Mac;

use super::{Name, NetworkId, local_mac};

/// A bridge network as the user asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Identifier.
    pub id: NetworkId,
    /// Name, unique among networks.
    pub name: Name,
    /// When it was created, in seconds since the Unix epoch.
    pub created: u64,
    /// Address pools, at most one for each IP version.
    pub pools: Vec<Pool>,
    /// Whether endpoints may talk to each other (`com.docker.network.bridge.enable_icc`).
    pub icc: bool,
    /// Whether nothing leaves the network (`--internal`).
    pub internal: bool,
    /// The options as given with `-o`, for `inspect`.
    pub options: BTreeMap<String, String>,
    /// User labels.
    pub labels: BTreeMap<String, String>,
}

/// A network's addresses of one IP version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The subnet, with host bits cleared.
    pub subnet: IpNet,
    /// The bridge's address in it.
    pub gateway: IpAddr,
}

impl Network {
    /// The name of the network's bridge device, as Docker names it.
    #[must_use]
    pub fn bridge_name(&self) -> String {
        format!("br-{}", self.id.short())
    }

    /// The MAC of the network's bridge device.
    #[must_use]
    pub fn bridge_mac(&self) -> Mac {
        local_mac(self.id.as_bytes())
    }

    /// The network's pool for addresses of the same IP version as this one.
    #[must_use]
    pub fn pool_for(&self, address: IpAddr) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.gateway.is_ipv4() == address.is_ipv4())
    }
}

impl Pool {
    /// An address with the length of the subnet's prefix, as a link carries it.
    #[must_use]
    pub fn with_prefix(&self, address: IpAddr) -> IpNet {
        IpNet::new(address, self.subnet.prefix_len()).unwrap_or_else(|_| address.into())
    }
}
