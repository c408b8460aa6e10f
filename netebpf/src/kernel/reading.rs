//! What was read of the kernel last, kept so that a pass over thousands of links reads only what may have changed: what our
//! own actions touched, and what the kernel has told of. Now and then everything is read again, in case of silence.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use netebpf_common::abi::Hook;
use rtnetlink::{Handle, packet_route::link::InfoKind};

use super::{
    Error, Link, Observed, addresses,
    addresses::Addresses,
    bpf::Datapath,
    doubt::Doubt,
    forwarding,
    links::{self, RawLink},
    ownership,
    ports::HeldPorts,
    resolver,
    sandboxes::Sandboxes,
    sysctl,
    watch::Heard,
};
use crate::{model::SandboxId, plan::Action};

/// From so many links on one reading of them all takes less time than one of each.
const MANY_LINKS: usize = 64;

/// How many namespaces are doubted at a time when there is no reason to. A namespace takes three requests.
const NAMESPACES_AT_A_TIME: usize = 64;

/// What was read last, and the doubts about it.
pub(super) struct Reading {
    /// What was read.
    pub(super) observed: Observed,
    /// Grows with each action, and with each reading that may differ from the last one.
    pub(super) revision: u64,
    /// Links that may be others, or gone.
    links: Doubt<u32>,
    /// Links whose programs may be others.
    attached: Doubt<u32>,
    namespaces: Doubt<SandboxId>,
    tables: bool,
    held: bool,
    /// Whether somebody may have changed if the host forwards IPv6.
    forwarding: bool,
    /// Namespaces up to this one were doubted for no reason; those behind it are next.
    last: Option<SandboxId>,
}

impl Reading {
    /// Starts with what never changes.
    pub(super) const fn new(observed: Observed) -> Self {
        Self {
            observed,
            revision: 0,
            links: Doubt::Everything,
            attached: Doubt::Everything,
            namespaces: Doubt::Everything,
            tables: true,
            held: true,
            forwarding: true,
            last: None,
        }
    }

    /// Doubts everything of the host, and the next few namespaces.
    pub(super) fn doubt(&mut self) {
        self.links = Doubt::Everything;
        self.attached = Doubt::Everything;
        self.tables = true;
        self.held = true;
        self.forwarding = true;
        let behind = |id: &&SandboxId| self.last.is_none_or(|last| **id > last);
        let next = self.observed.sandboxes.keys().filter(behind).take(NAMESPACES_AT_A_TIME);
        let next: BTreeSet<_> = next.copied().collect();
        // A file that nobody of us made is found by looking at all of them.
        let is_round = next.len() < NAMESPACES_AT_A_TIME;
        self.last = if is_round { None } else { next.last().copied() };
        self.namespaces.merge(Doubt::Of(next));
        if is_round && self.observed.sandboxes.len() < NAMESPACES_AT_A_TIME {
            self.namespaces = Doubt::Everything;
        }
    }

    /// Doubts everything, because reading it has failed.
    pub(super) fn give_up(&mut self) {
        *self = Self { revision: self.revision + 1, ..Self::new(mem::take(&mut self.observed)) };
    }

    /// Doubts links that the kernel has told of, and what is behind those that were interrupted.
    pub(super) fn heard_of(&mut self, heard: Heard) {
        self.links.merge(heard.links);
        heard.interrupted.into_iter().for_each(|ifindex| self.doubt_behind(ifindex));
    }

    /// Takes note of what an action of ours has changed, or may have changed if it failed.
    pub(super) fn note(&mut self, action: &Action, succeeded: bool) {
        self.revision += 1;
        match action {
            Action::CreateBridge { name, .. } => self.doubt_named(name),
            Action::CreateVeth { name, bridge, sandbox, .. } => {
                self.doubt_named(name);
                self.links.add(*bridge);
                self.namespaces.add(*sandbox);
            }
            Action::CreateResolver => self.doubt_named(resolver::device::NAME),
            Action::AttachToBridge { ifindex, bridge } => {
                self.links.add(*ifindex);
                self.links.add(*bridge);
            }
            Action::AddForwardingEntry { ifindex, mac } => match self.observed.links.get_mut(ifindex) {
                Some(link) if succeeded => drop(link.forwarding.insert(*mac)),
                Some(_) | None => self.links = Doubt::Everything,
            },
            Action::DeleteLink { ifindex, .. }
            | Action::SetMtu { ifindex, .. }
            | Action::AddAddress { ifindex, .. }
            | Action::DeleteAddress { ifindex, .. }
            | Action::SetUp { ifindex } => self.links.add(*ifindex),
            Action::CreateNamespace { sandbox, .. }
            | Action::DeleteNamespace { sandbox }
            | Action::ConfigureInterface { sandbox, .. }
            | Action::SetDefaultRoute { sandbox, .. }
            | Action::DeleteDefaultRoute { sandbox, .. }
            | Action::ReachResolver { sandbox, .. }
            | Action::LeaveResolver { sandbox } => self.namespaces.add(*sandbox),
            Action::AttachProgram { hook, ifindex } if succeeded => {
                self.observed.attached.insert((*hook, *ifindex));
            }
            Action::DetachProgram { hook, ifindex } if succeeded => {
                self.observed.attached.remove(&(*hook, *ifindex));
            }
            Action::AttachProgram { ifindex, .. } | Action::DetachProgram { ifindex, .. } => {
                self.attached.add(*ifindex);
            }
            Action::Put(entry) if succeeded => self.observed.tables.put(entry),
            Action::Delete(key) if succeeded => self.observed.tables.delete(key),
            Action::Put(_) | Action::Delete(_) => self.tables = true,
            Action::HoldPort(_) | Action::ReleasePort(_) => self.held = true,
            Action::ForwardIpv6 => self.forwarding = true,
        }
    }

    fn doubt_named(&mut self, name: &str) {
        match links::index_of(name) {
            Some(ifindex) => self.links.add(ifindex),
            None => self.links = Doubt::Everything,
        }
    }

    /// Reads the doubted links of the host's namespace.
    pub(super) async fn read_links(&mut self, netlink: &Handle) -> Result<(), Error> {
        match self.links.take() {
            Doubt::Of(links) if links.len() < MANY_LINKS => {
                for ifindex in links {
                    self.read_link(netlink, ifindex).await?;
                }
            }
            many @ (Doubt::Of(_) | Doubt::Everything) => {
                self.revision += 1;
                let known = mem::replace(&mut self.observed.links, all_links(netlink).await?);
                for ifindex in known.into_keys() {
                    self.note_gone(ifindex);
                }
                self.attached.merge(many);
            }
        }
        Ok(())
    }

    async fn read_link(&mut self, netlink: &Handle, ifindex: u32) -> Result<(), Error> {
        self.attached.add(ifindex);
        let Some(raw) = links::find(netlink, ifindex).await? else {
            self.revision += u64::from(self.observed.links.remove(&ifindex).is_some());
            self.note_gone(ifindex);
            return Ok(());
        };
        let addresses = addresses::of_link(netlink, ifindex).await?;
        // Entries for good stay as long as the link belongs to the same bridge.
        let known = self.observed.links.get(&ifindex);
        let same = known.filter(|known| known.master == raw.master);
        let forwarding = same.map(|known| known.forwarding.clone()).unwrap_or_default();
        let link = Link { forwarding, ..seen(raw, addresses) };
        if known != Some(&link) {
            self.observed.links.insert(ifindex, link);
            self.revision += 1;
        }
        Ok(())
    }

    /// A veth that is gone took its other side along.
    fn note_gone(&mut self, ifindex: u32) {
        if !self.observed.links.contains_key(&ifindex) {
            self.doubt_behind(ifindex);
        }
    }

    /// Doubts the namespace that the other side of a veth is in.
    fn doubt_behind(&mut self, ifindex: u32) {
        for (sandbox, namespace) in &self.observed.sandboxes {
            if namespace.interfaces.values().any(|interface| interface.peer == Some(ifindex)) {
                self.namespaces.add(*sandbox);
            }
        }
    }

    /// Looks where programs are attached among the doubted links.
    pub(super) fn read_attached(&mut self, datapath: &Datapath) -> Result<(), Error> {
        let links = || self.observed.links.keys().copied().collect();
        match self.attached.take() {
            Doubt::Everything => {
                self.observed.attached = datapath.attached(&links())?;
                self.revision += 1;
            }
            Doubt::Of(doubted) => {
                for ifindex in doubted {
                    let is_there = self.observed.links.contains_key(&ifindex);
                    let found = datapath.attached_to(ifindex, is_there)?;
                    let known = Hook::ALL.map(|hook| (hook, ifindex));
                    let known = known.into_iter().filter(|place| self.observed.attached.contains(place));
                    let known: BTreeSet<_> = known.collect();
                    if known != found {
                        self.observed.attached.retain(|place| !known.contains(place));
                        self.observed.attached.extend(found);
                        self.revision += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the doubted namespaces.
    pub(super) async fn read_namespaces(&mut self, sandboxes: &mut Sandboxes) -> Result<(), Error> {
        match self.namespaces.take() {
            Doubt::Everything => {
                self.observed.sandboxes = sandboxes.observe().await?;
                self.revision += 1;
            }
            Doubt::Of(doubted) if doubted.is_empty() => {}
            Doubt::Of(doubted) => {
                let read = sandboxes.observe_some(&doubted).await?;
                let is_same = |id| self.observed.sandboxes.get(id) == read.get(id);
                self.revision += u64::from(!doubted.iter().all(is_same));
                self.observed.sandboxes.retain(|id, _| !doubted.contains(id));
                self.observed.sandboxes.extend(read);
            }
        }
        Ok(())
    }

    /// Asks which ports we hold if that is doubted.
    pub(super) fn read_held(&mut self, ports: &HeldPorts) {
        if mem::take(&mut self.held) {
            self.observed.held = ports.keys();
            self.revision += 1;
        }
    }

    /// Asks whether the host forwards IPv6 if that is doubted.
    pub(super) fn read_forwarding(&mut self) {
        if mem::take(&mut self.forwarding) {
            self.observed.forwards_ipv6 = sysctl::forwards_ipv6();
            self.revision += 1;
        }
    }

    /// Reads the tables if they are doubted.
    pub(super) fn read_tables(&mut self, datapath: &Datapath) -> Result<(), Error> {
        if self.tables {
            self.observed.tables = datapath.contents()?;
            self.tables = false;
            self.revision += 1;
        }
        Ok(())
    }
}

async fn all_links(netlink: &Handle) -> Result<BTreeMap<u32, Link>, Error> {
    // One after the other: a netlink socket takes one dump at a time.
    let links = links::list(netlink).await?;
    let mut addresses = addresses::list(netlink).await?;
    let mut forwarding = forwarding::list(netlink).await?;
    let links = links.into_iter().map(|link| {
        let index = link.index;
        let forwarding = forwarding.remove(&index).unwrap_or_default();
        (index, Link { forwarding, ..seen(link, addresses.remove(&index).unwrap_or_default()) })
    });
    Ok(links.collect())
}

fn seen(link: RawLink, addresses: Addresses) -> Link {
    Link {
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
        forwarding: BTreeSet::new(),
    }
}
