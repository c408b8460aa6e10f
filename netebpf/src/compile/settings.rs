//! `CONFIG`: the engine's settings. Their epoch is the present one; `plan` raises it when rules change.

use netebpf_common::abi::{ABI_VERSION, Config, ConfigFlags, QueryLimit, Resolver};

use super::Links;
use crate::{kernel::Observed, model::EngineOptions};

/// The settings; the seed is chosen once and kept, so that masquerade ports of running flows stay where they are.
pub(super) fn config(options: &EngineOptions, observed: &Observed, links: &Links<'_>) -> Config {
    let present = observed.tables.config;
    let flags = if options.direct_routing { ConfigFlags::DIRECT_ROUTING } else { ConfigFlags::default() };
    let resolver = links.resolver.filter(|way| way.link.up);
    Config {
        abi: ABI_VERSION,
        epoch: present.map_or(0, |config| config.epoch),
        netns_cookie: observed.netns_cookie,
        seed: present.map_or(observed.seed, |config| config.seed),
        flags,
        routes: observed.routes,
        timeouts: options.timeouts,
        resolver: resolver
            .map_or_else(Resolver::default, |way| Resolver::new(way.ifindex, QueryLimit::USUAL)),
    }
}
