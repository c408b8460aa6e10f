//! The Docker Engine's calls for networks.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;

use super::{
    Context, Error,
    body::{Body, Id, Parameters},
    convert,
    wire::{Connect, CreateNetwork, CreatedNetwork, Disconnect, Network},
};
use crate::{change, daemon::Request};

/// Parameters of `GET /networks`.
#[derive(Deserialize)]
pub(super) struct ListParameters {
    filters: Option<String>,
}

pub(super) async fn list(
    State(context): State<Context>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<Vec<Network>>, Error> {
    if parameters.filters.is_some_and(|filters| !matches!(filters.as_str(), "" | "{}")) {
        return Err(Error::Unsupported("filtering networks"));
    }
    let spec = context.daemon.spec();
    let mut networks: Vec<_> = spec.networks.values().collect();
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(networks.into_iter().map(convert::network).collect()))
}

pub(super) async fn inspect(State(context): State<Context>, Id(id): Id) -> Result<Json<Network>, Error> {
    let spec = context.daemon.spec();
    let network = change::find_network(&spec, &id)?;
    Ok(Json(convert::network_with_containers(&spec, network)))
}

pub(super) async fn create(
    State(context): State<Context>,
    Body(body): Body<CreateNetwork>,
) -> Result<(StatusCode, Json<CreatedNetwork>), Error> {
    let request = convert::network_request(body)?;
    let id = context.daemon.ask(|reply| Request::CreateNetwork(request, reply)).await?;
    Ok((StatusCode::CREATED, Json(CreatedNetwork { id: id.to_string(), warning: String::new() })))
}

pub(super) async fn remove(State(context): State<Context>, Id(id): Id) -> Result<StatusCode, Error> {
    context.daemon.ask(|reply| Request::RemoveNetwork(id, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn connect(
    State(context): State<Context>,
    Id(network): Id,
    Body(body): Body<Connect>,
) -> Result<StatusCode, Error> {
    let addresses = convert::endpoint_addresses(body.endpoint_config)?;
    let sandbox = body.container;
    context.daemon.ask(|reply| Request::Connect { network, sandbox, addresses, reply }).await?;
    Ok(StatusCode::OK)
}

pub(super) async fn disconnect(
    State(context): State<Context>,
    Id(network): Id,
    Body(body): Body<Disconnect>,
) -> Result<StatusCode, Error> {
    let sandbox = body.container;
    context.daemon.ask(|reply| Request::Disconnect { network, sandbox, reply }).await?;
    Ok(StatusCode::OK)
}
