//! What is known on one network: the names of its sandboxes, and the sandboxes behind its addresses.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::model::{Endpoint, EndpointSettings, Network, NetworkId, Sandbox};

/// The names on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The network.
    pub network: NetworkId,
    /// Its name, as the user wrote it.
    pub name: String,
    /// Addresses by name in lower case.
    known: BTreeMap<String, Addresses>,
    /// Names of sandboxes by address.
    reverse: BTreeMap<IpAddr, String>,
}

/// The addresses of a name, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// IPv4.
    pub v4: Vec<Ipv4Addr>,
    /// IPv6.
    pub v6: Vec<Ipv6Addr>,
}

impl Zone {
    pub(super) fn new(network: &Network) -> Self {
        Self {
            network: network.id,
            name: network.name.to_string(),
            known: BTreeMap::new(),
            reverse: BTreeMap::new(),
        }
    }

    /// Adds what a sandbox is called here.
    pub(super) fn add(&mut self, sandbox: &Sandbox, endpoint: &Endpoint) {
        if endpoint.addresses.is_empty() {
            return;
        }
        let settings = sandbox.attachment_to(self.network).map(|attachment| &attachment.settings);
        for name in names(sandbox, settings) {
            let known = self.known.entry(name).or_default();
            endpoint.addresses.iter().for_each(|address| known.add(*address));
        }
        for address in &endpoint.addresses {
            self.reverse.insert(*address, sandbox.name.to_string());
        }
    }

    /// The addresses of a name in lower case.
    pub(super) fn addresses(&self, name: &str) -> Option<&Addresses> {
        self.known.get(name)
    }

    /// Every name with its addresses.
    pub(super) fn known(&self) -> impl Iterator<Item = (&str, &Addresses)> {
        self.known.iter().map(|(name, addresses)| (name.as_str(), addresses))
    }

    /// Names that were given with a dot in them.
    pub(super) fn dotted(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str).filter(|name| name.contains('.'))
    }

    pub(super) fn name_of(&self, address: IpAddr) -> Option<&str> {
        self.reverse.get(&address).map(String::as_str)
    }

    /// Whether the network has this name, be it in other letter case.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Addresses {
    fn add(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) if !self.v4.contains(&address) => self.v4.push(address),
            IpAddr::V6(address) if !self.v6.contains(&address) => self.v6.push(address),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
    }
}

/// What a sandbox is called on a network, in lower case.
fn names(sandbox: &Sandbox, settings: Option<&EndpointSettings>) -> impl Iterator<Item = String> {
    let aliases = settings.into_iter().flat_map(|settings| settings.aliases.iter().flatten().cloned());
    let hostname = sandbox.config.hostname.as_ref().map(ToString::to_string);
    let all = [sandbox.name.to_string(), sandbox.id.short()].into_iter().chain(hostname).chain(aliases);
    all.map(|name| name.to_lowercase())
}
