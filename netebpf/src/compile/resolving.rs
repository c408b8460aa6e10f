//! `RESOLVING`: which namespaces find our resolver where Docker's is.

use std::collections::BTreeSet;

use netebpf_common::abi::Netns;

use crate::{kernel::Observed, model::Spec};

/// The namespaces that are there of sandboxes on networks with names.
pub(super) fn resolving(spec: &Spec, observed: &Observed) -> BTreeSet<Netns> {
    let active = spec.active_sandboxes().filter(|sandbox| sandbox.has_namespace());
    let asking = active.filter(|sandbox| spec.has_resolver(sandbox));
    asking.filter_map(|sandbox| Some(Netns { cookie: observed.sandboxes.get(&sandbox.id)?.cookie })).collect()
}
