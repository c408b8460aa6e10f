//! The HTTP API on the unix socket: which path leads to which handler.
//!
//! Networks have the Docker Engine's paths and shapes, with and without its version prefix, so that Docker's own client
//! works on them; everything else lies below `/netebpf`.

mod body;
mod containers;
mod convert;
mod docker;
mod engine;
mod error;
mod events;
mod filters;
mod names;
mod networks;
mod observe;
mod sandboxes;
#[cfg(test)]
mod tests;
mod timestamp;
mod version;
pub mod wire;

use std::{io, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{delete, get, post},
};
use tokio::net::UnixListener;

use crate::daemon::{Handle, Observer, Settings};

pub use timestamp::in_seconds;

use containers::{life, logs, refused, top};
use error::Error;

/// No request is longer: a sandbox with a command line of the kernel's limit (128 KiB an argument) fits in.
const MAX_BODY: usize = 1 << 20;

/// What every handler gets.
#[derive(Debug, Clone)]
struct Context {
    daemon: Handle,
    observer: Observer,
    settings: Arc<Settings>,
}

/// Answers requests on `listener` until `shutdown` is ready, and then those that have begun.
pub async fn serve(
    listener: UnixListener,
    daemon: Handle,
    observer: Observer,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(daemon, observer, settings)).with_graceful_shutdown(shutdown).await
}

fn router(daemon: Handle, observer: Observer, settings: Settings) -> Router {
    let paths = Router::new().merge(docker_paths()).nest("/netebpf", own_paths());
    Router::new()
        .merge(paths.clone())
        .nest("/v{version}", paths)
        .fallback(async || Error::NoSuchPage)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(middleware::from_fn(version::negotiate))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Context { daemon, observer, settings: Arc::new(settings) })
}

fn docker_paths() -> Router<Context> {
    Router::new()
        .route("/_ping", get(docker::ping))
        .route("/version", get(docker::version))
        .route("/info", get(docker::info))
        .route("/containers/json", get(containers::list).delete(life::remove))
        .route("/containers/{id}/json", get(containers::inspect))
        .route("/containers/{id}/logs", get(logs::logs))
        .route("/containers/{id}/start", post(life::start))
        .route("/containers/{id}/stop", post(life::stop))
        .route("/containers/{id}/restart", post(life::restart))
        .route("/containers/{id}/kill", post(life::kill))
        .route("/containers/{id}/rename", post(life::rename))
        .route("/containers/{id}/wait", post(life::wait))
        .route("/containers/{id}", delete(life::remove))
        .route("/containers/prune", post(life::prune).delete(life::remove))
        .route("/containers/create", post(refused::create).delete(life::remove))
        .route("/containers/{id}/exec", post(refused::exec))
        .route("/containers/{id}/attach", post(refused::attach))
        .route("/containers/{id}/top", get(top::top))
        .route("/containers/{id}/stats", get(refused::stats))
        .route("/containers/{id}/pause", post(refused::pause))
        .route("/containers/{id}/unpause", post(refused::pause))
        .route("/containers/{id}/update", post(refused::update))
        .route("/images/json", get(refused::images))
        .route("/images/create", post(refused::pull))
        .route("/events", get(events::events))
        .route("/networks", get(networks::list))
        .route("/networks/", get(networks::list))
        .route("/networks/create", post(networks::create))
        .route("/networks/prune", post(networks::prune))
        // The name of a network may have slashes in it.
        .route("/networks/{*id}", get(networks::inspect).delete(networks::remove).post(networks::join))
}

fn own_paths() -> Router<Context> {
    Router::new()
        .route("/sandboxes", post(sandboxes::create))
        .route("/sandboxes/{id}", delete(sandboxes::remove))
        .route("/sandboxes/{id}/start", post(sandboxes::start))
        .route("/sandboxes/{id}/started", post(sandboxes::started))
        .route("/sandboxes/{id}/ended", post(sandboxes::ended))
        .route("/status", get(engine::status))
        .route("/plan", get(engine::plan))
        .route("/names", get(names::explain))
        .route("/drops", get(observe::drops))
        .route("/flows", get(observe::flows))
        .route("/events", get(observe::events))
}
