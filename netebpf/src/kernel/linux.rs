//! The real kernel: reads it in one pass, and carries out each action.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use aya::include_bytes_aligned;
use ipnet::IpNet;
use netebpf_common::abi::{Hook, PublishKey};
use rtnetlink::{Handle, packet_route::link::InfoKind};

use super::{
    Error, Kernel, Link, Observed, Settings, addresses,
    bpf::{AttachMode, Datapath, ProgramStatus, TableSize},
    digest::RouteDigest,
    features::{FeatureStatus, Features},
    forwarding, links, mounts, namespaces, netlink, ownership,
    ports::{self, HeldPorts},
    privileges, routes,
    sandboxes::Sandboxes,
    stale, sysctl,
    watch::RouteNotices,
};
use crate::plan::{Action, Entry, Key};

/// The BPF programs; empty when the build was not given any.
pub static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/netebpf.o"));

/// The kernel of this machine, seen from the network namespace that the process runs in.
pub struct LinuxKernel {
    settings: Settings,
    netlink: Handle,
    sandboxes: Sandboxes,
    features: Features,
    datapath: Datapath,
    ports: HeldPorts,
    routes: RouteDigest,
    notices: RouteNotices,
    /// Names of links that are no bridges.
    other_links: BTreeSet<String>,
    netns_cookie: u64,
    seed: u32,
}

impl LinuxKernel {
    /// Checks privileges and kernel, prepares directories and file systems, lets the host forward, and loads the data
    /// path or takes over the pinned one. Must run inside an async runtime, which serves the netlink connections.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        Self::open_object(settings, OBJECT)
    }

    fn open_object(settings: Settings, object: &[u8]) -> Result<Self, Error> {
        privileges::check()?;
        privileges::raise_file_limit();
        let features = Features::probe()?;
        for directory in [&settings.run_dir, &settings.namespaces(), &settings.state_dir] {
            fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        }
        mounts::prepare_bpffs(&settings)?;
        sysctl::enable_forwarding()?;
        let connect = |source| Error::System { doing: "open a netlink socket", source };
        Ok(Self {
            netlink: netlink::connect().map_err(connect)?,
            sandboxes: Sandboxes::new(settings.clone()),
            datapath: Datapath::open(&settings, &features, object)?,
            features,
            ports: HeldPorts::new(settings.clone()),
            routes: RouteDigest::default(),
            notices: RouteNotices::default(),
            other_links: BTreeSet::new(),
            netns_cookie: namespaces::cookie()?,
            seed: random()?,
            settings,
        })
    }

    /// The engine's directories.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where to count notices about routes; while nobody does, each observation reads all routes.
    #[must_use]
    pub fn route_notices(&self) -> RouteNotices {
        self.notices.clone()
    }

    /// Subnets that the host reaches without a gateway.
    pub async fn host_routes(&self) -> Result<Vec<IpNet>, Error> {
        routes::on_link(&self.netlink).await
    }

    /// Whether a link of this name was there when links were last read, and is no bridge.
    #[must_use]
    pub fn is_other_link(&self, name: &str) -> bool {
        self.other_links.contains(name)
    }

    /// Whether the host can listen on IPv6 addresses.
    #[must_use]
    pub fn has_ipv6(&self) -> bool {
        ports::has_ipv6()
    }

    /// Whether no program has a port.
    #[must_use]
    pub fn is_port_free(&self, key: PublishKey) -> bool {
        ports::is_free(key)
    }

    /// Packet counters that are not zero: hook, code of the outcome, packets.
    pub fn counters(&self) -> Result<Vec<(Hook, u8, u64)>, Error> {
        self.datapath.counters()
    }

    /// The way programs are attached to links.
    #[must_use]
    pub const fn attach_mode(&self) -> AttachMode {
        self.datapath.attach_mode()
    }

    /// What netebpf looks for in a kernel.
    #[must_use]
    pub fn features(&self) -> Vec<FeatureStatus> {
        self.features.statuses()
    }

    /// The programs and where they are attached.
    pub async fn programs(&self) -> Result<Vec<ProgramStatus>, Error> {
        let links = links::list(&self.netlink).await?;
        self.datapath.programs(&links.iter().map(|link| link.index).collect())
    }

    /// How many events were too many to be told.
    pub fn events_lost(&self) -> Result<u64, Error> {
        self.datapath.events_lost()
    }

    /// How full the tables are.
    pub fn table_sizes(&self) -> Result<Vec<TableSize>, Error> {
        self.datapath.table_sizes()
    }

    async fn links(&self) -> Result<BTreeMap<u32, Link>, Error> {
        // One after the other: a netlink socket takes one dump at a time.
        let links = links::list(&self.netlink).await?;
        let mut addresses = addresses::list(&self.netlink).await?;
        let mut forwarding = forwarding::list(&self.netlink).await?;
        let links = links.into_iter().map(|link| {
            let addresses = addresses.remove(&link.index).unwrap_or_default();
            let seen = Link {
                role: ownership::role(&link),
                name: link.name,
                mac: link.mac,
                up: link.up,
                mtu: link.mtu,
                bare: link.layer == links::Layer::Bare,
                bridge: link.kind == Some(InfoKind::Bridge),
                master: link.master,
                addresses: addresses.all,
                sources: addresses.sources,
                forwarding: forwarding.remove(&link.index).unwrap_or_default(),
            };
            (link.index, seen)
        });
        Ok(links.collect())
    }
}

impl Kernel for LinuxKernel {
    type Error = Error;

    async fn observe(&mut self) -> Result<Observed, Error> {
        let links = self.links().await?;
        let others = links.values().filter(|link| !link.bridge);
        self.other_links = others.map(|link| link.name.clone()).collect();
        let routes = self.routes.now(&self.netlink, &self.notices, &links).await?;
        let sandboxes = self.sandboxes.observe().await?;
        Ok(Observed {
            attached: self.datapath.attached(&links.keys().copied().collect())?,
            links,
            sandboxes,
            held: self.ports.keys(),
            routes,
            forwards_ipv6: sysctl::forwards_ipv6(),
            tables: self.datapath.contents()?,
            netns_cookie: self.netns_cookie,
            seed: self.seed,
        })
    }

    async fn apply(&mut self, action: &Action) -> Result<(), Error> {
        match action {
            Action::CreateBridge { network, name, mac, ipv6 } => {
                links::create_bridge(&self.netlink, name, *mac, *ipv6, &ownership::alias(network)).await
            }
            Action::CreateVeth { endpoint, sandbox, name, bridge, interface, mac, mtu } => {
                let pair = links::VethPair {
                    name,
                    bridge: *bridge,
                    interface,
                    mac: *mac,
                    mtu: *mtu,
                    namespace: &self.settings.namespace(*sandbox),
                    alias: &ownership::alias(endpoint),
                };
                links::create_veth(&self.netlink, &pair).await
            }
            Action::AttachToBridge { ifindex, bridge } => {
                links::attach_to_bridge(&self.netlink, *ifindex, *bridge).await
            }
            Action::DeleteLink { ifindex, name } => links::delete(&self.netlink, *ifindex, name).await,
            Action::SetMtu { ifindex, mtu } => links::set_mtu(&self.netlink, *ifindex, *mtu).await,
            Action::ForwardIpv6 => sysctl::enable_ipv6_forwarding(),
            Action::AddAddress { ifindex, address } => {
                if address.addr().is_ipv6() {
                    // Somebody may have turned it off since, and the addresses with it.
                    links::enable_ipv6(&self.netlink, *ifindex).await?;
                }
                addresses::add(&self.netlink, *ifindex, *address).await
            }
            Action::DeleteAddress { ifindex, address } => {
                addresses::delete(&self.netlink, *ifindex, *address).await
            }
            Action::SetUp { ifindex } => links::set_up(&self.netlink, *ifindex).await,
            Action::AddForwardingEntry { ifindex, mac } => {
                forwarding::add(&self.netlink, *ifindex, *mac).await
            }
            Action::CreateNamespace { sandbox, adopted: None } => self.sandboxes.create(*sandbox).await,
            Action::CreateNamespace { sandbox, adopted: Some(path) } => self.sandboxes.adopt(*sandbox, path),
            Action::DeleteNamespace { sandbox } => self.sandboxes.remove(*sandbox),
            Action::ConfigureInterface { sandbox, interface, setup } => {
                self.sandboxes.configure(*sandbox, interface, setup).await
            }
            Action::SetDefaultRoute { sandbox, gateway } => {
                self.sandboxes.set_default_route(*sandbox, *gateway).await
            }
            Action::DeleteDefaultRoute { sandbox, gateway } => {
                self.sandboxes.delete_default_route(*sandbox, *gateway).await
            }
            Action::AttachProgram { hook, ifindex } => self.datapath.attach(*hook, *ifindex),
            Action::DetachProgram { hook, ifindex } => self.datapath.detach(*hook, *ifindex),
            Action::HoldPort(key) => self.ports.hold(*key),
            Action::ReleasePort(key) => {
                self.ports.release(key).await;
                Ok(())
            }
            Action::Put(entry) => {
                self.datapath.put(entry)?;
                if let Entry::Published(block, _) = entry {
                    stale::disconnect(&self.settings, block);
                }
                Ok(())
            }
            Action::Delete(key) => {
                self.datapath.delete(key)?;
                if let Key::Published(block) = key {
                    stale::disconnect(&self.settings, block);
                }
                Ok(())
            }
        }
    }
}

fn random() -> Result<u32, Error> {
    getrandom::u32().map_err(|error| Error::System {
        doing: "get a random number",
        source: std::io::Error::other(error.to_string()),
    })
}
