//! A container as a line of a list.

use std::time::Duration;

use super::{endpoint, network_mode, ports};
use crate::{
    frontend::{
        Status,
        api::wire::{ContainerSummary, SummaryHostConfig, SummaryNetworkSettings},
    },
    model::{Sandbox, SandboxState, Spec},
};

/// A sandbox as lists show it; `now` is the present time in nanoseconds since the Unix epoch.
pub(in crate::frontend::api) fn container_summary(
    spec: &Spec,
    sandbox: &Sandbox,
    now: u64,
) -> ContainerSummary {
    let networks = sandbox.attachments.iter();
    let networks = networks
        .map(|attachment| (attachment.name.to_string(), endpoint::in_short(spec, sandbox, attachment)));
    ContainerSummary {
        id: sandbox.id.to_string(),
        names: names(spec, sandbox),
        image: String::new(),
        image_id: String::new(),
        command: command_line(&sandbox.config.command),
        created: i64::try_from(sandbox.created / 1_000_000_000).unwrap_or(i64::MAX),
        ports: ports::listed(spec, sandbox),
        labels: sandbox.config.labels.clone(),
        state: sandbox.state.name().to_owned(),
        status: status(&sandbox.state, now).to_string(),
        host_config: SummaryHostConfig { network_mode: network_mode(&sandbox.mode) },
        network_settings: SummaryNetworkSettings { networks: networks.collect() },
        mounts: Vec::new(),
    }
}

/// Its name, then what others call it by links on the default bridge.
fn names(spec: &Spec, sandbox: &Sandbox) -> Vec<String> {
    let others = spec.sandboxes.values().flat_map(|other| {
        let links = other.links.iter().filter(|link| link.sandbox == sandbox.id);
        links.map(move |link| format!("/{}/{}", other.name, link.alias))
    });
    let mut others: Vec<_> = others.collect();
    others.sort();
    [format!("/{}", sandbox.name)].into_iter().chain(others).collect()
}

/// Program and arguments; those with a space in quotes.
fn command_line(command: &[String]) -> String {
    let word = |(index, word): (usize, &String)| {
        if index > 0 && word.contains(' ') { format!("'{word}'") } else { word.clone() }
    };
    command.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

fn status(state: &SandboxState, now: u64) -> Status {
    let since = |time: u64| Duration::from_nanos(now.saturating_sub(time));
    match *state {
        SandboxState::Created | SandboxState::Starting(_) => Status::Created,
        SandboxState::Running { started, .. } => Status::Up(since(started)),
        SandboxState::Exited { code, finished, .. } => Status::Exited(code, since(finished)),
    }
}
