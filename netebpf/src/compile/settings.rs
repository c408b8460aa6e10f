//! `CONFIG`: the engine's settings. Their epoch is the present one; `plan` raises it when rules change.

use netebpf_common::abi::{ABI_VERSION, Config, ConfigFlags, Timeouts};

use crate::kernel::Observed;

/// The settings; the seed is chosen once and kept, so that masquerade ports of running flows stay where they are.
pub(super) fn config(observed: &Observed) -> Config {
    let present = observed.tables.config;
    Config {
        abi: ABI_VERSION,
        epoch: present.map_or(0, |config| config.epoch),
        netns_cookie: observed.netns_cookie,
        seed: present.map_or(observed.seed, |config| config.seed),
        flags: ConfigFlags::default(),
        routes: observed.routes,
        timeouts: Timeouts::default(),
    }
}
