//! Which networks and sandboxes a change concerns, and what the kernel shows without all the others.
//!
//! A kernel that is as one spec asks needs, for the next spec, only what differs between the two: planning for a thousand
//! sandboxes because one is new would make that one wait. What belongs to nobody is always in view.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use netebpf_common::abi::{Address, Netns, PublishKey};

use crate::{
    kernel::{Link, LinkRole, Observed, Owner, TableContents},
    model::{EndpointId, NetworkId, PortMapping, Sandbox, SandboxId, Spec},
};

/// The part of a spec that a change concerns, and who the others are.
#[derive(Debug)]
pub(super) struct Scope {
    /// The networks and sandboxes that are concerned.
    pub(super) spec: Spec,
    networks: HashSet<NetworkId>,
    /// Names of bridges of others' that networks which are not concerned use.
    devices: HashSet<String>,
    sandboxes: HashSet<SandboxId>,
    endpoints: HashSet<EndpointId>,
    addresses: HashSet<Address>,
    held: BTreeSet<PublishKey>,
}

impl Scope {
    /// What differs between two specs, with the networks that it lies on and the sandboxes that it is linked to.
    pub(super) fn between(old: &Spec, new: &Spec) -> Self {
        let networks: BTreeSet<_> = new.networks.changed(&old.networks).copied().collect();
        let mut sandboxes: BTreeSet<_> = new.sandboxes.changed(&old.sandboxes).copied().collect();
        let is_on = |sandbox: &&Sandbox| networks.iter().any(|id| sandbox.attachment_to(*id).is_some());
        sandboxes.extend(new.sandboxes.values().filter(is_on).map(|sandbox| sandbox.id));
        let linked: Vec<_> = new
            .sandboxes
            .values()
            .filter(|sandbox| !sandbox.links.is_empty())
            .flat_map(|sandbox| sandbox.links.iter().map(move |link| (sandbox.id, link.sandbox)))
            .filter(|(from, to)| sandboxes.contains(from) || sandboxes.contains(to))
            .collect();
        sandboxes.extend(linked.into_iter().flat_map(|(from, to)| [from, to]));
        Self::of(new, networks, &sandboxes)
    }

    fn of(new: &Spec, mut networks: BTreeSet<NetworkId>, sandboxes: &BTreeSet<SandboxId>) -> Self {
        let mut spec = Spec { sandboxes: new.sandboxes.select(sandboxes), ..Spec::default() };
        let attachments = spec.sandboxes.values().flat_map(|sandbox| &sandbox.attachments);
        networks.extend(attachments.map(|attachment| attachment.network));
        spec.networks = new.networks.select(&networks);
        let others = || new.networks.values().filter(|network| !networks.contains(&network.id));
        let strangers = || new.active_sandboxes().filter(|sandbox| !sandboxes.contains(&sandbox.id));
        let endpoints = || strangers().flat_map(Sandbox::endpoints);
        let addresses =
            endpoints().flat_map(|endpoint| endpoint.addresses.iter().copied().map(Address::from));
        let held = strangers().flat_map(|sandbox| new.translated(sandbox)).flat_map(PortMapping::keys);
        Self {
            devices: others().filter_map(|network| network.bridge.device.clone()).collect(),
            networks: others().map(|network| network.id).collect(),
            sandboxes: strangers().map(|sandbox| sandbox.id).collect(),
            endpoints: endpoints().map(|endpoint| endpoint.id).collect(),
            addresses: addresses.collect(),
            held: held.collect(),
            spec,
        }
    }

    /// What the kernel shows without what belongs to others.
    pub(super) fn restrict(&self, observed: &Observed) -> Observed {
        let (mut links, mut hidden) = (BTreeMap::new(), HashSet::new());
        for (ifindex, link) in &observed.links {
            if self.is_hidden(link) {
                hidden.insert(*ifindex);
            } else {
                links.insert(*ifindex, link.clone());
            }
        }
        let sandboxes = observed.sandboxes.iter().filter(|(id, _)| !self.sandboxes.contains(id));
        let attached = observed.attached.iter().filter(|(_, ifindex)| !hidden.contains(ifindex));
        Observed {
            sandboxes: sandboxes.map(|(id, inside)| (*id, inside.clone())).collect(),
            attached: attached.copied().collect(),
            held: observed.held.difference(&self.held).copied().collect(),
            tables: TableContents {
                resolving: self.restrict_resolving(observed),
                ..self.restrict_tables(&observed.tables, &hidden)
            },
            routes: observed.routes,
            forwards_ipv6: observed.forwards_ipv6,
            netns_cookie: observed.netns_cookie,
            seed: observed.seed,
            links,
        }
    }

    fn is_hidden(&self, link: &Link) -> bool {
        match link.role {
            LinkRole::Bridge(Owner::Known(network)) => self.networks.contains(&network),
            LinkRole::Veth(Owner::Known(endpoint)) => self.endpoints.contains(&endpoint),
            LinkRole::Netdev => link.bridge && self.devices.contains(&link.name),
            LinkRole::Bridge(Owner::Unfinished)
            | LinkRole::Veth(Owner::Unfinished)
            | LinkRole::Resolver
            | LinkRole::Loopback
            | LinkRole::Other => false,
        }
    }

    fn restrict_resolving(&self, observed: &Observed) -> BTreeSet<Netns> {
        let others = observed.sandboxes.iter().filter(|(id, _)| self.sandboxes.contains(id));
        let hidden: HashSet<_> = others.map(|(_, inside)| inside.cookie).collect();
        let resolving = observed.tables.resolving.iter();
        resolving.filter(|netns| !hidden.contains(&netns.cookie)).copied().collect()
    }

    fn restrict_tables(&self, tables: &TableContents, hidden: &HashSet<u32>) -> TableContents {
        let (is_ours, is_seen) =
            (|address: &Address| !self.addresses.contains(address), |ifindex| !hidden.contains(&ifindex));
        // A link-local address stands under its link.
        let endpoints = tables.endpoints.iter();
        let endpoints = endpoints.filter(|(address, entry)| is_ours(address) && is_seen(entry.ifindex));
        let endpoint_links = tables.endpoint_links.iter().filter(|(key, _)| is_seen(key.ifindex()));
        let locals = tables.locals.iter().filter(|(_, local)| is_seen(local.ifindex));
        let networks = tables.networks.iter().filter(|(key, _)| is_seen(key.ifindex()));
        let allowed = tables.allowed.iter().filter(|key| is_ours(&key.client) && is_ours(&key.server));
        let published = tables.published.iter().filter(|(_, target)| is_ours(&target.address));
        TableContents {
            config: tables.config,
            endpoints: endpoints.map(|(key, value)| (*key, *value)).collect(),
            endpoint_links: endpoint_links.map(|(key, value)| (*key, *value)).collect(),
            locals: locals.map(|(key, value)| (*key, *value)).collect(),
            uplinks: tables.uplinks.clone(),
            networks: networks.map(|(key, value)| (*key, *value)).collect(),
            trusted: tables.trusted.iter().filter(|key| is_seen(key.bridge)).copied().collect(),
            resolving: BTreeSet::new(),
            allowed: allowed.copied().collect(),
            published: published.map(|(key, value)| (*key, *value)).collect(),
        }
    }
}
