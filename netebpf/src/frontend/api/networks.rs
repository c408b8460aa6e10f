//! The Docker Engine's calls for networks.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;

use super::{
    Context, Error,
    body::{Body, Id, Parameters},
    convert,
    filters::Filters,
    timestamp,
    wire::{Connect, CreateNetwork, CreatedNetwork, Disconnect, Network, Pruned},
};
use crate::{
    change::{self, PruneChoice},
    daemon::Request,
    model,
};

/// Parameters of calls that choose among networks.
#[derive(Deserialize)]
pub(super) struct ListParameters {
    filters: Option<String>,
}

/// Filters of `GET /networks`.
const LIST: [&str; 8] = ["dangling", "driver", "id", "idOrName", "label", "name", "scope", "type"];

pub(super) async fn list(
    State(context): State<Context>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<Vec<Network>>, Error> {
    let filters = Filters::read(parameters.filters.as_deref(), &LIST)?;
    let dangling = filters.truth("dangling")?;
    if let Some(kind) = filters.values("type").find(|kind| !matches!(*kind, CUSTOM | BUILTIN)) {
        return Err(Error::FilterValue { name: "type", value: kind.to_owned() });
    }
    let spec = context.daemon.spec();
    let is_wanted = |network: &&model::Network| {
        let (name, id) = (network.name.as_str(), network.id.to_string());
        let kind = if change::is_predefined(&network.name) { BUILTIN } else { CUSTOM };
        filters.matches("name", name)
            && filters.matches("id", &id)
            && (filters.matches("idOrName", name) || filters.matches("idOrName", &id))
            && filters.admits("driver", network.driver.as_str())
            && filters.admits("scope", "local")
            && filters.admits("type", kind)
            && filters.has_labels("label", &network.labels)
            && dangling.is_none_or(|wanted| wanted == change::is_dangling(&spec, network))
    };
    let mut networks: Vec<_> = spec.networks.values().filter(is_wanted).collect();
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(networks.into_iter().map(convert::network).collect()))
}

const CUSTOM: &str = "custom";
const BUILTIN: &str = "builtin";

/// Filters of `POST /networks/prune`.
const PRUNE: [&str; 3] = ["label", "label!", "until"];

pub(super) async fn prune(
    State(context): State<Context>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<Pruned>, Error> {
    let filters = Filters::read(parameters.filters.as_deref(), &PRUNE)?;
    let mut until = filters.values("until");
    let until = match (until.next(), until.next()) {
        (Some(_), Some(_)) => return Err(Error::SeveralUntil),
        (Some(text), None) => Some(timestamp::until(text).ok_or_else(|| Error::Until(text.to_owned()))?),
        (None, _) => None,
    };
    let owned = |name| filters.values(name).map(str::to_owned).collect();
    let choice = PruneChoice { labels: owned("label"), labels_without: owned("label!"), until };
    let deleted = context.daemon.ask(|reply| Request::PruneNetworks(choice, reply)).await?;
    let names: Vec<_> = deleted.iter().map(ToString::to_string).collect();
    Ok(Json(Pruned { networks_deleted: (!names.is_empty()).then_some(names) }))
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
