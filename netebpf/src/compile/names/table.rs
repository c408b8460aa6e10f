//! The same names as a table of whole names in numbered scopes, as the kernel looks them up: the first scope of a view that
//! has the name decides.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use netebpf_common::abi::{self, Name, NameKey};

use super::{Addresses, Names, View, Zone, splits};
use crate::model::{EndpointId, NetworkId, SandboxId, Spec};

/// The names of one scope as the kernel's map has them. What does not fit in is left to the server.
pub type Scope = BTreeMap<NameKey, Name>;

/// Names by scope, and the scopes of each endpoint's sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// One scope for each network, and one for each sandbox with links; shared with the table before as long as it is the
    /// same.
    pub scopes: BTreeMap<u32, Arc<Scope>>,
    /// By endpoint the scopes of its sandbox, in the order in which they are asked.
    pub views: BTreeMap<EndpointId, Vec<u32>>,
    numbers: Numbers,
    ambiguous: BTreeSet<String>,
}

impl Table {
    /// The names of all endpoints of a spec; there are at most twice as many as names and links were given.
    #[must_use]
    pub fn of(names: &Names, spec: &Spec) -> Self {
        Self::default().after(&Names::default(), names, spec)
    }

    /// The table of the names that follow those which this one is of.
    #[must_use]
    pub fn after(&self, before: &Names, names: &Names, spec: &Spec) -> Self {
        let (numbers, ambiguous) = (names.numbers(), names.ambiguous());
        let mut scopes = BTreeMap::new();
        for (id, zone) in &names.zones {
            let number = numbers.networks[id];
            let is_same = before.zones.get(id).is_some_and(|earlier| Arc::ptr_eq(earlier, zone))
                && self.numbers.networks.get(id) == Some(&number)
                && self.ambiguous == ambiguous;
            let kept = self.scopes.get(&number).filter(|_| is_same).cloned();
            scopes.insert(number, kept.unwrap_or_else(|| Arc::new(whole_names(number, zone, &ambiguous))));
        }
        for (id, view) in names.linking() {
            let number = numbers.sandboxes[id];
            let is_same = before.views.get(id).is_some_and(|earlier| Arc::ptr_eq(earlier, view))
                && self.numbers.sandboxes.get(id) == Some(&number);
            let kept = self.scopes.get(&number).filter(|_| is_same).cloned();
            scopes.insert(number, kept.unwrap_or_else(|| Arc::new(view.linked_names(number))));
        }
        let views = spec.active_endpoints().filter_map(|(sandbox, endpoint, _)| {
            let view = names.views.get(&sandbox.id)?;
            let own = numbers.sandboxes.get(&sandbox.id);
            let asked = view.zones.iter().map(|zone| &numbers.networks[&zone.network]);
            Some((endpoint.id, own.into_iter().chain(asked).copied().collect()))
        });
        Self { views: views.collect(), scopes, numbers, ambiguous }
    }

    /// The views as the kernel's map has them, by the index of the host-side link that an endpoint has.
    #[must_use]
    pub fn views(&self, link: impl Fn(EndpointId) -> Option<u32>) -> BTreeMap<u32, abi::View> {
        let views = self.views.iter();
        views.filter_map(|(id, scopes)| Some((link(*id)?, abi::View::new(scopes)))).collect()
    }
}

impl Names {
    /// Names with dots that mean different things to sandboxes on different sets of networks: those that a network makes of
    /// a name on it and its own, and that are known on another network as well. They all come of a name that was given with
    /// a dot in it: it may be such a name itself, or with its network's name behind it.
    fn ambiguous(&self) -> BTreeSet<String> {
        let dotted: Vec<_> =
            self.zones.values().flat_map(|zone| zone.dotted().map(move |name| (zone, name))).collect();
        if dotted.is_empty() {
            return BTreeSet::new();
        }
        let mut called: HashMap<_, Vec<_>> = HashMap::new();
        for zone in self.zones.values() {
            called.entry(zone.name.to_ascii_lowercase()).or_default().push(zone);
        }
        let is_made_elsewhere = |name: &str, here: &Arc<Zone>| {
            splits(name).any(|(name, network)| {
                let zones = network.and_then(|network| called.get(network)).into_iter().flatten();
                zones.into_iter().any(|zone| !Arc::ptr_eq(zone, here) && zone.addresses(name).is_some())
            })
        };
        let all = dotted
            .into_iter()
            .flat_map(|(zone, name)| [name.to_owned(), qualify(name, zone)].map(|name| (name, zone)));
        all.filter(|(name, zone)| is_made_elsewhere(name, zone)).map(|(name, _)| name).collect()
    }

    fn numbers(&self) -> Numbers {
        let mut taken = BTreeSet::new();
        let networks = self.zones.keys().map(|id| (*id, choose(*id.as_bytes(), &mut taken)));
        let networks = networks.collect();
        let sandboxes = self.linking().map(|(id, _)| (*id, choose(*id.as_bytes(), &mut taken))).collect();
        Numbers { networks, sandboxes }
    }

    /// The sandboxes that call others by names of their own.
    fn linking(&self) -> impl Iterator<Item = (&SandboxId, &Arc<View>)> {
        self.views.iter().filter(|(_, view)| !view.links.is_empty())
    }
}

impl View {
    /// What this sandbox alone resolves otherwise than its networks say.
    fn linked_names(&self, scope: u32) -> Scope {
        let with_networks = self.links.iter().flat_map(|(alias, on)| {
            let linked = self.zones().filter(|zone| on.contains_key(&zone.network));
            [alias.clone()].into_iter().chain(linked.map(move |zone| qualify(alias, zone)))
        });
        let entry = |name: String| {
            let found = self.resolve(&name);
            let meaning = found.map_or(Name::ASK_SERVER, |found| meaning(found.addresses));
            Some((NameKey::new(scope, &name)?, meaning))
        };
        with_networks.filter(|name| can_be_asked(name)).filter_map(entry).collect()
    }
}

/// The addresses of a name, or that only the server knows them all.
fn meaning(addresses: &Addresses) -> Name {
    Name::new(addresses.v4.iter().copied(), addresses.v6.iter().copied())
}

/// The scopes' numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
fn whole_names(scope: u32, zone: &Zone, ambiguous: &BTreeSet<String>) -> Scope {
    let made = zone.known().map(|(name, addresses)| (qualify(name, zone), addresses));
    let given = zone.known().map(|(name, addresses)| (name.to_owned(), addresses));
    let entry = |(name, addresses): (String, &Addresses)| {
        let meaning = if ambiguous.contains(&name) { Name::ASK_SERVER } else { meaning(addresses) };
        Some((NameKey::new(scope, &name)?, meaning))
    };
    made.chain(given).filter(|(name, _)| can_be_asked(name)).filter_map(entry).collect()
}

fn qualify(name: &str, zone: &Zone) -> String {
    format!("{name}.{}", zone.name.to_ascii_lowercase())
}

/// Whether text is a name as queries spell it; how long it may be is the key's matter.
fn can_be_asked(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_graphic())
}
