//! Calls that Docker answers and that make no sense for sandboxes: each says why, and what to do instead.
//!
//! What a client sends is read all the same: one that is still sending when the answer comes would not look at it.

use axum::Json;
use bytes::Bytes;

use crate::frontend::api::Error;

/// A container is made of an image.
pub(in crate::frontend::api) async fn create(_: Bytes) -> Error {
    Error::NotHere(
        "netebpf has no images, and so nothing to create a container from: run a command of this host in a sandbox \
         with `netebpf run`",
    )
}

pub(in crate::frontend::api) async fn exec(_: Bytes) -> Error {
    Error::NotHere("a command in a sandbox is started by its client, not by the daemon: use `netebpf exec`")
}

pub(in crate::frontend::api) async fn attach(_: Bytes) -> Error {
    Error::NotHere(
        "a sandbox's command reads nothing, and what it writes is in its log: use `docker logs --follow`, or \
         `netebpf run` without --detach",
    )
}

pub(in crate::frontend::api) async fn stats() -> Error {
    Error::NotHere("sandboxes have no control groups, so nothing counts what they use")
}

pub(in crate::frontend::api) async fn pause(_: Bytes) -> Error {
    Error::NotHere("sandboxes have no control groups, so they cannot be paused")
}

pub(in crate::frontend::api) async fn update(_: Bytes) -> Error {
    Error::NotHere("sandboxes have no limits that could be changed")
}

pub(in crate::frontend::api) async fn pull(_: Bytes) -> Error {
    Error::NotHere("netebpf has no images: run a command of this host in a sandbox with `netebpf run`")
}

/// There are none, which is what a list can say.
pub(in crate::frontend::api) async fn images() -> Json<[(); 0]> {
    Json([])
}
