//! Which names a sandbox resolves, and to what: the server's answers and the kernel's table are both made of this.
//!
//! As Docker's engine does it: a name is looked for as it is on each of the sandbox's networks, then, part by part from
//! its end, as a name on the network that its last parts name. Links of the sandbox come before the names on its networks.

mod table;
#[cfg(test)]
mod tests;
mod zone;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use netebpf_common::abi::Family;

use crate::model::{FAMILIES, Network, NetworkId, Sandbox, SandboxId, Spec};

pub use table::{Scope, Table};
pub use zone::{Addresses, Zone};

/// What each sandbox resolves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    zones: BTreeMap<NetworkId, Arc<Zone>>,
    views: BTreeMap<SandboxId, Arc<View>>,
}

/// What one sandbox resolves: the names on its networks, and what it calls others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its networks, in the order in which they are asked.
    zones: Vec<Arc<Zone>>,
    /// By what it calls another sandbox and by network, the name which that has there.
    links: BTreeMap<String, BTreeMap<NetworkId, String>>,
}

/// A name that is known to a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The network that knows it.
    pub zone: &'a Zone,
    /// What it is called there, if it was asked for by a link's name.
    pub linked: Option<&'a str>,
    /// Its addresses; there is at least one, maybe not of the IP version asked for.
    pub addresses: &'a Addresses,
}

impl Names {
    /// The names of all endpoints in force. The default network knows none.
    #[must_use]
    pub fn of(spec: &Spec) -> Self {
        Self::default().after(&Spec::default(), spec)
    }

    /// The names by the spec that follows the one which these are of: only what the change concerns is worked out anew.
    #[must_use]
    pub fn after(&self, before: &Spec, spec: &Spec) -> Self {
        let sandboxes: BTreeSet<_> = spec.sandboxes.changed(&before.sandboxes).copied().collect();
        let mut networks: BTreeSet<_> = spec.networks.changed(&before.networks).copied().collect();
        let both = sandboxes.iter().flat_map(|id| [before.sandboxes.get(id), spec.sandboxes.get(id)]);
        let attachments = both.flatten().flat_map(|sandbox| &sandbox.attachments);
        networks.extend(attachments.map(|attachment| attachment.network));

        let zones = self.zones_after(&networks, spec);
        let is_concerned = |sandbox: &Sandbox| {
            sandboxes.contains(&sandbox.id)
                || sandbox.attachments.iter().any(|attachment| networks.contains(&attachment.network))
        };
        let views = spec.active_sandboxes().filter_map(|sandbox| {
            let view = if is_concerned(sandbox) {
                spec.has_resolver(sandbox).then(|| Arc::new(View::of(spec, sandbox, &zones)))
            } else {
                self.views.get(&sandbox.id).cloned()
            };
            Some((sandbox.id, view?))
        });
        Self { views: views.collect(), zones }
    }

    /// These networks' names as a spec has them now, and the others' as they were.
    fn zones_after(&self, networks: &BTreeSet<NetworkId>, spec: &Spec) -> BTreeMap<NetworkId, Arc<Zone>> {
        let there =
            networks.iter().filter_map(|id| spec.networks.get(id)).filter(|network| network.has_names());
        let mut anew: BTreeMap<_, _> = there.map(|network| (network.id, Zone::new(network))).collect();
        for (sandbox, endpoint, network) in spec.active_endpoints() {
            if let Some(zone) = anew.get_mut(&network.id) {
                zone.add(sandbox, endpoint);
            }
        }
        let kept = self.zones.iter().filter(|(id, _)| !networks.contains(id));
        let kept = kept.map(|(id, zone)| (*id, Arc::clone(zone)));
        kept.chain(anew.into_iter().map(|(id, zone)| (id, Arc::new(zone)))).collect()
    }

    /// The networks that know names.
    pub fn networks(&self) -> impl Iterator<Item = NetworkId> {
        self.zones.keys().copied()
    }

    /// What a sandbox resolves; none if it is on no network with names.
    #[must_use]
    pub fn view(&self, sandbox: SandboxId) -> Option<&View> {
        self.views.get(&sandbox).map(|view| &**view)
    }
}

impl View {
    fn of(spec: &Spec, sandbox: &Sandbox, zones: &BTreeMap<NetworkId, Arc<Zone>>) -> Self {
        let mut links: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for attachment in sandbox.attachments.iter().filter(|attachment| attachment.endpoint.is_some()) {
            for link in &attachment.settings.links {
                let target = link.sandbox.to_lowercase();
                links.entry(link.alias.to_lowercase()).or_default().insert(attachment.network, target);
            }
        }
        let networks = in_order(spec, sandbox).into_iter();
        Self { zones: networks.filter_map(|network| zones.get(&network.id).cloned()).collect(), links }
    }

    /// The networks in the order in which they are asked.
    pub fn zones(&self) -> impl Iterator<Item = &Zone> {
        self.zones.iter().map(|zone| &**zone)
    }

    /// Looks for a name in lower case, without a dot at its end. Nothing is found of a name that is to be forwarded.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<Found<'_>> {
        splits(name).find_map(|(name, network)| {
            let asked =
                || self.zones().filter(move |zone| network.is_none_or(|network| zone.is_called(network)));
            let linked = || asked().find_map(|zone| self.follow(zone, name));
            let named = || asked().find_map(|zone| self.look_up(zone, name));
            linked().or_else(named)
        })
    }

    /// The name of the sandbox that has an address, and its network.
    #[must_use]
    pub fn name_of(&self, address: IpAddr) -> Option<(&str, &Zone)> {
        self.zones().find_map(|zone| Some((zone.name_of(address)?, zone)))
    }

    fn link(&self, zone: &Zone, name: &str) -> Option<&str> {
        self.links.get(name)?.get(&zone.network).map(String::as_str)
    }

    fn follow<'a>(&'a self, zone: &'a Zone, name: &str) -> Option<Found<'a>> {
        let target = self.link(zone, name)?;
        Some(Found { zone, linked: Some(target), addresses: zone.addresses(target)? })
    }

    /// A link hides what its network knows by the same name, even if it leads nowhere.
    fn look_up<'a>(&'a self, zone: &'a Zone, name: &str) -> Option<Found<'a>> {
        if self.link(zone, name).is_some() {
            return None;
        }
        Some(Found { zone, linked: None, addresses: zone.addresses(name)? })
    }
}

/// The name as it is, then the ways of reading it as a name and a network, the shortest network first.
fn splits(name: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let dots = name.rmatch_indices('.');
    let parts = dots.map(|(dot, _)| (&name[..dot], Some(&name[dot + 1..])));
    [(name, None)].into_iter().chain(parts)
}

/// The networks of a sandbox as Docker orders its endpoints: by priority, internal ones last, by how many IP versions lead
/// out, by name.
fn in_order<'a>(spec: &'a Spec, sandbox: &'a Sandbox) -> Vec<&'a Network> {
    let joined = sandbox.attachments.iter().filter(|attachment| attachment.endpoint.is_some());
    let joined = joined.filter_map(|attachment| {
        Some((attachment.settings.gateway_priority, spec.networks.get(&attachment.network)?))
    });
    let mut networks: Vec<_> = joined.collect();
    networks.sort_by_key(|(priority, network)| {
        let leads_out = |family: &Family| network.way_out(*family).is_some();
        let ways = FAMILIES.iter().filter(|family| leads_out(family)).count();
        (Reverse(*priority), network.internal, Reverse(ways), &network.name)
    });
    networks.into_iter().map(|(_, network)| network).collect()
}
