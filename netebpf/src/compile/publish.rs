//! `PUBLISHED`, and the host ports that sockets hold for it.

use std::collections::{BTreeMap, BTreeSet};

use netebpf_common::abi::{Address, Endpoint, Port, PublishBlock, PublishKey, PublishTarget};

use crate::{
    kernel::Observed,
    model::{PortMapping, Sandbox, Spec},
};

/// Which endpoint answers for host ports, and which ports are open at endpoints themselves; for active sandboxes whose
/// endpoints can be reached already.
///
/// A host port is published once its socket is held, so that one which cannot be had changes no rules, however often it
/// is tried again. What is published already stays: a daemon that has just started holds nothing yet.
pub(super) fn published(
    spec: &Spec,
    endpoints: &BTreeMap<Address, Endpoint>,
    observed: &Observed,
) -> BTreeMap<PublishBlock, PublishTarget> {
    let mut entries = BTreeMap::new();
    for (mapping, target) in translated(spec).filter(|(_, target)| endpoints.contains_key(target)) {
        let key = mapping.key();
        let target = PublishTarget::new(target, key.port, Port::new(mapping.ports.first()));
        let lacking: Vec<_> = mapping.keys().filter(|key| !observed.held.contains(key)).collect();
        let may_be = |block: &PublishBlock| {
            let is_published = observed.tables.published.get(block) == Some(&target);
            is_published || !lacking.iter().any(|key| block.contains(key))
        };
        let blocks = PublishBlock::cover(key, mapping.host_ports.last()).filter(may_be);
        entries.extend(blocks.map(|block| (block, target)));
    }
    for (key, last) in merged(open(spec, endpoints)) {
        // Every port leads to itself, so neighbours may share an entry.
        let target = PublishTarget::new(key.address, Port::new(0), Port::new(0));
        entries.extend(PublishBlock::cover(key, last).map(|block| (block, target)));
    }
    entries
}

/// The host ports that lead to active sandboxes, one by one.
pub(super) fn held(spec: &Spec) -> BTreeSet<PublishKey> {
    translated(spec).flat_map(|(mapping, _)| mapping.keys()).collect()
}

/// Mappings with the address that answers for their host ports.
fn translated(spec: &Spec) -> impl Iterator<Item = (&PortMapping, Address)> {
    mappings(spec)
        .filter_map(|(sandbox, mapping)| Some((mapping, spec.translated_to(sandbox, mapping)?.into())))
}

/// First and last port of what is open at sandboxes' own addresses.
fn open(spec: &Spec, endpoints: &BTreeMap<Address, Endpoint>) -> BTreeSet<(PublishKey, u16)> {
    let mut ranges = BTreeSet::new();
    for (sandbox, mapping) in mappings(spec) {
        let addresses = spec.open_addresses(sandbox, mapping.family()).map(Address::from);
        for address in addresses.filter(|address| endpoints.contains_key(address)) {
            let first = Port::new(mapping.ports.first());
            let key = PublishKey::new(address, first, mapping.protocol.number());
            ranges.insert((key, mapping.ports.last()));
        }
    }
    ranges
}

/// Ranges without overlaps: the trie would take the shorter block of two.
fn merged(ranges: BTreeSet<(PublishKey, u16)>) -> Vec<(PublishKey, u16)> {
    let mut ranges: Vec<_> = ranges.into_iter().collect();
    ranges.sort_unstable_by_key(|(key, last)| (key.address, key.protocol(), key.port.number(), *last));
    let mut merged: Vec<(PublishKey, u16)> = Vec::new();
    for (key, last) in ranges {
        match merged.last_mut() {
            Some((before, end))
                if (before.address, before.protocol()) == (key.address, key.protocol())
                    && key.port.number() <= end.saturating_add(1) =>
            {
                *end = last.max(*end);
            }
            Some(_) | None => merged.push((key, last)),
        }
    }
    merged
}

fn mappings(spec: &Spec) -> impl Iterator<Item = (&Sandbox, &PortMapping)> {
    spec.active_sandboxes().flat_map(|sandbox| sandbox.ports.iter().map(move |mapping| (sandbox, mapping)))
}
