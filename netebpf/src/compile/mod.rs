//! Which table contents and held ports the spec asks for, given the links that are there.

mod allowed;
mod endpoints;
pub mod files;
mod host;
mod links;
pub mod names;
mod networks;
mod publish;
mod resolving;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use netebpf_common::abi::PublishKey;

use crate::{
    kernel::{Observed, TableContents},
    model::{EngineOptions, Spec},
};

pub use links::{Claimed, Links};

/// What the spec asks for besides links and what is in sandboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The tables' contents.
    pub tables: TableContents,
    /// Host ports that sockets hold against other programs.
    pub held: BTreeSet<PublishKey>,
}

/// Returns what should be there; entries whose links are not there yet, or whose ports are not held yet, are left out.
#[must_use]
pub fn compile(spec: &Spec, options: &EngineOptions, observed: &Observed, links: &Links<'_>) -> Wanted {
    let endpoints = endpoints::by_address(spec, links);
    let tables = TableContents {
        config: Some(settings::config(options, observed, links)),
        endpoint_links: endpoints::by_link(&endpoints),
        locals: host::locals(spec, observed, links),
        uplinks: host::uplinks(observed, links),
        networks: networks::networks(spec, links),
        trusted: networks::trusted(spec, observed, links),
        resolving: resolving::resolving(spec, observed),
        allowed: allowed::allowed(spec, &endpoints),
        published: publish::published(spec, &endpoints, observed),
        endpoints,
    };
    Wanted { held: publish::held(spec), tables }
}
