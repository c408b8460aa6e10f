//! The Docker Engine's calls for containers, which are sandboxes here.

mod choice;
pub(super) mod life;
mod lines;
pub(super) mod logs;
pub(super) mod refused;
pub(super) mod top;

use axum::{Extension, Json, extract::State};
use serde::Deserialize;

use super::{
    Context, Error,
    body::{Id, Parameters, is_set},
    convert,
    version::ApiVersion,
    wire::{Container, ContainerSummary},
};
use crate::change;

use choice::Choice;

/// Parameters of `GET /containers/json`.
#[derive(Deserialize)]
pub(super) struct ListParameters {
    all: Option<String>,
    limit: Option<String>,
    filters: Option<String>,
}

pub(super) async fn list(
    State(context): State<Context>,
    Parameters(ListParameters { all, limit, filters }): Parameters<ListParameters>,
) -> Result<Json<Vec<ContainerSummary>>, Error> {
    let spec = context.daemon.spec();
    let choice = Choice::read(&spec, is_set(all.as_deref()), limit.as_deref(), filters.as_deref())?;
    Ok(Json(choice.select(&spec)))
}

pub(super) async fn inspect(
    State(context): State<Context>,
    Extension(version): Extension<ApiVersion>,
    Id(id): Id,
) -> Result<Json<Container>, Error> {
    let spec = context.daemon.spec();
    let sandbox = change::find_sandbox(&spec, &id)?;
    Ok(Json(convert::container(&spec, sandbox, &context.settings, version)))
}
