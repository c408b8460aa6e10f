//! What Docker's clients ask about the engine itself, before they ask for anything else.

use std::{env::consts::ARCH, thread};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
};
use nix::sys::utsname::uname;

use super::{
    Context,
    wire::{Component, Info, Platform, Plugins, Version},
};
use crate::{
    daemon::kernel_release,
    model::{Driver, SandboxState},
};

/// The newest version of Docker's API whose network shapes are answered.
const API_VERSION: &str = "1.51";

/// The oldest one: clients below it send shapes that nobody has sent for years (Engine 29's own limit).
const MIN_API_VERSION: &str = "1.40";

const NETEBPF_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Docker's clients ask this first, to learn which version to speak.
pub(super) async fn ping() -> (HeaderMap, &'static str) {
    let headers = [
        ("api-version", API_VERSION),
        ("docker-experimental", "false"),
        ("ostype", "linux"),
        ("server", concat!("netebpf/", env!("CARGO_PKG_VERSION"), " (linux)")),
        ("cache-control", "no-cache, no-store, must-revalidate"),
    ];
    let headers =
        headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    (HeaderMap::from_iter(headers), "OK")
}

pub(super) async fn version() -> Json<Version> {
    let kernel_version = kernel_release().unwrap_or_default();
    let details = [
        ("ApiVersion", API_VERSION),
        ("Arch", go_architecture()),
        ("KernelVersion", &kernel_version),
        ("MinAPIVersion", MIN_API_VERSION),
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
        api_version: API_VERSION.to_owned(),
        min_api_version: MIN_API_VERSION.to_owned(),
        os: "linux".to_owned(),
        arch: go_architecture().to_owned(),
        kernel_version,
    })
}

pub(super) async fn info(State(context): State<Context>) -> Json<Info> {
    let spec = context.daemon.spec();
    let is_running = |state| matches!(state, SandboxState::Running(_));
    let running = spec.sandboxes.values().filter(|sandbox| is_running(sandbox.state)).count();
    let mut drivers = Driver::ALL.map(|driver| driver.to_string());
    drivers.sort();
    let name = uname().map(|uname| uname.nodename().to_string_lossy().into_owned());
    Json(Info {
        id: context.settings.state_dir.display().to_string(),
        containers: spec.sandboxes.len(),
        containers_running: running,
        containers_paused: 0,
        containers_stopped: spec.sandboxes.len() - running,
        images: 0,
        plugins: Plugins { network: drivers.into() },
        kernel_version: kernel_release().unwrap_or_default(),
        operating_system: "netebpf".to_owned(),
        os_type: "linux".to_owned(),
        architecture: ARCH.to_owned(),
        processors: thread::available_parallelism().map_or(1, usize::from),
        name: name.unwrap_or_default(),
        server_version: NETEBPF_VERSION.to_owned(),
        warnings: Vec::new(),
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
