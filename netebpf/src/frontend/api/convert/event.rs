//! What has happened to networks and sandboxes.

use std::collections::BTreeMap;

use crate::{
    change::{Happening, NetworkAction, SandboxAction},
    daemon::Told,
    frontend::api::{
        version::ApiVersion,
        wire::{Actor, EngineEvent},
    },
};

const CONTAINER: &str = "container";
const NETWORK: &str = "network";

/// An event as Docker's clients know it.
pub(in crate::frontend::api) fn event(told: &Told, version: ApiVersion) -> EngineEvent {
    let (kind, action, id, attributes) = parts(&told.happening);
    let is_repeated = kind == CONTAINER && version < ApiVersion::WITH_STATUS;
    let time_nano = i64::try_from(told.time).unwrap_or(i64::MAX);
    EngineEvent {
        status: is_repeated.then(|| action.to_owned()),
        id: is_repeated.then(|| id.clone()).filter(|id| !id.is_empty()),
        kind: kind.to_owned(),
        action: action.to_owned(),
        actor: Actor { id, attributes },
        scope: "local".to_owned(),
        time: time_nano / 1_000_000_000,
        time_nano,
    }
}

type Parts = (&'static str, &'static str, String, BTreeMap<String, String>);

/// Kind, action, identifier and attributes.
fn parts(happening: &Happening) -> Parts {
    let reclaimed = || BTreeMap::from([("reclaimed".to_owned(), "0".to_owned())]);
    match happening {
        Happening::Network { id, name, driver, action } => {
            let (action, container) = of_network(*action);
            let attributes = [
                Some(("name", name.to_string())),
                Some(("type", driver.to_string())),
                container.map(|container| ("container", container)),
            ];
            (NETWORK, action, id.to_string(), owned(attributes.into_iter().flatten()))
        }
        Happening::Sandbox { id, name, labels, action } => {
            let (action, details) = of_sandbox(action);
            let mut attributes = owned(details.into_iter());
            // In this order: a label hides a detail, and nothing hides the name.
            attributes.extend(labels.clone());
            attributes.insert("name".to_owned(), name.to_string());
            (CONTAINER, action, id.to_string(), attributes)
        }
        Happening::NetworksPruned => (NETWORK, "prune", String::new(), reclaimed()),
        Happening::SandboxesPruned => (CONTAINER, "prune", String::new(), reclaimed()),
    }
}

fn of_network(action: NetworkAction) -> (&'static str, Option<String>) {
    match action {
        NetworkAction::Create => ("create", None),
        NetworkAction::Connect(sandbox) => ("connect", Some(sandbox.to_string())),
        NetworkAction::Disconnect(sandbox) => ("disconnect", Some(sandbox.to_string())),
        NetworkAction::Destroy => ("destroy", None),
    }
}

fn of_sandbox(action: &SandboxAction) -> (&'static str, Vec<(&'static str, String)>) {
    match action {
        SandboxAction::Create => ("create", Vec::new()),
        SandboxAction::Start => ("start", Vec::new()),
        SandboxAction::Kill(signal) => ("kill", vec![("signal", signal.number().to_string())]),
        SandboxAction::Die { code, ran } => {
            ("die", vec![("exitCode", code.to_string()), ("execDuration", ran.as_secs().to_string())])
        }
        SandboxAction::Stop => ("stop", Vec::new()),
        SandboxAction::Restart => ("restart", Vec::new()),
        SandboxAction::Rename(from) => ("rename", vec![("oldName", format!("/{from}"))]),
        SandboxAction::Destroy => ("destroy", Vec::new()),
    }
}

fn owned(attributes: impl Iterator<Item = (&'static str, String)>) -> BTreeMap<String, String> {
    attributes.map(|(name, value)| (name.to_owned(), value)).collect()
}
