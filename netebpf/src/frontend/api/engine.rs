//! Calls about the engine itself.

use axum::{Json, extract::State, http::HeaderMap, http::HeaderValue};

use super::{Context, Error, convert, wire::Status};
use crate::daemon::Request;

/// The version of Docker's API whose network shapes are answered.
const API_VERSION: HeaderValue = HeaderValue::from_static("1.47");

/// Docker's clients ask this first, to learn which version to speak.
pub(super) async fn ping() -> (HeaderMap, &'static str) {
    (HeaderMap::from_iter([(axum::http::HeaderName::from_static("api-version"), API_VERSION)]), "OK")
}

pub(super) async fn status(State(context): State<Context>) -> Result<Json<Status>, Error> {
    let status = context.daemon.ask(Request::Status).await?;
    Ok(Json(convert::status(&status)))
}

/// The changes as sentences; none when there is nothing to do.
pub(super) async fn plan(State(context): State<Context>) -> Result<Json<Vec<String>>, Error> {
    let actions = context.daemon.ask(Request::Plan).await?;
    Ok(Json(actions.iter().map(ToString::to_string).collect()))
}
