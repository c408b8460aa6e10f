//! The real kernel: reads it in one pass, and carries out each action.

use std::fs;

use aya::include_bytes_aligned;
use ipnet::IpNet;
use netebpf_common::abi::{Hook, PublishKey};
use rtnetlink::Handle;

use super::{
    Error, Kernel, Observed, Settings, addresses,
    bpf::{AttachMode, Datapath, ProgramStatus, TableSize, names::NameTables},
    digest::RouteDigest,
    features::{FeatureStatus, Features},
    forwarding, links, mounts, namespaces, netlink, ownership,
    ports::{self, HeldPorts},
    privileges,
    reading::Reading,
    resolver, routes,
    sandboxes::Sandboxes,
    stale, sysctl,
    watch::Notices,
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
    names: NameTables,
    ports: HeldPorts,
    routes: RouteDigest,
    notices: Notices,
    pub(in crate::kernel) reading: Reading,
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
        mounts::set_apart(&settings.namespaces())?;
        mounts::prepare_bpffs(&settings)?;
        sysctl::enable_forwarding()?;
        let connect = |source| Error::System { doing: "open a netlink socket", source };
        Ok(Self {
            netlink: netlink::connect().map_err(connect)?,
            sandboxes: Sandboxes::new(settings.clone()),
            datapath: Datapath::open(&settings, &features, object)?,
            names: NameTables::open(&settings)?,
            features,
            ports: HeldPorts::new(settings.clone()),
            routes: RouteDigest::default(),
            notices: Notices::default(),
            reading: Reading::new(Observed {
                netns_cookie: namespaces::cookie()?,
                seed: random()?,
                ..Observed::default()
            }),
            settings,
        })
    }

    /// The engine's directories.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where to note what the kernel tells of; while nobody does, each observation reads all links and routes.
    #[must_use]
    pub fn notices(&self) -> Notices {
        self.notices.clone()
    }

    /// Subnets that the host reaches without a gateway.
    pub async fn host_routes(&self) -> Result<Vec<IpNet>, Error> {
        routes::on_link(&self.netlink).await
    }

    /// Whether a link of this name was there when links were last read, and is no bridge.
    #[must_use]
    pub fn is_other_link(&self, name: &str) -> bool {
        self.reading.observed.links.values().any(|link| link.name == name && !link.bridge)
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

    /// Whether programs look at the socket calls of this machine's processes.
    #[must_use]
    pub const fn has_socket_hooks(&self) -> bool {
        self.datapath.socket_hooks
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

    /// The tables of names that the kernel answers.
    pub const fn names(&mut self) -> &mut NameTables {
        &mut self.names
    }

    /// Reads what is doubted.
    async fn read(&mut self) -> Result<(), Error> {
        let Self { netlink, sandboxes, datapath, ports, routes, notices, reading, .. } = self;
        reading.heard_of(notices.take_links());
        reading.read_links(netlink).await?;
        reading.read_attached(datapath)?;
        reading.read_namespaces(sandboxes).await?;
        reading.read_tables(datapath)?;
        reading.read_held(ports);
        reading.read_forwarding();
        let observed = &mut reading.observed;
        let digest = routes.now(netlink, notices, &observed.links).await?;
        if digest != observed.routes {
            observed.routes = digest;
            reading.revision += 1;
        }
        Ok(())
    }

    async fn perform(&mut self, action: &Action) -> Result<(), Error> {
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
            Action::CreateResolver => resolver::device::create(&self.netlink, &self.settings).await,
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
            Action::ReachResolver { sandbox, interface, source } => {
                self.sandboxes.reach_resolver(*sandbox, interface, *source).await
            }
            Action::LeaveResolver { sandbox } => self.sandboxes.leave_resolver(*sandbox).await,
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

impl Kernel for LinuxKernel {
    type Error = Error;

    async fn observe(&mut self) -> Result<&Observed, Error> {
        if let Err(error) = self.read().await {
            self.reading.give_up();
            return Err(error);
        }
        Ok(&self.reading.observed)
    }

    fn revision(&self) -> Option<u64> {
        Some(self.reading.revision)
    }

    fn distrust(&mut self) {
        self.reading.doubt();
        self.names.distrust();
    }

    async fn apply(&mut self, action: &Action) -> Result<(), Error> {
        let result = self.perform(action).await;
        self.reading.note(action, result.is_ok());
        result
    }
}

fn random() -> Result<u32, Error> {
    getrandom::u32().map_err(|error| Error::System {
        doing: "get a random number",
        source: std::io::Error::other(error.to_string()),
    })
}
