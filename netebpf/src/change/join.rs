//! Joining sandboxes to networks and parting them again.

use super::{Context, Error, endpoint, find_network, find_sandbox, ports};
use crate::model::{Attachment, Driver, EndpointSettings, Name, Network, NetworkMode, Sandbox, Spec};

/// Joins a sandbox to a network. One that is not active remembers it for its next start.
pub fn connect(
    spec: &mut Spec,
    network: &str,
    sandbox: &str,
    settings: EndpointSettings,
    context: &mut Context<'_>,
) -> Result<(), Error> {
    let sandbox = find_sandbox(spec, sandbox)?;
    let network = find_network(spec, network)?;
    endpoint::check(network, &settings)?;
    if sandbox.attachment_to(network.id).is_some() {
        if sandbox.is_active() {
            let (sandbox, network) = (sandbox.name.clone(), network.name.clone());
            return Err(Error::AlreadyConnected { sandbox, network });
        }
        return Ok(());
    }
    check_company(spec, sandbox, network)?;
    let mut joined = sandbox.clone();
    let mut attachment = Attachment { joined_later: true, ..Attachment::new(network, settings) };
    if sandbox.is_active() {
        attachment.endpoint = Some(endpoint::make(spec, network, &attachment.settings, sandbox, context)?);
    }
    joined.attachments.push(attachment);
    // The network may be the first to lead out.
    ports::check(spec, &joined)?;
    spec.sandboxes.insert(joined.id, joined);
    Ok(())
}

/// Parts a sandbox from a network. By `force`, or if the sandbox is not active, also from one that is gone.
pub fn disconnect(spec: &mut Spec, network: &str, sandbox: &str, force: bool) -> Result<(), Error> {
    let found = find_network(spec, network).cloned();
    let sandbox = match find_sandbox(spec, sandbox) {
        // Docker looks for what is left of a container that is gone; here nothing ever is.
        Err(Error::SandboxNotFound(name)) if force => {
            found?;
            return Err(Error::EndpointNotFound(name));
        }
        found => found?,
    };
    let is_meant = |attachment: &Attachment| match &found {
        Ok(network) => attachment.network == network.id,
        Err(_) => attachment.name.as_str() == network || attachment.network.to_string() == network,
    };
    let is_active = sandbox.is_active();
    match &found {
        Err(error) if is_active && !force => return Err(error.clone()),
        Ok(network) if is_active && network.driver == Driver::Host => return Err(Error::PartHost),
        Err(_) | Ok(_) => {}
    }
    if !sandbox.attachments.iter().any(is_meant) {
        let is_known = found.is_ok();
        let network = found.map_or_else(|_| network.to_owned(), |network| network.name.to_string());
        let sandbox = sandbox.id;
        return Err(if is_active && is_known {
            Error::NotConnected { sandbox, network }
        } else {
            Error::NotNoted { sandbox, network }
        });
    }
    let mut parted = Sandbox { keeps_resolver: is_active && spec.has_resolver(sandbox), ..sandbox.clone() };
    parted.attachments.retain(|attachment| !is_meant(attachment));
    // Another network may be the one that leads out now.
    ports::check(spec, &parted)?;
    spec.sandboxes.insert(parted.id, parted);
    Ok(())
}

/// Which networks a sandbox cannot have together.
pub(super) fn check_company(spec: &Spec, sandbox: &Sandbox, network: &Network) -> Result<(), Error> {
    match (&sandbox.mode, network.driver) {
        (NetworkMode::Container(_), _) | (NetworkMode::Host, Driver::Bridge | Driver::Null) => {
            return Err(Error::SharedNamespace);
        }
        (NetworkMode::Own(_) | NetworkMode::Adopted(_), Driver::Host) => return Err(Error::JoinHost),
        (NetworkMode::Host, Driver::Host)
        | (NetworkMode::Own(_) | NetworkMode::Adopted(_), Driver::Bridge | Driver::Null) => {}
    }
    let is_null =
        |name: &Name| spec.networks.values().any(|known| known.name == *name && known.driver == Driver::Null);
    let mut others = sandbox.attachments.iter();
    let is_alone = sandbox.attachments.is_empty();
    if !is_alone && (network.driver == Driver::Null || others.any(|other| is_null(&other.name))) {
        return Err(Error::JoinNone);
    }
    Ok(())
}
