//! Which table contents the spec asks for, given the links that are there.

mod endpoints;
mod host;
mod links;
mod publish;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    kernel::{Observed, TableContents},
    model::Spec,
};

pub use links::{Claimed, Links};

/// Returns the contents that the tables should have; entries whose links are not there yet are left out.
#[must_use]
pub fn compile(spec: &Spec, observed: &Observed) -> TableContents {
    let links = Links::of(spec, observed);
    let endpoints = endpoints::by_address(spec, &links);
    TableContents {
        config: Some(settings::config(observed)),
        endpoint_links: endpoints::by_link(&endpoints),
        locals: host::locals(spec, observed, &links),
        uplinks: host::uplinks(observed),
        networks: BTreeMap::new(),
        trusted: BTreeSet::new(),
        allowed: BTreeSet::new(),
        published: publish::published(spec, &endpoints),
        endpoints,
    }
}
