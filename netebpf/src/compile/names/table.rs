//! The same names as a table of whole names in numbered scopes, as the kernel looks them up: the first scope of a view that
//! has the name decides.

use std::collections::{BTreeMap, BTreeSet};

use netebpf_common::abi::{self, NameKey};

use super::{Addresses, Names, View, Zone};
use crate::model::{EndpointId, NetworkId, SandboxId, Spec};

/// The longest name that can be asked for, as text without a dot at its end (RFC 1035, 2.3.4).
const MAX_NAME: usize = 253;
/// The longest part of it.
const MAX_LABEL: usize = 63;

/// Names by scope, and the scopes of each endpoint's sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// By scope the names in it, in lower case: one scope for each network, and one for each sandbox with links.
    pub scopes: BTreeMap<u32, BTreeMap<String, Entry>>,
    /// By endpoint the scopes of its sandbox, in the order in which they are asked.
    pub views: BTreeMap<EndpointId, Vec<u32>>,
}

/// What the kernel says to a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// These addresses, those of the IP version asked for; maybe none.
    Addresses(Addresses),
    /// Nothing: only the server knows what it means for the one who asks.
    Server,
}

impl Names {
    /// The names of all endpoints of a spec as a table; there are at most twice as many as names and links were given.
    #[must_use]
    pub fn table(&self, spec: &Spec) -> Table {
        let numbers = self.numbers();
        let mut scopes = BTreeMap::new();
        let ambiguous = self.ambiguous();
        for (id, zone) in &self.zones {
            scopes.insert(numbers.networks[id], whole_names(zone, &ambiguous));
        }
        for (id, view) in self.views.iter().filter(|(_, view)| !view.links.is_empty()) {
            scopes.insert(numbers.sandboxes[id], view.linked_names());
        }
        let views = spec.active_endpoints().filter_map(|(sandbox, endpoint, _)| {
            let view = self.views.get(&sandbox.id)?;
            let own = numbers.sandboxes.get(&sandbox.id);
            let scopes =
                own.into_iter().chain(view.zones.iter().map(|zone| &numbers.networks[&zone.network]));
            Some((endpoint.id, scopes.copied().collect()))
        });
        Table { views: views.collect(), scopes }
    }

    /// Names with dots that mean different things to sandboxes on different sets of networks.
    fn ambiguous(&self) -> BTreeSet<String> {
        let (mut seen, mut qualified, mut twice) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for zone in self.zones.values() {
            let given: BTreeSet<_> = zone.known().map(|(name, _)| name.to_owned()).collect();
            let made: BTreeSet<_> = qualified_names(zone).map(|(name, _)| name).collect();
            let all = given.union(&made).filter(|name| name.contains('.'));
            twice.extend(all.filter(|name| !seen.insert((*name).clone())).cloned());
            qualified.extend(made);
        }
        twice.intersection(&qualified).cloned().collect()
    }

    fn numbers(&self) -> Numbers {
        let mut taken = BTreeSet::new();
        let networks = self.zones.keys().map(|id| (*id, choose(*id.as_bytes(), &mut taken)));
        let networks = networks.collect();
        let linking = self.views.iter().filter(|(_, view)| !view.links.is_empty());
        let sandboxes = linking.map(|(id, _)| (*id, choose(*id.as_bytes(), &mut taken))).collect();
        Numbers { networks, sandboxes }
    }
}

impl Table {
    /// The names as the kernel's map has them. What does not fit in is left to the server.
    #[must_use]
    pub fn names(&self) -> BTreeMap<NameKey, abi::Name> {
        let all = self.scopes.iter().flat_map(|(scope, names)| {
            names.iter().filter_map(|(name, entry)| Some((NameKey::new(*scope, name)?, entry.to_abi())))
        });
        all.collect()
    }

    /// The views as the kernel's map has them, by the index of the host-side link that an endpoint has.
    #[must_use]
    pub fn views(&self, link: impl Fn(EndpointId) -> Option<u32>) -> BTreeMap<u32, abi::View> {
        let views = self.views.iter();
        views.filter_map(|(id, scopes)| Some((link(*id)?, abi::View::new(scopes)))).collect()
    }
}

impl Entry {
    fn to_abi(&self) -> abi::Name {
        match self {
            Self::Addresses(addresses) => {
                abi::Name::new(addresses.v4.iter().copied(), addresses.v6.iter().copied())
            }
            Self::Server => abi::Name::ASK_SERVER,
        }
    }
}

impl View {
    /// What this sandbox alone resolves otherwise than its networks say.
    fn linked_names(&self) -> BTreeMap<String, Entry> {
        let with_networks = self.links.iter().flat_map(|(alias, on)| {
            let linked = self.zones().filter(|zone| on.contains_key(&zone.network));
            [alias.clone()].into_iter().chain(linked.map(move |zone| qualify(alias, zone)))
        });
        let entry = |name: String| {
            let found = self.resolve(&name);
            let entry = found.map_or(Entry::Server, |found| Entry::Addresses(found.addresses.clone()));
            (name, entry)
        };
        with_networks.filter(|name| can_be_asked(name)).map(entry).collect()
    }
}

/// The scopes' numbers.
struct Numbers {
    networks: BTreeMap<NetworkId, u32>,
    sandboxes: BTreeMap<SandboxId, u32>,
}

/// The beginning of an identifier, or the next number that is free: the same as long as the thing is there.
pub(super) fn choose(id: [u8; 32], taken: &mut BTreeSet<u32>) -> u32 {
    let [a, b, c, d, ..] = id;
    let mut number = u32::from_be_bytes([a, b, c, d]);
    while !taken.insert(number) {
        number = number.wrapping_add(1);
    }
    number
}

/// The names on a network, with its name behind them and without.
fn whole_names(zone: &Zone, ambiguous: &BTreeSet<String>) -> BTreeMap<String, Entry> {
    let given = zone.known().map(|(name, addresses)| (name.to_owned(), addresses));
    let both = qualified_names(zone).chain(given);
    let entry = |(name, addresses): (String, &Addresses)| {
        let entry =
            if ambiguous.contains(&name) { Entry::Server } else { Entry::Addresses(addresses.clone()) };
        (name, entry)
    };
    both.filter(|(name, _)| can_be_asked(name)).map(entry).collect()
}

fn qualified_names(zone: &Zone) -> impl Iterator<Item = (String, &Addresses)> {
    zone.known().map(|(name, addresses)| (qualify(name, zone), addresses))
}

fn qualify(name: &str, zone: &Zone) -> String {
    format!("{name}.{}", zone.name.to_ascii_lowercase())
}

/// Whether text is a name as queries spell it.
fn can_be_asked(name: &str) -> bool {
    let is_label = |label: &str| (1..=MAX_LABEL).contains(&label.len());
    name.len() <= MAX_NAME
        && name.bytes().all(|byte| byte.is_ascii_graphic())
        && name.split('.').all(is_label)
}
