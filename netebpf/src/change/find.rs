//! Whom a user means: by identifier, by name, or by the unique beginning of an identifier, in this order.

use super::Error;
use crate::model::{Network, Sandbox, Spec};

/// Finds a network by identifier, name or unique prefix of its identifier.
pub fn find_network<'a>(spec: &'a Spec, reference: &str) -> Result<&'a Network, Error> {
    let known =
        spec.networks.values().map(|network| (network.id.to_string(), network.name.as_str(), network));
    match find(known, reference).as_slice() {
        [] => Err(Error::NetworkNotFound(reference.to_owned())),
        [network] => Ok(network),
        several => Err(Error::NetworkAmbiguous { reference: reference.to_owned(), matches: several.len() }),
    }
}

/// Finds a sandbox by identifier, name or unique prefix of its identifier.
pub fn find_sandbox<'a>(spec: &'a Spec, reference: &str) -> Result<&'a Sandbox, Error> {
    let known =
        spec.sandboxes.values().map(|sandbox| (sandbox.id.to_string(), sandbox.name.as_str(), sandbox));
    match find(known, reference).as_slice() {
        [] => Err(Error::SandboxNotFound(reference.to_owned())),
        [sandbox] => Ok(sandbox),
        _ => Err(Error::SandboxAmbiguous(reference.to_owned())),
    }
}

fn find<'a, T>(known: impl Iterator<Item = (String, &'a str, &'a T)>, reference: &str) -> Vec<&'a T> {
    let known: Vec<_> = known.collect();
    let exact = known
        .iter()
        .find(|(id, ..)| id == reference)
        .or(known.iter().find(|(_, name, _)| *name == reference));
    match exact {
        Some((.., found)) => vec![found],
        None if reference.is_empty() => Vec::new(),
        None => known.iter().filter(|(id, ..)| id.starts_with(reference)).map(|(.., found)| *found).collect(),
    }
}
