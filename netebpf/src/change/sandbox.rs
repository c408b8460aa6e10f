//! A sandbox's life: created, running, exited, removed.

use super::{AddressWishes, Context, Error, find_network, find_sandbox, join, ports};
use crate::model::{
    ExposedPorts, LinkRequest, Name, Process, PublishRequest, Sandbox, SandboxId, SandboxLink, SandboxState,
    Spec,
};

/// What a user wants of a new sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxRequest {
    /// Name.
    pub name: Name,
    /// The command and its arguments, at least the command.
    pub command: Vec<String>,
    /// The network to join: name, identifier or unique prefix of it.
    pub network: String,
    /// Addresses on that network.
    pub addresses: AddressWishes,
    /// Ports to publish.
    pub ports: Vec<PublishRequest>,
    /// Ports that sandboxes linked to this one may reach.
    pub exposed: Vec<ExposedPorts>,
    /// Sandboxes to link to.
    pub links: Vec<LinkRequest>,
    /// Remove the sandbox when its command ends.
    pub auto_remove: bool,
}

/// Adds a sandbox whose command has not been started yet.
pub fn create_sandbox(
    spec: &mut Spec,
    request: SandboxRequest,
    context: &mut Context<'_>,
) -> Result<SandboxId, Error> {
    if request.command.first().is_none_or(String::is_empty) {
        return Err(Error::NoCommand);
    }
    if let Some(owner) = spec.sandboxes.values().find(|sandbox| sandbox.name == request.name) {
        return Err(Error::SandboxExists { name: request.name, owner: owner.id });
    }
    let network = find_network(spec, &request.network)?;
    let endpoint = join::new_endpoint(spec, network, request.addresses, &[], context)?;
    let links = request.links.into_iter().map(|link| find_linked(spec, &request.name, link));
    let links = links.collect::<Result<_, _>>()?;
    let id = SandboxId::new(context.random());
    let mut sandbox = Sandbox {
        id,
        name: request.name,
        created: context.now,
        command: request.command,
        state: SandboxState::Created,
        ports: Vec::new(),
        exposed: request.exposed,
        links,
        auto_remove: request.auto_remove,
        endpoints: vec![endpoint],
    };
    sandbox.ports = ports::allocate(spec, &sandbox, &request.ports, context.host)?;
    spec.sandboxes.insert(id, sandbox);
    Ok(id)
}

/// Removes a sandbox; a running one only by `force`.
pub fn remove_sandbox(spec: &mut Spec, reference: &str, force: bool) -> Result<SandboxId, Error> {
    let sandbox = find_sandbox(spec, reference)?;
    let id = sandbox.id;
    match sandbox.state {
        SandboxState::Running(_) if !force => return Err(Error::SandboxRunning(sandbox.name.clone())),
        SandboxState::Running(_) | SandboxState::Created | SandboxState::Exited(_) => {}
    }
    forget(spec, id);
    Ok(id)
}

/// Records that a sandbox's command runs as this process.
pub fn mark_running(spec: &mut Spec, id: SandboxId, process: Process) -> Result<(), Error> {
    let sandbox = spec.sandboxes.get_mut(&id).ok_or_else(|| Error::SandboxNotFound(id.to_string()))?;
    match sandbox.state {
        SandboxState::Created | SandboxState::Running(_) => sandbox.state = SandboxState::Running(process),
        SandboxState::Exited(_) => return Err(Error::SandboxNotRunning(id)),
    }
    Ok(())
}

/// Records how a sandbox's command ended; its addresses and ports are free again, and with `--rm` it is gone.
pub fn mark_exited(spec: &mut Spec, id: SandboxId, code: i32) -> Result<(), Error> {
    let sandbox = spec.sandboxes.get_mut(&id).ok_or_else(|| Error::SandboxNotFound(id.to_string()))?;
    sandbox.state = SandboxState::Exited(code);
    if sandbox.auto_remove {
        forget(spec, id);
    }
    Ok(())
}

/// Removes a sandbox with the links to it.
fn forget(spec: &mut Spec, id: SandboxId) {
    spec.sandboxes.remove(&id);
    for other in spec.sandboxes.values_mut() {
        other.links.retain(|link| link.sandbox != id);
    }
}

/// Finds whom a link means; only a sandbox that has addresses can be linked to.
fn find_linked(spec: &Spec, name: &Name, link: LinkRequest) -> Result<SandboxLink, Error> {
    let LinkRequest { sandbox: reference, alias } = link;
    let target = find_sandbox(spec, &reference)
        .map_err(|source| Error::LinkTarget { reference, source: Box::new(source) })?;
    if !target.is_active() {
        return Err(Error::LinkNotRunning { target: target.name.clone(), name: name.clone(), alias });
    }
    Ok(SandboxLink { sandbox: target.id, alias })
}
