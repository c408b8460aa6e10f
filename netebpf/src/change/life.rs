//! A sandbox's life: about to start, running, exited, and started again.

use super::{Context, Error, endpoint, find_sandbox, ports};
use crate::model::{Attachment, Network, NetworkMode, Process, Sandbox, SandboxId, SandboxState, Spec};

/// Gives a sandbox its endpoints and host ports, and notes that a process is about to start its command.
///
/// What it had before a stop counts no more: only what the user wishes for comes back.
pub fn start_sandbox(
    spec: &mut Spec,
    reference: &str,
    starter: Process,
    context: &mut Context<'_>,
) -> Result<SandboxId, Error> {
    let mut sandbox = find_sandbox(spec, reference)?.clone();
    if sandbox.is_active() {
        return Err(Error::SandboxActive(sandbox.id));
    }
    check_donor(spec, &sandbox)?;
    check_links(spec, &sandbox)?;
    let is_first = sandbox.state == SandboxState::Created;
    sandbox.state = SandboxState::Starting(starter);
    provide(spec, &mut sandbox, is_first, context).map_err(|source| Error::Networking(Box::new(source)))?;
    let id = sandbox.id;
    spec.sandboxes.insert(id, sandbox);
    Ok(id)
}

/// Gives a sandbox its endpoints and host ports.
fn provide(
    spec: &Spec,
    sandbox: &mut Sandbox,
    is_first: bool,
    context: &mut Context<'_>,
) -> Result<(), Error> {
    for index in 0..sandbox.attachments.len() {
        let attachment = &sandbox.attachments[index];
        let network = find_meant(spec, attachment, is_first)?;
        let endpoint = endpoint::make(spec, network, &attachment.settings, sandbox, context)?;
        sandbox.attachments[index].network = network.id;
        sandbox.attachments[index].endpoint = Some(endpoint);
    }
    let ports = ports::allocate(spec, sandbox, context.host);
    let endpoint = spec.leading_endpoint(sandbox).map(|(endpoint, _)| endpoint.id);
    sandbox.ports = ports.map_err(|source| match endpoint {
        Some(endpoint) => {
            Error::External { sandbox: sandbox.name.clone(), endpoint, source: Box::new(source) }
        }
        None => source,
    })?;
    Ok(())
}

/// The network that a sandbox belongs to. Before its first start the name counts: another network may have it by then.
fn find_meant<'a>(spec: &'a Spec, attachment: &Attachment, is_first: bool) -> Result<&'a Network, Error> {
    let known = spec.networks.get(&attachment.network);
    if is_first {
        let named = || spec.networks.values().find(|network| network.name == attachment.name);
        return known.or_else(named).ok_or_else(|| Error::NetworkNotFound(attachment.name.to_string()));
    }
    known.ok_or_else(|| Error::NetworkNotFound(attachment.network.to_string()))
}

/// Records that a sandbox's command runs as this process, or that nothing needs to run in it.
pub fn mark_running(spec: &mut Spec, id: SandboxId, process: Option<Process>, now: u64) -> Result<(), Error> {
    let sandbox = get(spec, id)?;
    match sandbox.state {
        SandboxState::Starting(_) => {
            sandbox.state = SandboxState::Running { process, started: now };
            Ok(())
        }
        SandboxState::Running { .. } => Err(Error::SandboxActive(id)),
        SandboxState::Created | SandboxState::Exited { .. } => Err(Error::SandboxNotRunning(id)),
    }
}

/// Records how a sandbox's command ended, or that it never started; its addresses and ports are free again.
/// Those that share its namespace end with it; they are returned.
pub fn mark_exited(spec: &mut Spec, id: SandboxId, code: i32, now: u64) -> Result<Vec<SandboxId>, Error> {
    let sandbox = get(spec, id)?;
    sandbox.state = match sandbox.state {
        SandboxState::Created | SandboxState::Starting(_) => SandboxState::Created,
        SandboxState::Running { started, .. } | SandboxState::Exited { started, .. } => {
            SandboxState::Exited { code, started, finished: now }
        }
    };
    sandbox.ports.clear();
    sandbox.keeps_resolver = false;
    for attachment in &mut sandbox.attachments {
        attachment.endpoint = None;
    }
    let sharing = |sandbox: &&Sandbox| sandbox.mode == NetworkMode::Container(id);
    Ok(spec.active_sandboxes().filter(sharing).map(|sandbox| sandbox.id).collect())
}

fn get(spec: &mut Spec, id: SandboxId) -> Result<&mut Sandbox, Error> {
    spec.sandboxes.get_mut(&id).ok_or_else(|| Error::SandboxNotFound(id.to_string()))
}

/// The sandbox whose namespace is to be shared must have one.
fn check_donor(spec: &Spec, sandbox: &Sandbox) -> Result<(), Error> {
    let NetworkMode::Container(donor) = sandbox.mode else { return Ok(()) };
    match spec.sandboxes.get(&donor) {
        None => Err(Error::NoDonor(donor.to_string())),
        Some(donor) if !donor.is_running() => {
            Err(Error::DonorNotRunning { donor: donor.name.clone(), state: donor.state.name() })
        }
        Some(_) => Ok(()),
    }
}

/// A sandbox without addresses cannot be linked to.
fn check_links(spec: &Spec, sandbox: &Sandbox) -> Result<(), Error> {
    for link in &sandbox.links {
        let target = spec.sandboxes.get(&link.sandbox);
        if let Some(target) = target.filter(|target| !target.is_running()) {
            let (name, alias) = (sandbox.name.clone(), link.alias.clone());
            return Err(Error::LinkNotRunning { target: target.name.clone(), name, alias });
        }
    }
    Ok(())
}
