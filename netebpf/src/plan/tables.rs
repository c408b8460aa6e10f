//! Differences between the wanted and the present table contents.
//!
//! The epoch works like a sequence lock: it is odd while rules are being changed and even when they are in force. If the
//! daemon dies in between, the odd epoch tells the next one that flows may have been decided by half-changed rules.

use std::collections::{BTreeMap, BTreeSet};

use netebpf_common::abi::Config;

use super::{Action, Entry, Key};
use crate::kernel::{Observed, TableContents};

/// Changes of tables, by their place in the plan.
pub(super) struct Changes {
    /// Makes the epoch odd.
    pub announce: Vec<Action>,
    /// Removes published ports, so that nothing new arrives at an endpoint that goes.
    pub unpublish: Vec<Action>,
    /// Removes other entries.
    pub delete: Vec<Action>,
    /// Writes entries, published ports last.
    pub put: Vec<Action>,
    /// Makes the epoch even.
    pub conclude: Vec<Action>,
}

pub(super) fn compare(wanted: &TableContents, observed: &Observed) -> Changes {
    let present = &observed.tables;
    let unpublish = deletions(&present.published, &wanted.published, Key::Published);
    let delete_rules = [
        deletions(&present.endpoints, &wanted.endpoints, Key::Endpoint),
        deletions(&present.endpoint_links, &wanted.endpoint_links, Key::EndpointLink),
        deletions(&present.uplinks, &wanted.uplinks, Key::Uplink),
        deletions(&present.networks, &wanted.networks, Key::Network),
        beyond(&present.trusted, &wanted.trusted, |key| Action::Delete(Key::Trusted(key))),
        beyond(&present.allowed, &wanted.allowed, |key| Action::Delete(Key::Allowed(key))),
    ]
    .concat();
    let put_rules = [
        puts(&wanted.endpoints, &present.endpoints, Entry::Endpoint),
        puts(&wanted.endpoint_links, &present.endpoint_links, Entry::EndpointLink),
        puts(&wanted.uplinks, &present.uplinks, Entry::Uplink),
        puts(&wanted.networks, &present.networks, Entry::Network),
        beyond(&wanted.trusted, &present.trusted, |key| Action::Put(Entry::Trusted(key))),
        beyond(&wanted.allowed, &present.allowed, |key| Action::Put(Entry::Allowed(key))),
        puts(&wanted.published, &present.published, Entry::Published),
    ]
    .concat();
    // These change nothing for flows that have been decided: host addresses, which come and go with leases, and who asks us
    // for names.
    let delete_others = [
        deletions(&present.locals, &wanted.locals, Key::Local),
        beyond(&present.resolving, &wanted.resolving, |key| Action::Delete(Key::Resolving(key))),
    ]
    .concat();
    let put_others = [
        puts(&wanted.locals, &present.locals, Entry::Local),
        beyond(&wanted.resolving, &present.resolving, |key| Action::Put(Entry::Resolving(key))),
    ]
    .concat();

    // Flows hold the way out that the routes gave them, and were let pass under these flags.
    let deciding = |config: Option<Config>| config.map(|config| (config.routes, config.flags));
    let rules_change = deciding(wanted.config) != deciding(present.config)
        || !(unpublish.is_empty() && delete_rules.is_empty() && put_rules.is_empty());
    let (announce, conclude) = settings(wanted.config, present.config, rules_change);
    Changes {
        announce,
        unpublish,
        delete: [delete_rules, delete_others].concat(),
        put: [put_others, put_rules].concat(),
        conclude,
    }
}

fn settings(
    wanted: Option<Config>,
    present: Option<Config>,
    rules_change: bool,
) -> (Vec<Action>, Vec<Action>) {
    let Some(config) = wanted else { return (Vec::new(), Vec::new()) };
    let put = |epoch| vec![Action::Put(Entry::Config(Config { epoch, ..config }))];
    let odd = config.epoch | 1;
    let even = odd.wrapping_add(1);
    match present {
        None => (Vec::new(), put(even)),
        Some(present) if present.epoch == odd => (Vec::new(), put(even)),
        Some(_) if rules_change => (put(odd), put(even)),
        Some(present) if present != config => (Vec::new(), put(even)),
        Some(_) => (Vec::new(), Vec::new()),
    }
}

/// Deletes the entries of `present` whose keys are not in `wanted`.
fn deletions<K: Ord + Copy, V>(
    present: &BTreeMap<K, V>,
    wanted: &BTreeMap<K, V>,
    key: fn(K) -> Key,
) -> Vec<Action> {
    let unwanted = present.keys().filter(|candidate| !wanted.contains_key(candidate));
    unwanted.map(|&unwanted| Action::Delete(key(unwanted))).collect()
}

/// What has to be done about the keys of `one` that `other` has not.
fn beyond<K: Ord + Copy>(one: &BTreeSet<K>, other: &BTreeSet<K>, action: fn(K) -> Action) -> Vec<Action> {
    one.difference(other).copied().map(action).collect()
}

/// Puts the entries of `wanted` that `present` has not or has otherwise.
fn puts<K: Ord + Copy, V: PartialEq + Copy>(
    wanted: &BTreeMap<K, V>,
    present: &BTreeMap<K, V>,
    entry: fn(K, V) -> Entry,
) -> Vec<Action> {
    let changed = wanted.iter().filter(|(key, value)| present.get(key) != Some(value));
    changed.map(|(&key, &value)| Action::Put(entry(key, value))).collect()
}
