//! Which program is attached where: bridges and veths of ours, and every host device that is not ours.

use std::collections::BTreeSet;

use netebpf_common::abi::Hook;

use super::Action;
use crate::{compile::Links, kernel::Observed};

/// Changes of programs, by their place in the plan.
pub(super) struct Changes {
    /// Runs after links were deleted: a link that goes must not lose its programs before.
    pub(super) detach: Vec<Action>,
    /// Attaches what is missing.
    pub(super) attach: Vec<Action>,
}

pub(super) fn compare(observed: &Observed, links: &Links<'_>) -> Changes {
    let wanted = wanted(observed, links);
    let unwanted = observed.attached.difference(&wanted);
    let missing = wanted.difference(&observed.attached);
    Changes {
        detach: unwanted.map(|&(hook, ifindex)| Action::DetachProgram { hook, ifindex }).collect(),
        attach: missing.map(|&(hook, ifindex)| Action::AttachProgram { hook, ifindex }).collect(),
    }
}

fn wanted(observed: &Observed, links: &Links<'_>) -> BTreeSet<(Hook, u32)> {
    let bridges = links.bridges.values().map(|bridge| (bridge.ifindex, [Hook::FromBridge, Hook::ToBridge]));
    let veths = links.veths.values().map(|veth| (veth.ifindex, [Hook::FromContainer, Hook::ToContainer]));
    let netdevs = links.netdevs(observed).map(|(ifindex, _)| (ifindex, [Hook::FromNetdev, Hook::ToNetdev]));
    let places = bridges.chain(veths).chain(netdevs);
    let resolver = links.resolver.iter().map(|resolver| (Hook::FromResolver, resolver.ifindex));
    places.flat_map(|(ifindex, hooks)| hooks.map(|hook| (hook, ifindex))).chain(resolver).collect()
}
