//! What has happened to networks and sandboxes, in the Docker Engine's terms.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use crate::model::{
    Driver, Endpoint, Name, Network, NetworkId, Sandbox, SandboxId, SandboxState, Signal, Spec,
};

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// To a network.
    Network {
        /// Its identifier.
        id: NetworkId,
        /// Its name.
        name: Name,
        /// Its driver.
        driver: Driver,
        /// What.
        action: NetworkAction,
    },
    /// To a sandbox.
    Sandbox {
        /// Its identifier.
        id: SandboxId,
        /// Its name, the new one after a change.
        name: Name,
        /// Its labels.
        labels: BTreeMap<String, String>,
        /// What.
        action: SandboxAction,
    },
    /// Networks that nobody used were removed.
    NetworksPruned,
    /// Sandboxes whose command did not run were removed.
    SandboxesPruned,
}

/// What has happened to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkAction {
    /// It was made.
    Create,
    /// A sandbox has a place in it.
    Connect(SandboxId),
    /// A sandbox has its place no more.
    Disconnect(SandboxId),
    /// It was removed.
    Destroy,
}

/// What has happened to a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SandboxAction {
    /// It was made.
    Create,
    /// Its command runs.
    Start,
    /// Its command was sent a signal.
    Kill(Signal),
    /// Its command has ended.
    Die {
        /// The exit code.
        code: i32,
        /// How long it ran.
        ran: Duration,
    },
    /// It was stopped on somebody's request, after it has died.
    Stop,
    /// It was stopped and started again on somebody's request.
    Restart,
    /// It has another name than this one now.
    Rename(Name),
    /// It was removed.
    Destroy,
}

/// The exit code of a command whose end nobody saw.
const UNKNOWN_CODE: i32 = 255;

/// What has happened when one spec came after the other. Networks are made first and go last; a sandbox's endpoints are
/// there before its command starts, and gone when its end is told.
#[must_use]
pub fn between(old: &Spec, new: &Spec) -> Vec<Happening> {
    let networks = || new.networks.changed(&old.networks);
    let sandboxes = || new.sandboxes.changed(&old.sandboxes);
    let made = networks().filter(|id| !old.networks.contains_key(id)).filter_map(|id| new.networks.get(id));
    let removed =
        networks().filter(|id| !new.networks.contains_key(id)).filter_map(|id| old.networks.get(id));
    let gone = sandboxes().filter(|id| !new.sandboxes.contains_key(id));
    let mut happenings: Vec<_> =
        made.map(|network| Happening::of_network(network, NetworkAction::Create)).collect();
    for sandbox in gone.filter_map(|id| old.sandboxes.get(id)) {
        happenings.extend(ended(old, sandbox, None));
        happenings.push(Happening::of_sandbox(sandbox, SandboxAction::Destroy));
    }
    for sandbox in sandboxes().filter_map(|id| new.sandboxes.get(id)) {
        let before = old.sandboxes.get(&sandbox.id);
        match before {
            None => happenings.push(Happening::of_sandbox(sandbox, SandboxAction::Create)),
            Some(before) => {
                let renamed =
                    (before.name != sandbox.name).then(|| SandboxAction::Rename(before.name.clone()));
                happenings.extend(renamed.map(|action| Happening::of_sandbox(sandbox, action)));
                happenings.extend(ended(old, before, Some(sandbox)));
            }
        }
        happenings.extend(begun(new, before, sandbox));
    }
    happenings.extend(removed.map(|network| Happening::of_network(network, NetworkAction::Destroy)));
    happenings
}

impl Happening {
    /// Something that has happened to a sandbox.
    #[must_use]
    pub fn of_sandbox(sandbox: &Sandbox, action: SandboxAction) -> Self {
        let Sandbox { id, name, config, .. } = sandbox;
        Self::Sandbox { id: *id, name: name.clone(), labels: config.labels.clone(), action }
    }

    fn of_network(network: &Network, action: NetworkAction) -> Self {
        let Network { id, name, driver, .. } = network;
        Self::Network { id: *id, name: name.clone(), driver: *driver, action }
    }
}

/// What has ended of a sandbox: its endpoints, and its command.
fn ended<'a>(
    spec: &'a Spec,
    before: &'a Sandbox,
    after: Option<&'a Sandbox>,
) -> impl Iterator<Item = Happening> + 'a {
    let is_gone = move |endpoint: &&Endpoint| after.is_none_or(|after| !has(after, endpoint));
    let disconnected = before.endpoints().filter(is_gone).filter_map(|endpoint| {
        let network = spec.networks.get(&endpoint.network)?;
        Some(Happening::of_network(network, NetworkAction::Disconnect(before.id)))
    });
    let start = running_since(before).filter(|_| after.and_then(running_since) != running_since(before));
    let died = start.map(move |start| {
        let (code, finished) = match after.map(|after| after.state) {
            Some(SandboxState::Exited { code, finished, .. }) => (code, finished),
            Some(SandboxState::Created | SandboxState::Starting(_) | SandboxState::Running { .. }) | None => {
                (UNKNOWN_CODE, start)
            }
        };
        let ran = Duration::from_nanos(finished.saturating_sub(start));
        Happening::of_sandbox(after.unwrap_or(before), SandboxAction::Die { code, ran })
    });
    disconnected.chain(died)
}

/// What has begun of a sandbox: its endpoints, and its command.
fn begun<'a>(
    spec: &'a Spec,
    before: Option<&'a Sandbox>,
    after: &'a Sandbox,
) -> impl Iterator<Item = Happening> + 'a {
    let is_new = move |endpoint: &&Endpoint| before.is_none_or(|before| !has(before, endpoint));
    let connected = after.endpoints().filter(is_new).filter_map(|endpoint| {
        let network = spec.networks.get(&endpoint.network)?;
        Some(Happening::of_network(network, NetworkAction::Connect(after.id)))
    });
    let start = running_since(after).filter(|_| before.and_then(running_since) != running_since(after));
    connected.chain(start.map(|_| Happening::of_sandbox(after, SandboxAction::Start)))
}

fn has(sandbox: &Sandbox, endpoint: &Endpoint) -> bool {
    sandbox.endpoints().any(|other| other.id == endpoint.id)
}

const fn running_since(sandbox: &Sandbox) -> Option<u64> {
    match sandbox.state {
        SandboxState::Running { started, .. } => Some(started),
        SandboxState::Created | SandboxState::Starting(_) | SandboxState::Exited { .. } => None,
    }
}
