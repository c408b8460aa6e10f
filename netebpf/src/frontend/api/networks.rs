//! The Docker Engine's calls for networks.

use axum::{
    Extension, Json,
    extract::{FromRequest as _, Request, State},
    http::StatusCode,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Context, Error,
    body::{DockersBody, Id, Parameters},
    convert,
    filters::{Filters, prune_choice},
    version::ApiVersion,
    wire::{Connect, CreateNetwork, CreatedNetwork, Disconnect, Network, Pruned},
};
use crate::{change, daemon, model};

/// Parameters of calls that choose among networks.
#[derive(Deserialize)]
pub(super) struct ListParameters {
    filters: Option<String>,
}

/// Filters of `GET /networks`.
const LIST: [&str; 7] = ["dangling", "driver", "id", "label", "name", "scope", "type"];

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

pub(super) async fn prune(
    State(context): State<Context>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<Pruned>, Error> {
    let choice = prune_choice(parameters.filters.as_deref())?;
    let deleted = context.daemon.ask(|reply| daemon::Request::PruneNetworks(choice, reply)).await?;
    let names: Vec<_> = deleted.iter().map(ToString::to_string).collect();
    Ok(Json(Pruned { networks_deleted: (!names.is_empty()).then_some(names) }))
}

/// Parameters of `GET /networks/{id}`.
#[derive(Deserialize)]
pub(super) struct InspectParameters {
    /// Whether services of a swarm are wanted; there are none.
    verbose: Option<String>,
    scope: Option<String>,
}

pub(super) async fn inspect(
    State(context): State<Context>,
    Extension(version): Extension<ApiVersion>,
    Parameters(parameters): Parameters<InspectParameters>,
    Id(id): Id,
) -> Result<Json<Network>, Error> {
    let verbose = parameters.verbose.filter(|verbose| !verbose.is_empty());
    if let Some(value) = verbose.filter(|verbose| !is_truth_value(verbose)) {
        return Err(Error::Switch { name: "verbose", value });
    }
    if parameters.scope.is_some_and(|scope| !matches!(scope.as_str(), "" | "local")) {
        return Err(change::Error::NetworkNotFound(id).into());
    }
    let spec = context.daemon.spec();
    let network = change::find_network(&spec, &id).map_err(|error| {
        if let change::Error::NetworkAmbiguous { reference, matches } = error {
            Error::Ambiguous { reference, matches }
        } else {
            error.into()
        }
    })?;
    let status = (version >= ApiVersion::WITH_STATUS).then(|| convert::network_status(&spec, network));
    Ok(Json(Network { status, ..convert::network_with_containers(&spec, network) }))
}

/// Whether Go's `strconv.ParseBool` reads it.
fn is_truth_value(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True" | "0" | "f" | "F" | "false" | "FALSE" | "False")
}

pub(super) async fn create(
    State(context): State<Context>,
    Extension(version): Extension<ApiVersion>,
    DockersBody(mut body): DockersBody<CreateNetwork>,
) -> Result<(StatusCode, Json<CreatedNetwork>), Error> {
    if version < ApiVersion::WITH_IPV4_SWITCH {
        body.enable_ipv4 = None;
    }
    let request = convert::network_request(body)?;
    let id = context.daemon.ask(|reply| daemon::Request::CreateNetwork(request, reply)).await?;
    Ok((StatusCode::CREATED, Json(CreatedNetwork { id: id.to_string(), warning: String::new() })))
}

pub(super) async fn remove(State(context): State<Context>, Id(id): Id) -> Result<StatusCode, Error> {
    context.daemon.ask(|reply| daemon::Request::RemoveNetwork(id, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `NAME/connect` and `NAME/disconnect`.
pub(super) async fn join(
    State(context): State<Context>,
    Id(path): Id,
    request: Request,
) -> Result<StatusCode, Error> {
    let (network, call) = path.rsplit_once('/').ok_or(Error::MethodNotAllowed)?;
    match call {
        "connect" => connect(context, network.to_owned(), body(request).await?).await,
        "disconnect" => disconnect(context, network.to_owned(), body(request).await?).await,
        _ => Err(Error::MethodNotAllowed),
    }
}

async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Error> {
    DockersBody::from_request(request, &()).await.map(|DockersBody(body)| body)
}

async fn connect(context: Context, network: String, body: Connect) -> Result<StatusCode, Error> {
    let settings = Box::new(convert::endpoint_settings(body.endpoint_config.unwrap_or_default())?);
    let sandbox = body.container;
    context.daemon.ask(|reply| daemon::Request::Connect { network, sandbox, settings, reply }).await?;
    Ok(StatusCode::OK)
}

async fn disconnect(context: Context, network: String, body: Disconnect) -> Result<StatusCode, Error> {
    let Disconnect { container: sandbox, force } = body;
    context.daemon.ask(|reply| daemon::Request::Disconnect { network, sandbox, force, reply }).await?;
    Ok(StatusCode::OK)
}
