//! A sandbox's making and its end.

use super::{Context, Error, NetworkError, PruneChoice, endpoint, find_network, find_sandbox, join};
use crate::model::{
    Attachment, Driver, EndpointSettings, LinkRequest, Name, Network, NetworkMode, Sandbox, SandboxConfig,
    SandboxId, SandboxLink, SandboxState, Spec,
};

/// What a user wants of a new sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxRequest {
    /// Name; one is made up if there is none.
    pub name: Option<Name>,
    /// Where its network namespace comes from.
    pub mode: ModeRequest,
    /// The networks to join.
    pub networks: Vec<AttachRequest>,
    /// Sandboxes to link to on the first of them.
    pub links: Vec<LinkRequest>,
    /// Everything else.
    pub config: SandboxConfig,
}

/// Where a new sandbox's network namespace is to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModeRequest {
    /// It gets its own.
    Own,
    /// It shares that of another sandbox: name, identifier or unique prefix of it.
    Container(String),
    /// It adopts the one at this path.
    Adopted(String),
}

/// A network that a new sandbox is to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachRequest {
    /// Name, identifier or unique prefix of it.
    pub network: String,
    /// What is wished there.
    pub settings: EndpointSettings,
}

/// Adds a sandbox that has never been started.
pub fn create_sandbox(
    spec: &mut Spec,
    request: SandboxRequest,
    context: &mut Context<'_>,
) -> Result<SandboxId, Error> {
    let SandboxRequest { name, mode, mut networks, links, config } = request;
    let needs_command = !matches!(mode, ModeRequest::Adopted(_));
    if needs_command && config.command.first().is_none_or(String::is_empty) {
        return Err(Error::NoCommand);
    }
    let name = match name {
        Some(name) => free_name(spec, name)?,
        None => made_up_name(spec, context),
    };
    let legacy = distribute_links(spec, &mut networks, links)?;
    let links = legacy.into_iter().map(|link| find_linked(spec, link)).collect::<Result<_, _>>()?;
    let id = SandboxId::new(context.random());
    let mode = find_mode(spec, mode, &networks)?;
    let state = SandboxState::Created;
    let (ports, attachments) = (Vec::new(), Vec::new());
    let (created, keeps_resolver) = (context.now, false);
    let mut sandbox =
        Sandbox { id, name, created, mode, config, state, ports, links, attachments, keeps_resolver };
    for AttachRequest { network, settings } in networks {
        let network = find_joined(spec, &network)?;
        endpoint::check(network, &settings).map_err(|source| Error::InvalidConfig {
            network: network.name.clone(),
            source: Box::new(source),
        })?;
        join::check_company(spec, &sandbox, network)?;
        if sandbox.attachment_to(network.id).is_some() {
            let (sandbox, network) = (sandbox.name, network.name.clone());
            return Err(Error::AlreadyConnected { sandbox, network });
        }
        sandbox.attachments.push(Attachment::new(network, settings));
    }
    check_mode(&sandbox)?;
    spec.sandboxes.insert(id, sandbox);
    Ok(id)
}

/// Removes a sandbox; a running one only by `force`.
pub fn remove_sandbox(spec: &mut Spec, reference: &str, force: bool) -> Result<SandboxId, Error> {
    let sandbox = find_sandbox(spec, reference)?;
    let id = sandbox.id;
    if sandbox.is_active() && !force {
        return Err(Error::SandboxRunning(reference.to_owned()));
    }
    forget(spec, id);
    Ok(id)
}

/// Removes the sandboxes that are meant and not active, and returns their identifiers.
pub fn prune_sandboxes(spec: &mut Spec, choice: &PruneChoice) -> Vec<SandboxId> {
    let idle = spec.sandboxes.values().filter(|sandbox| !sandbox.is_active());
    let meant = idle.filter(|sandbox| choice.is_meant(sandbox.created, &sandbox.config.labels));
    let ids: Vec<_> = meant.map(|sandbox| sandbox.id).collect();
    for id in &ids {
        forget(spec, *id);
    }
    ids
}

/// Removes a sandbox with the links to it.
fn forget(spec: &mut Spec, id: SandboxId) {
    spec.sandboxes.remove(&id);
    let has_link = |other: &&Sandbox| other.links.iter().any(|link| link.sandbox == id);
    let linked: Vec<_> = spec.sandboxes.values().filter(has_link).map(|other| other.id).collect();
    for other in linked {
        if let Some(other) = spec.sandboxes.get_mut(&other) {
            other.links.retain(|link| link.sandbox != id);
        }
    }
}

pub(super) fn free_name(spec: &Spec, name: Name) -> Result<Name, Error> {
    match spec.sandboxes.values().find(|sandbox| sandbox.name == name) {
        Some(owner) => Err(Error::SandboxExists { name, owner: owner.id }),
        None => Ok(name),
    }
}

/// A name from two random words, with a number behind it where that is taken.
fn made_up_name(spec: &Spec, context: &mut Context<'_>) -> Name {
    let name = Name::made_up(context.random());
    let numbered = (1..).map(|n| name.numbered(n));
    let mut candidates = std::iter::once(name.clone()).chain(numbered);
    let free = candidates.find(|name| spec.sandboxes.values().all(|sandbox| sandbox.name != *name));
    free.expect("there are more numbers than sandboxes")
}

/// Finds a network to be joined. Docker looks for it only at the start, and says so.
fn find_joined<'a>(spec: &'a Spec, reference: &str) -> Result<&'a Network, Error> {
    let found = find_network(spec, reference).and_then(|network| match &network.template {
        Some(_) => Err(NetworkError::JoinConfiguration.into()),
        None => Ok(network),
    });
    found.map_err(|source| Error::Networking(Box::new(source)))
}

/// Links mean the first network. On the default bridge they open ports, so they are the sandbox's own.
fn distribute_links(
    spec: &Spec,
    networks: &mut [AttachRequest],
    links: Vec<LinkRequest>,
) -> Result<Vec<LinkRequest>, Error> {
    let Some(first) = networks.first_mut() else { return Ok(links) };
    if find_joined(spec, &first.network)?.bridge.is_default {
        return Ok(links);
    }
    first.settings.links.extend(links);
    Ok(Vec::new())
}

/// Finds whom a link means.
fn find_linked(spec: &Spec, link: LinkRequest) -> Result<SandboxLink, Error> {
    let LinkRequest { sandbox: reference, alias } = link;
    let target = find_sandbox(spec, &reference)
        .map_err(|source| Error::LinkTarget { reference, source: Box::new(source) })?;
    Ok(SandboxLink { sandbox: target.id, alias })
}

fn find_mode(spec: &Spec, mode: ModeRequest, networks: &[AttachRequest]) -> Result<NetworkMode, Error> {
    Ok(match mode {
        ModeRequest::Container(reference) if reference.is_empty() => return Err(Error::UnnamedDonor),
        ModeRequest::Container(reference) => match find_sandbox(spec, &reference) {
            Err(Error::SandboxNotFound(missing)) => return Err(Error::NoDonor(missing)),
            found => NetworkMode::Container(found?.id),
        },
        ModeRequest::Adopted(path) => NetworkMode::Adopted(path),
        ModeRequest::Own => {
            let Some(AttachRequest { network: reference, .. }) = networks.first() else {
                return Ok(NetworkMode::Own(String::new()));
            };
            match find_network(spec, reference) {
                Ok(network) if network.driver == Driver::Host => NetworkMode::Host,
                // The beginning of an identifier may become another network's, too.
                Ok(network) if network.name.as_str() != reference => NetworkMode::Own(network.id.to_string()),
                Ok(_) | Err(_) => NetworkMode::Own(reference.clone()),
            }
        }
    })
}

/// Which wishes make no sense together, in Docker's words.
fn check_mode(sandbox: &Sandbox) -> Result<(), Error> {
    let SandboxConfig { publish, publish_all, exposed, hostname, dns, extra_hosts, .. } = &sandbox.config;
    let has_links =
        !sandbox.links.is_empty() || sandbox.attachments.iter().any(|a| !a.settings.links.is_empty());
    let has_mac = sandbox.attachments.iter().any(|attachment| attachment.settings.mac.is_some());
    let refusal = match &sandbox.mode {
        NetworkMode::Container(_) if hostname.is_some() => "hostname and the network mode",
        NetworkMode::Container(_) if has_links => {
            "container type network can't be used with links. This would result in undefined behavior"
        }
        NetworkMode::Container(_) if !dns.servers.is_empty() => "dns and the network mode",
        NetworkMode::Container(_) if !extra_hosts.is_empty() => {
            "custom host-to-IP mapping and the network mode"
        }
        NetworkMode::Container(_) if !publish.is_empty() || *publish_all => {
            "port publishing and the container type network mode"
        }
        NetworkMode::Container(_) if !exposed.is_empty() => {
            "port exposing and the container type network mode"
        }
        NetworkMode::Host if has_links => {
            "host type networking can't be used with links. This would result in undefined behavior"
        }
        NetworkMode::Host if has_mac => "mac-address and the network mode",
        NetworkMode::Own(_) | NetworkMode::Host | NetworkMode::Container(_) | NetworkMode::Adopted(_) => {
            return Ok(());
        }
    };
    Err(Error::Conflicting(refusal))
}
