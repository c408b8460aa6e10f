//! Calls that change what a container does: started, stopped, renamed, waited for, removed.

use std::{io, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use futures::stream;
use serde::Deserialize;

use crate::{
    change,
    daemon::{Request, StopChoice, WaitCondition},
    frontend::api::{
        Context, Error,
        body::{Id, Parameters, is_set, number},
        filters::prune_choice,
        wire::{ContainersPruned, Waited},
    },
    model::{Name, NameError, Signal},
};

/// Parameters of `POST /containers/{id}/stop` and of the call that starts again.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct StopParameters {
    t: Option<String>,
    signal: Option<String>,
}

/// Parameters of `POST /containers/{id}/kill`.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct KillParameters {
    signal: Option<String>,
}

/// Parameters of `POST /containers/{id}/rename`.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct RenameParameters {
    #[serde(default)]
    name: String,
}

/// Parameters of `POST /containers/{id}/wait`.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct WaitParameters {
    condition: Option<String>,
}

/// Parameters of `DELETE /containers/{id}`; volumes and links there are none to remove.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct RemoveParameters {
    force: Option<String>,
}

/// Parameters of `POST /containers/prune`.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct PruneParameters {
    filters: Option<String>,
}

pub(in crate::frontend::api) async fn start(
    State(context): State<Context>,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    Ok(changed(context.daemon.start(&id).await?))
}

pub(in crate::frontend::api) async fn stop(
    State(context): State<Context>,
    Id(id): Id,
    Parameters(parameters): Parameters<StopParameters>,
) -> Result<StatusCode, Error> {
    let choice = parameters.choice(&format!("cannot stop container: {id}"))?;
    Ok(changed(context.daemon.stop(&id, choice).await?))
}

pub(in crate::frontend::api) async fn restart(
    State(context): State<Context>,
    Id(id): Id,
    Parameters(parameters): Parameters<StopParameters>,
) -> Result<StatusCode, Error> {
    let doing = format!("Cannot restart container {id}");
    let choice = parameters.choice(&doing)?;
    let restarted = context.daemon.restart(&id, choice).await.map_err(Error::from);
    match restarted {
        Err(error) if error.status() != StatusCode::NOT_FOUND => Err(error.during(&doing)),
        restarted => restarted.map(|()| StatusCode::NO_CONTENT),
    }
}

pub(in crate::frontend::api) async fn kill(
    State(context): State<Context>,
    Id(id): Id,
    Parameters(parameters): Parameters<KillParameters>,
) -> Result<StatusCode, Error> {
    let during = |error: Error| error.during(&format!("cannot kill container: {id}"));
    let signal = signal(parameters.signal.as_deref(), Signal::KILL).map_err(during)?;
    context.daemon.kill(&id, signal).await.map_err(|error| during(error.into()))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(in crate::frontend::api) async fn rename(
    State(context): State<Context>,
    Id(id): Id,
    Parameters(RenameParameters { name }): Parameters<RenameParameters>,
) -> Result<StatusCode, Error> {
    let name = name.trim();
    let name = name.strip_prefix('/').unwrap_or(name);
    if name.is_empty() {
        return Err(Error::EmptyName);
    }
    change::find_sandbox(&context.daemon.spec(), &id)?;
    let name = Name::of_sandbox(name).map_err(|error| {
        Error::NewName(match error {
            // Docker's names begin with a slash.
            NameError::Sandbox(name) => NameError::Sandbox(format!("/{name}")),
            NameError::Empty | NameError::TooLong(_) => error,
        })
    })?;
    context.daemon.ask(|reply| Request::RenameSandbox(id, name, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answers at once that it waits, and the exit code when it has it.
pub(in crate::frontend::api) async fn wait(
    State(context): State<Context>,
    Id(id): Id,
    Parameters(WaitParameters { condition }): Parameters<WaitParameters>,
) -> Result<([(HeaderName, &'static str); 1], Body), Error> {
    let condition = match condition.as_deref().unwrap_or_default() {
        "" | "not-running" => WaitCondition::NotRunning,
        "next-exit" => WaitCondition::NextExit,
        "removed" => WaitCondition::Removed,
        other => return Err(Error::Condition(other.to_owned())),
    };
    let waiting = context.daemon.wait(&id, condition)?;
    let answer = async {
        let status_code = waiting.ended().await.map_err(io::Error::other)?;
        Ok::<_, io::Error>(serde_json::to_string(&Waited { status_code })? + "\n")
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream::once(answer))))
}

pub(in crate::frontend::api) async fn remove(
    State(context): State<Context>,
    Id(reference): Id,
    Parameters(parameters): Parameters<RemoveParameters>,
) -> Result<StatusCode, Error> {
    let force = is_set(parameters.force.as_deref());
    context.daemon.ask(|reply| Request::RemoveSandbox { reference, force, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(in crate::frontend::api) async fn prune(
    State(context): State<Context>,
    Parameters(PruneParameters { filters }): Parameters<PruneParameters>,
) -> Result<Json<ContainersPruned>, Error> {
    let choice = prune_choice(filters.as_deref())?;
    let deleted = context.daemon.ask(|reply| Request::PruneSandboxes(choice, reply)).await?;
    let ids: Vec<_> = deleted.iter().map(ToString::to_string).collect();
    Ok(Json(ContainersPruned { containers_deleted: (!ids.is_empty()).then_some(ids), space_reclaimed: 0 }))
}

impl StopParameters {
    /// How to stop; what is wrong with it is told as having happened during something.
    fn choice(&self, doing: &str) -> Result<StopChoice, Error> {
        let default = StopChoice::default();
        let signal = signal(self.signal.as_deref(), default.signal).map_err(|error| error.during(doing))?;
        let seconds: Option<i64> =
            self.t.as_deref().filter(|text| !text.is_empty()).map(number).transpose()?;
        // A negative number stands for ever.
        let patience = seconds.map(|seconds| u64::try_from(seconds).ok().map(Duration::from_secs));
        Ok(StopChoice { signal, patience: patience.unwrap_or(default.patience) })
    }
}

fn signal(text: Option<&str>, default: Signal) -> Result<Signal, Error> {
    match text {
        None | Some("") => Ok(default),
        Some(text) => Ok(text.parse()?),
    }
}

/// Docker's answer to a wish: fulfilled, or fulfilled before.
const fn changed(is_changed: bool) -> StatusCode {
    if is_changed { StatusCode::NO_CONTENT } else { StatusCode::NOT_MODIFIED }
}
