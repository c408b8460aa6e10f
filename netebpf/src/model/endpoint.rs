//! How a sandbox belongs to a network: what the user wishes, and the endpoint that it has there while it is active.

use std::{collections::BTreeMap, net::IpAddr};

use netebpf_common::abi::{Family, Mac};

use super::{EndpointId, EndpointOptions, LinkRequest, Name, Network, NetworkId, family_of};

/// A sandbox's belonging to a network. It outlives the endpoint: a stopped sandbox remembers its networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The network; it may be gone while the sandbox is not active.
    pub network: NetworkId,
    /// The network's name, to tell what is missing.
    pub name: Name,
    /// What the user wishes.
    pub settings: EndpointSettings,
    /// What the sandbox was given; none while it is not active.
    pub endpoint: Option<Endpoint>,
    /// Whether the sandbox was joined to the network after it was made.
    pub joined_later: bool,
}

/// What a user wishes of an endpoint; everything is optional. What was said to be nothing is told from what was not
/// said at all, for `inspect`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointSettings {
    /// Addresses (`--ip`, `--ip6`).
    pub addresses: Option<AddressWishes>,
    /// Further names of the sandbox on the network (`--network-alias`).
    pub aliases: Option<Vec<String>>,
    /// What this sandbox calls others on the network (`--link`); they need not exist.
    pub links: Vec<LinkRequest>,
    /// Options of the driver as given.
    pub driver_options: Option<BTreeMap<String, String>>,
    /// What they say.
    pub options: EndpointOptions,
    /// Of several networks that lead out the one with the highest is the way (`--gw-priority`).
    pub gateway_priority: i64,
    /// MAC (`--mac-address`).
    pub mac: Option<Mac>,
}

/// The addresses that a user wishes for an endpoint, which may turn out to be of the other IP version; the lowest free ones
/// where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressWishes {
    /// IPv4.
    pub v4: Option<IpAddr>,
    /// IPv6.
    pub v6: Option<IpAddr>,
    /// Link-local addresses beside them (`--link-local-ip`), unchecked; others on the network may have the same.
    pub link_local: Vec<IpAddr>,
}

/// Joins an active sandbox to a network. On the networks `host` and `none` it has neither addresses nor an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Identifier, another one after each start; the host-side veth is named after it.
    pub id: EndpointId,
    /// The network.
    pub network: NetworkId,
    /// Addresses, at most one for each IP version.
    pub addresses: Vec<IpAddr>,
    /// MAC of the sandbox side.
    pub mac: Mac,
    /// Name of the interface in the sandbox.
    pub interface: String,
}

impl EndpointSettings {
    /// The addresses that are wished for, IPv4 first.
    pub fn wished_addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().flat_map(AddressWishes::iter)
    }

    /// The link-local addresses beside them.
    #[must_use]
    pub fn link_local(&self) -> &[IpAddr] {
        self.addresses.as_ref().map_or(&[], |wishes| &wishes.link_local)
    }
}

impl AddressWishes {
    /// The address of each IP version, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.into_iter().chain(self.v6)
    }
}

impl Attachment {
    /// One that awaits its endpoint.
    #[must_use]
    pub fn new(network: &Network, settings: EndpointSettings) -> Self {
        Self {
            network: network.id,
            name: network.name.clone(),
            settings,
            endpoint: None,
            joined_later: false,
        }
    }
}

impl Endpoint {
    /// The name of the host-side veth.
    #[must_use]
    pub fn link_name(&self) -> String {
        format!("neb{}", self.id.short())
    }

    /// MAC of the sandbox side, as it is shown; nothing where there is no interface.
    #[must_use]
    pub fn shown_mac(&self) -> String {
        if self.interface.is_empty() { String::new() } else { self.mac.to_string() }
    }

    /// The endpoint's address of an IP version.
    #[must_use]
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|address| family_of(*address) == family)
    }
}
