//! Which networks does nobody use, and which of those are to go?

use std::collections::BTreeMap;

use super::forget;
use crate::{
    change::predefined::is_predefined,
    model::{Name, Network, Spec},
};

/// Which of what nobody uses is to go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PruneChoice {
    /// Only those with all of these labels: `key`, or `key=value`.
    pub labels: Vec<String>,
    /// Not those with all of these.
    pub labels_without: Vec<String>,
    /// Only those that were not created after, in nanoseconds since the Unix epoch.
    pub until: Option<u64>,
}

impl PruneChoice {
    /// Whether something that was created then and has these labels is to go.
    pub(in crate::change) fn is_meant(&self, created: u64, labels: &BTreeMap<String, String>) -> bool {
        let has = |wanted: &String| is_labelled(labels, wanted);
        let is_spared = !self.labels_without.is_empty() && self.labels_without.iter().all(has);
        self.until.is_none_or(|until| created <= until) && self.labels.iter().all(has) && !is_spared
    }
}

/// Whether a thing has the label `key`, or `key=value`.
#[must_use]
pub fn is_labelled(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
        None => labels.contains_key(wanted),
    }
}

/// Whether a user's network has no active endpoint.
#[must_use]
pub fn is_dangling(spec: &Spec, network: &Network) -> bool {
    !is_predefined(&network.name) && spec.active_on(network.id).next().is_none()
}

/// Removes the users' networks without active endpoints that are meant, and returns their names. Configurations stay:
/// nobody is ever on one.
pub fn prune_networks(spec: &mut Spec, choice: &PruneChoice) -> Vec<Name> {
    let networks = spec.networks.values();
    let unused = networks.filter(|network| network.template.is_none() && is_dangling(spec, network));
    let meant: Vec<_> = unused
        .filter(|network| choice.is_meant(network.created, &network.labels))
        .map(|network| (network.id, network.name.clone()))
        .collect();
    let mut names: Vec<_> = meant.iter().map(|(_, name)| name.clone()).collect();
    for (id, _) in meant {
        forget(spec, id);
    }
    names.sort();
    names
}
