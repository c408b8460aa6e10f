//! A kernel in memory, for tests of everything that drives one.
//!
//! What it models, and refuses where Linux does: links with indices that only grow; a veth needs its bridge and its
//! namespace, and goes when either side goes; a bridge that goes lets go of its ports; addresses of host links are local;
//! pins outlive their link; one default route per IP version; a port can be held once, wildcard and specific addresses of
//! one IP version exclude each other; without IPv6 on a bridge it gets no IPv6 address.
//!
//! What it does not model: packets, time, concurrent changes between reading and writing, link-local addresses that
//! appear by themselves, table sizes, names that are too long, and any order that only the real kernel asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;
use netebpf_common::abi::{Address, Mac, PublishKey};

use super::{Interface, Kernel, Link, LinkRole, Namespace, Observed, Owner, TableContents};
use crate::{
    model::{EndpointId, NetworkId, SandboxId},
    plan::Action,
};

/// The state, open to tests: they may change it as other programs would.
#[derive(Debug, Clone)]
pub(crate) struct FakeKernel {
    /// What `observe` shows.
    pub(crate) state: Observed,
    /// Every action that was performed.
    pub(crate) applied: Vec<Action>,
    /// Ports that another program has.
    pub(crate) foreign_ports: BTreeSet<PublishKey>,
    /// How many more actions are performed before everything fails; `None` for no end.
    pub(crate) lives: Option<usize>,
    /// Where the sandbox side of each host-side veth is.
    peers: BTreeMap<u32, (SandboxId, String)>,
    /// Bridges with IPv6.
    ipv6: BTreeSet<u32>,
    next_ifindex: u32,
}

/// Why the fake kernel refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FakeError {
    /// Its lives are used up.
    #[error("the daemon was killed here")]
    Killed,
    /// A link, namespace or interface is not there.
    #[error("no such thing: {0}")]
    Missing(String),
    /// Something of this name or number is there already.
    #[error("already there: {0}")]
    Exists(String),
}

impl Default for FakeKernel {
    /// A host with loopback and one uplink.
    fn default() -> Self {
        let mut kernel = Self {
            state: Observed { netns_cookie: 7, seed: 4711, ..Observed::default() },
            applied: Vec::new(),
            foreign_ports: BTreeSet::new(),
            lives: None,
            peers: BTreeMap::new(),
            ipv6: BTreeSet::new(),
            next_ifindex: 1,
        };
        kernel.add_link("lo", LinkRole::Loopback, &["127.0.0.1/8", "::1/128"]);
        kernel.add_link("eth0", LinkRole::Netdev, &["192.0.2.1/24"]);
        kernel
    }
}

impl FakeKernel {
    /// Adds a link that is up, as another program would, and returns its index.
    pub(crate) fn add_link(&mut self, name: &str, role: LinkRole, addresses: &[&str]) -> u32 {
        let addresses: Vec<IpNet> =
            addresses.iter().map(|address| address.parse().expect("the test gives addresses")).collect();
        let sources = [IpAddr::is_ipv4, IpAddr::is_ipv6].map(|is_of_version| {
            let mut good = addresses.iter().map(IpNet::addr).filter(|address| !is_near(*address));
            good.find(is_of_version)
        });
        let sources = sources.into_iter().flatten().collect();
        let addresses = addresses.into_iter().collect();
        let link = Link { up: true, addresses, sources, ..new_link(name, Mac::default(), role) };
        self.insert(link)
    }

    /// The index of a link.
    pub(crate) fn ifindex(&self, name: &str) -> Option<u32> {
        self.state.links.iter().find(|(_, link)| link.name == name).map(|(&ifindex, _)| ifindex)
    }

    /// Deletes a link with all that hangs on it.
    pub(crate) fn delete_link(&mut self, ifindex: u32) {
        self.state.links.remove(&ifindex);
        for link in self.state.links.values_mut().filter(|link| link.master == Some(ifindex)) {
            link.master = None;
            link.forwarding.clear();
        }
        if let Some((sandbox, interface)) = self.peers.remove(&ifindex)
            && let Some(namespace) = self.state.sandboxes.get_mut(&sandbox)
        {
            namespace.interfaces.remove(&interface);
            namespace.resolver.take_if(|resolver| *resolver == interface);
            let left: Vec<_> =
                namespace.interfaces.values().flat_map(|other| other.addresses.clone()).collect();
            namespace.default_gateways.retain(|gateway| left.iter().any(|subnet| subnet.contains(gateway)));
        }
    }

    /// Deletes a namespace; its veths go with it.
    pub(crate) fn delete_namespace(&mut self, sandbox: SandboxId) {
        self.state.sandboxes.remove(&sandbox);
        let inside = self.peers.iter().filter(|(_, (owner, _))| *owner == sandbox);
        for ifindex in inside.map(|(&ifindex, _)| ifindex).collect::<Vec<_>>() {
            self.delete_link(ifindex);
        }
    }

    /// Forgets what ends with the daemon's process: the sockets that hold ports.
    pub(crate) fn restart_daemon(&mut self) {
        self.state.held.clear();
        self.lives = None;
    }

    /// Forgets what ends with the machine: links of ours, namespaces, programs, tables.
    pub(crate) fn reboot(&mut self) {
        self.restart_daemon();
        self.state.links.retain(|_, link| {
            !matches!(link.role, LinkRole::Bridge(_) | LinkRole::Veth(_) | LinkRole::Resolver)
        });
        self.state.sandboxes.clear();
        self.state.attached.clear();
        self.state.tables = TableContents::default();
        self.peers.clear();
    }

    /// The cookie follows from the sandbox, so that two ways to the same state end in the same one.
    fn create_namespace(&mut self, sandbox: SandboxId) {
        let cookie = sandbox.as_bytes().first_chunk().copied().map_or(0, u64::from_le_bytes);
        self.state.sandboxes.entry(sandbox).or_insert_with(|| Namespace { cookie, ..Namespace::default() });
    }

    fn insert(&mut self, link: Link) -> u32 {
        let ifindex = self.next_ifindex;
        self.next_ifindex += 1;
        self.state.links.insert(ifindex, link);
        ifindex
    }

    fn link(&mut self, ifindex: u32) -> Result<&mut Link, FakeError> {
        self.state.links.get_mut(&ifindex).ok_or_else(|| FakeError::Missing(format!("link {ifindex}")))
    }

    fn namespace(&mut self, sandbox: SandboxId) -> Result<&mut Namespace, FakeError> {
        self.state
            .sandboxes
            .get_mut(&sandbox)
            .ok_or_else(|| FakeError::Missing(format!("namespace {sandbox}")))
    }

    fn create_bridge(
        &mut self,
        network: NetworkId,
        name: &str,
        mac: Mac,
        ipv6: bool,
    ) -> Result<(), FakeError> {
        let role = LinkRole::Bridge(Owner::Known(network));
        let Some(ifindex) = self.ifindex(name) else {
            let ifindex = self.insert(new_link(name, mac, role));
            self.ipv6.extend(ipv6.then_some(ifindex));
            return Ok(());
        };
        self.ipv6.extend(ipv6.then_some(ifindex));
        let link = self.link(ifindex)?;
        match link.role {
            LinkRole::Bridge(_) => link.role = role,
            LinkRole::Veth(_)
            | LinkRole::Resolver
            | LinkRole::Loopback
            | LinkRole::Netdev
            | LinkRole::Other => {
                return Err(FakeError::Exists(name.to_owned()));
            }
        }
        Ok(())
    }

    fn add_address(&mut self, ifindex: u32, address: IpNet) -> Result<(), FakeError> {
        if address.addr().is_ipv6() && !self.ipv6.contains(&ifindex) {
            return Err(FakeError::Missing(format!("IPv6 on link {ifindex}")));
        }
        self.link(ifindex)?.addresses.insert(address);
        Ok(())
    }

    fn create_veth(&mut self, veth: &NewVeth<'_>) -> Result<(), FakeError> {
        self.link(veth.bridge)?;
        let (sandbox, role) = (veth.sandbox, LinkRole::Veth(Owner::Known(veth.endpoint)));
        if let Some(ifindex) = self.ifindex(veth.name) {
            self.link(ifindex)?.role = role;
            return Ok(());
        }
        let interface = Interface { peer: None, up: false, mac: veth.mac, addresses: BTreeSet::new() };
        let namespace = self.namespace(sandbox)?;
        if namespace.interfaces.contains_key(veth.interface) {
            return Err(FakeError::Exists(veth.interface.to_owned()));
        }
        namespace.interfaces.insert(veth.interface.to_owned(), interface);
        let made = new_link(veth.name, Mac([2, 0, 0, 0, 0, 1]), role);
        let link = Link { master: Some(veth.bridge), mtu: veth.mtu.unwrap_or(made.mtu), ..made };
        let ifindex = self.insert(link);
        self.peers.insert(ifindex, (sandbox, veth.interface.to_owned()));
        Ok(())
    }

    fn set_default_route(&mut self, sandbox: SandboxId, gateway: IpAddr) -> Result<(), FakeError> {
        let namespace = self.namespace(sandbox)?;
        let mut up = namespace.interfaces.values().filter(|interface| interface.up);
        if !up.any(|interface| interface.addresses.iter().any(|subnet| subnet.contains(&gateway))) {
            return Err(FakeError::Missing(format!("route to gateway {gateway}")));
        }
        namespace.default_gateways.retain(|other| other.is_ipv4() != gateway.is_ipv4());
        namespace.default_gateways.insert(gateway);
        Ok(())
    }

    fn hold_port(&mut self, key: PublishKey) -> Result<(), FakeError> {
        let mut taken = self.state.held.iter().chain(&self.foreign_ports);
        let has = |address| {
            let key = PublishKey::new(address, key.port, key.protocol());
            self.state.held.contains(&key) || self.foreign_ports.contains(&key)
        };
        let is_alike = |other: &PublishKey| {
            let of = |key: &PublishKey| (key.port, key.protocol(), key.address.family());
            of(other) == of(&key)
        };
        if self.state.held.contains(&key) {
            return Ok(());
        }
        let is_any = key.address.is_unspecified();
        if has(key.address)
            || has(Address::unspecified(key.address.family()))
            || (is_any && taken.any(is_alike))
        {
            return Err(FakeError::Exists(format!("{key:?}")));
        }
        self.state.held.insert(key);
        Ok(())
    }

    fn perform(&mut self, action: &Action) -> Result<(), FakeError> {
        match action.clone() {
            Action::CreateBridge { network, name, mac, ipv6 } => {
                self.create_bridge(network, &name, mac, ipv6)?;
            }
            Action::CreateVeth { endpoint, sandbox, ref name, bridge, ref interface, mac, mtu } => {
                self.create_veth(&NewVeth { endpoint, sandbox, name, bridge, interface, mac, mtu })?;
            }
            Action::CreateResolver => {
                if self.ifindex("netebpf-dns").is_none() {
                    self.insert(new_link("netebpf-dns", Mac::default(), LinkRole::Resolver));
                }
            }
            Action::AttachToBridge { ifindex, bridge } => {
                self.link(bridge)?;
                let link = self.link(ifindex)?;
                link.master = Some(bridge);
                link.forwarding.clear();
            }
            Action::DeleteLink { ifindex, .. } => self.delete_link(ifindex),
            Action::SetMtu { ifindex, mtu } => self.link(ifindex)?.mtu = mtu,
            Action::ForwardIpv6 => self.state.forwards_ipv6 = true,
            Action::AddAddress { ifindex, address } => self.add_address(ifindex, address)?,
            Action::DeleteAddress { ifindex, address } => {
                self.link(ifindex)?.addresses.remove(&address);
            }
            Action::SetUp { ifindex } => self.link(ifindex)?.up = true,
            Action::AddForwardingEntry { ifindex, mac } => {
                let link = self.link(ifindex)?;
                link.master.ok_or_else(|| FakeError::Missing(format!("bridge of link {ifindex}")))?;
                link.forwarding.insert(mac);
            }
            Action::CreateNamespace { sandbox, .. } => self.create_namespace(sandbox),
            Action::DeleteNamespace { sandbox } => self.delete_namespace(sandbox),
            Action::ConfigureInterface { sandbox, interface, setup } => {
                let namespace = self.namespace(sandbox)?;
                let inside = namespace.interfaces.get_mut(&interface).ok_or(FakeError::Missing(interface))?;
                inside.up = true;
                inside.addresses.extend(setup.addresses);
            }
            Action::SetDefaultRoute { sandbox, gateway } => self.set_default_route(sandbox, gateway)?,
            Action::DeleteDefaultRoute { sandbox, gateway } => {
                self.namespace(sandbox)?.default_gateways.remove(&gateway);
            }
            Action::ReachResolver { sandbox, interface, .. } => {
                let namespace = self.namespace(sandbox)?;
                let inside = namespace.interfaces.get(&interface);
                if !inside.is_some_and(|inside| inside.up) {
                    return Err(FakeError::Missing(interface));
                }
                namespace.resolver = Some(interface);
            }
            Action::LeaveResolver { sandbox } => self.namespace(sandbox)?.resolver = None,
            Action::AttachProgram { hook, ifindex } => {
                self.link(ifindex)?;
                self.state.attached.insert((hook, ifindex));
            }
            Action::DetachProgram { hook, ifindex } => drop(self.state.attached.remove(&(hook, ifindex))),
            Action::HoldPort(key) => self.hold_port(key)?,
            Action::ReleasePort(key) => drop(self.state.held.remove(&key)),
            Action::Put(entry) => self.state.tables.put(&entry),
            Action::Delete(key) => self.state.tables.delete(&key),
        }
        Ok(())
    }
}

impl Kernel for FakeKernel {
    type Error = FakeError;

    async fn observe(&mut self) -> Result<&Observed, FakeError> {
        Ok(&self.state)
    }

    fn revision(&self) -> Option<u64> {
        None
    }

    fn distrust(&mut self) {}

    async fn apply(&mut self, action: &Action) -> Result<(), FakeError> {
        if let Some(lives) = &mut self.lives {
            *lives = lives.checked_sub(1).ok_or(FakeError::Killed)?;
        }
        self.perform(action)?;
        self.applied.push(action.clone());
        Ok(())
    }
}

struct NewVeth<'a> {
    endpoint: EndpointId,
    sandbox: SandboxId,
    name: &'a str,
    bridge: u32,
    interface: &'a str,
    mac: Mac,
    mtu: Option<u32>,
}

fn new_link(name: &str, mac: Mac, role: LinkRole) -> Link {
    let name = name.to_owned();
    Link {
        name,
        mac,
        up: false,
        mtu: 1500,
        bare: false,
        bridge: matches!(role, LinkRole::Bridge(_)),
        master: None,
        role,
        addresses: BTreeSet::new(),
        sources: Vec::new(),
        forwarding: BTreeSet::new(),
    }
}

/// Whether packets with this address stay on the link.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    }
}
