//! Our own calls about the engine itself.

use axum::{Json, extract::State};

use super::{Context, Error, convert, names, wire::Status};
use crate::daemon::Request;

pub(super) async fn status(State(context): State<Context>) -> Result<Json<Status>, Error> {
    let status = context.daemon.ask(Request::Status).await?;
    Ok(Json(convert::status(&status, names::queries(&context, &status.asked))))
}

/// The changes as sentences; none when there is nothing to do.
pub(super) async fn plan(State(context): State<Context>) -> Result<Json<Vec<String>>, Error> {
    let actions = context.daemon.ask(Request::Plan).await?;
    Ok(Json(actions.iter().map(ToString::to_string).collect()))
}
