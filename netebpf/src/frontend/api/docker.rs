//! What Docker's clients ask about the engine itself, before they ask for anything else.

use std::{env::consts::ARCH, thread};

use axum::{Json, extract::State};

use super::{
    Context,
    version::ApiVersion,
    wire::{Component, Info, Platform, Plugins, Swarm, Version},
};
use crate::{
    daemon::{Machine, hostname, kernel_release},
    model::Driver,
};

const NETEBPF_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Docker's clients ask this first, to learn which version to speak.
pub(super) async fn ping() -> ([(&'static str, String); 7], &'static str) {
    let headers = [
        ("api-version", ApiVersion::NEWEST.to_string()),
        ("docker-experimental", "false".to_owned()),
        ("ostype", "linux".to_owned()),
        ("server", format!("netebpf/{NETEBPF_VERSION} (linux)")),
        ("cache-control", "no-cache, no-store, must-revalidate".to_owned()),
        ("pragma", "no-cache".to_owned()),
        ("swarm", "inactive".to_owned()),
    ];
    (headers, "OK")
}

pub(super) async fn version() -> Json<Version> {
    let kernel_version = kernel_release().unwrap_or_default();
    let (newest, oldest) = (ApiVersion::NEWEST.to_string(), ApiVersion::OLDEST.to_string());
    let details = [
        ("ApiVersion", &*newest),
        ("Arch", go_architecture()),
        ("KernelVersion", &kernel_version),
        ("MinAPIVersion", &*oldest),
        ("Os", "linux"),
    ];
    let engine = Component {
        name: "Engine".to_owned(),
        version: NETEBPF_VERSION.to_owned(),
        details: details.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    Json(Version {
        platform: Platform { name: "netebpf".to_owned() },
        components: vec![engine],
        version: NETEBPF_VERSION.to_owned(),
        api_version: newest,
        min_api_version: oldest,
        os: "linux".to_owned(),
        arch: go_architecture().to_owned(),
        kernel_version,
    })
}

pub(super) async fn info(State(context): State<Context>) -> Json<Info> {
    let spec = context.daemon.spec();
    let running = spec.sandboxes.values().filter(|sandbox| sandbox.is_running()).count();
    let mut drivers = Driver::ALL.map(|driver| driver.to_string());
    drivers.sort();
    let machine = Machine::read();
    let warning = (!machine.forwards_ipv4).then(|| "WARNING: IPv4 forwarding is disabled".to_owned());
    Json(Info {
        id: context.settings.state_dir.display().to_string(),
        containers: spec.sandboxes.len(),
        containers_running: running,
        containers_paused: 0,
        containers_stopped: spec.sandboxes.len() - running,
        images: 0,
        plugins: Plugins { network: drivers.into() },
        kernel_version: kernel_release().unwrap_or_default(),
        operating_system: machine.operating_system,
        os_version: machine.version,
        os_type: "linux".to_owned(),
        architecture: ARCH.to_owned(),
        processors: thread::available_parallelism().map_or(1, usize::from),
        name: hostname(),
        server_version: NETEBPF_VERSION.to_owned(),
        memory: machine.memory,
        ipv4_forwarding: machine.forwards_ipv4,
        root: context.settings.state_dir.display().to_string(),
        live_restore: true,
        swarm: Swarm { local_node_state: "inactive".to_owned() },
        warnings: warning.into_iter().collect(),
    })
}

/// The processor as Go, and with it Docker, calls it.
fn go_architecture() -> &'static str {
    match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
