//! What the kernel shows of ours, and what of others concerns us.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;
use netebpf_common::abi::{
    Address, AllowKey, Config, Endpoint, Family, Hook, LinkKey, LocalAddress, Mac, Netns, Network,
    PublishBlock, PublishKey, PublishTarget, TrustKey, Uplink,
};

use crate::{
    model::{EndpointId, NetworkId, SandboxId, family_of},
    plan::{Entry, Key},
};

/// A reading of the kernel's state, taken in one pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Links of the host's namespace by index.
    pub links: BTreeMap<u32, Link>,
    /// Namespace files of ours, with what is inside.
    pub sandboxes: BTreeMap<SandboxId, Namespace>,
    /// Programs of ours that are attached and pinned, also those whose link is gone.
    pub attached: BTreeSet<(Hook, u32)>,
    /// Published ports whose sockets we hold.
    pub held: BTreeSet<PublishKey>,
    /// Contents of the tables that the control plane writes.
    pub tables: TableContents,
    /// Digest of the routes in the host's main table that do not lead into networks of ours, of both IP versions.
    pub routes: u32,
    /// Whether the host forwards IPv6.
    pub forwards_ipv6: bool,
    /// Cookie of the host's network namespace (`SO_NETNS_COOKIE`, Linux 5.14).
    pub netns_cookie: u64,
    /// A random number, used as [`Config::seed`] when there is none yet.
    pub seed: u32,
}

impl Observed {
    /// The index of every endpoint's host-side link that is there.
    #[must_use]
    pub fn endpoint_links(&self) -> BTreeMap<EndpointId, u32> {
        let links = self.links.iter().filter_map(|(ifindex, link)| match link.role {
            LinkRole::Veth(Owner::Known(endpoint)) => Some((endpoint, *ifindex)),
            LinkRole::Veth(Owner::Unfinished)
            | LinkRole::Bridge(_)
            | LinkRole::Resolver
            | LinkRole::Loopback
            | LinkRole::Netdev
            | LinkRole::Other => None,
        });
        links.collect()
    }
}

/// A link of the host's namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Name.
    pub name: String,
    /// MAC; zero for links without one.
    pub mac: Mac,
    /// Whether it is set up.
    pub up: bool,
    /// The longest packet that it carries, in bytes.
    pub mtu: u32,
    /// Whether it carries IP packets without an Ethernet header.
    pub bare: bool,
    /// Whether it is a bridge, ours or not.
    pub bridge: bool,
    /// Index of the bridge or bond that it belongs to.
    pub master: Option<u32>,
    /// What it is to us.
    pub role: LinkRole,
    /// Addresses with prefixes.
    pub addresses: BTreeSet<IpNet>,
    /// The address that packets leave with by default, of each IP version that has one which is good outside.
    pub sources: Vec<IpAddr>,
    /// MACs that its bridge forwards to it for good; only read for endpoints.
    pub forwarding: BTreeSet<Mac>,
}

impl Link {
    /// The address of an IP version that packets leave with by default.
    #[must_use]
    pub fn source(&self, family: Family) -> Option<IpAddr> {
        self.sources.iter().copied().find(|address| family_of(*address) == family)
    }
}

/// What a link is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRole {
    /// A network's bridge, by its marks.
    Bridge(Owner<NetworkId>),
    /// The host side of an endpoint's veth, by its marks.
    Veth(Owner<EndpointId>),
    /// The device that leads to the name server.
    Resolver,
    /// The loopback device.
    Loopback,
    /// A device that is not ours and no part of another, with or without Ethernet header: programs are attached to it.
    Netdev,
    /// Any other device.
    Other,
}

/// Who owns a link of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<T> {
    /// The alias names the owner.
    Known(T),
    /// It is marked as ours but no alias was written: the daemon was killed in between.
    Unfinished,
}

/// The inside of a sandbox's namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Namespace {
    /// Interfaces by name, loopback left out.
    pub interfaces: BTreeMap<String, Interface>,
    /// Gateways of the default routes.
    pub default_gateways: BTreeSet<IpAddr>,
    /// The interface that leads to our resolver.
    pub resolver: Option<String>,
    /// Its cookie (`SO_NETNS_COOKIE`, Linux 5.14).
    pub cookie: u64,
}

/// An interface inside a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Index of its other side, in the host's namespace.
    pub peer: Option<u32>,
    /// Whether it is set up.
    pub up: bool,
    /// Its MAC.
    pub mac: Mac,
    /// Addresses with prefixes.
    pub addresses: BTreeSet<IpNet>,
}

/// Contents of the tables that the control plane writes; `compile` makes the wanted ones, `observe` reads these.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableContents {
    /// `CONFIG`; `None` when the map is fresh.
    pub config: Option<Config>,
    /// `ENDPOINTS`.
    pub endpoints: BTreeMap<Address, Endpoint>,
    /// `ENDPOINT_LINKS`.
    pub endpoint_links: BTreeMap<LinkKey, Endpoint>,
    /// `LOCALS`.
    pub locals: BTreeMap<Address, LocalAddress>,
    /// `UPLINKS`.
    pub uplinks: BTreeMap<LinkKey, Uplink>,
    /// `NETWORKS`.
    pub networks: BTreeMap<LinkKey, Network>,
    /// `TRUSTED`.
    pub trusted: BTreeSet<TrustKey>,
    /// `RESOLVING`.
    pub resolving: BTreeSet<Netns>,
    /// `ALLOWED`.
    pub allowed: BTreeSet<AllowKey>,
    /// `PUBLISHED`.
    pub published: BTreeMap<PublishBlock, PublishTarget>,
}

impl TableContents {
    /// What the tables hold once an entry is written.
    pub fn put(&mut self, entry: &Entry) {
        match *entry {
            Entry::Config(config) => self.config = Some(config),
            Entry::Endpoint(key, value) => drop(self.endpoints.insert(key, value)),
            Entry::EndpointLink(key, value) => drop(self.endpoint_links.insert(key, value)),
            Entry::Local(key, value) => drop(self.locals.insert(key, value)),
            Entry::Uplink(key, value) => drop(self.uplinks.insert(key, value)),
            Entry::Network(key, value) => drop(self.networks.insert(key, value)),
            Entry::Trusted(key) => drop(self.trusted.insert(key)),
            Entry::Resolving(key) => drop(self.resolving.insert(key)),
            Entry::Allowed(key) => drop(self.allowed.insert(key)),
            Entry::Published(key, value) => drop(self.published.insert(key, value)),
        }
    }

    /// What the tables hold once an entry is removed.
    pub fn delete(&mut self, key: &Key) {
        match *key {
            Key::Endpoint(key) => drop(self.endpoints.remove(&key)),
            Key::EndpointLink(key) => drop(self.endpoint_links.remove(&key)),
            Key::Local(key) => drop(self.locals.remove(&key)),
            Key::Uplink(key) => drop(self.uplinks.remove(&key)),
            Key::Network(key) => drop(self.networks.remove(&key)),
            Key::Trusted(key) => drop(self.trusted.remove(&key)),
            Key::Resolving(key) => drop(self.resolving.remove(&key)),
            Key::Allowed(key) => drop(self.allowed.remove(&key)),
            Key::Published(key) => drop(self.published.remove(&key)),
        }
    }
}
