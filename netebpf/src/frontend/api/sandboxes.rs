//! Our own calls for sandboxes.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;

use super::{
    Context, Error,
    body::{Body, Id, Parameters},
    convert,
    wire::{CreateSandbox, CreatedSandbox, Ended, StartSandbox, Started},
};
use crate::daemon::Request;

/// Parameters of `DELETE /netebpf/sandboxes/{id}`.
#[derive(Deserialize)]
pub(super) struct RemoveParameters {
    #[serde(default)]
    force: bool,
}

pub(super) async fn create(
    State(context): State<Context>,
    Body(body): Body<CreateSandbox>,
) -> Result<(StatusCode, Json<CreatedSandbox>), Error> {
    let starter = body.start.map(convert::starter);
    let request = Box::new(convert::sandbox_request(body)?);
    let prepared = context.daemon.ask(|reply| Request::CreateSandbox(request, starter, reply)).await?;
    Ok((StatusCode::CREATED, Json(convert::created_sandbox(prepared))))
}

pub(super) async fn remove(
    State(context): State<Context>,
    Id(reference): Id,
    Parameters(RemoveParameters { force }): Parameters<RemoveParameters>,
) -> Result<StatusCode, Error> {
    context.daemon.ask(|reply| Request::RemoveSandbox { reference, force, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn start(
    State(context): State<Context>,
    Id(id): Id,
    Body(body): Body<StartSandbox>,
) -> Result<Json<CreatedSandbox>, Error> {
    let starter = convert::starter(body.start);
    let prepared = context.daemon.ask(|reply| Request::StartSandbox(id, starter, reply)).await?;
    Ok(Json(convert::created_sandbox(prepared)))
}

pub(super) async fn started(
    State(context): State<Context>,
    Id(id): Id,
    Body(body): Body<Started>,
) -> Result<StatusCode, Error> {
    context.daemon.ask(|reply| Request::Started(id, body.pid, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn ended(
    State(context): State<Context>,
    Id(id): Id,
    Body(body): Body<Ended>,
) -> Result<StatusCode, Error> {
    context.daemon.ask(|reply| Request::Ended(id, body.code, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}
