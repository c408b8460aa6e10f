//! Whom a user means: by identifier, by name, or by the unique beginning of an identifier, in this order.

use super::Error;
use crate::model::{ID_DIGITS, Name, Network, Sandbox, Spec};

/// Finds a network by identifier, name or unique prefix of its identifier.
pub fn find_network<'a>(spec: &'a Spec, reference: &str) -> Result<&'a Network, Error> {
    let has_id = |network: &Network, text: &str| network.id.starts_with(text);
    match find(spec.networks.values(), reference, has_id, |network| &network.name).as_slice() {
        [] => Err(Error::NetworkNotFound(reference.to_owned())),
        [network] => Ok(network),
        several => Err(Error::NetworkAmbiguous { reference: reference.to_owned(), matches: several.len() }),
    }
}

/// Finds a sandbox by identifier, name or unique prefix of its identifier.
pub fn find_sandbox<'a>(spec: &'a Spec, reference: &str) -> Result<&'a Sandbox, Error> {
    let has_id = |sandbox: &Sandbox, text: &str| sandbox.id.starts_with(text);
    match find(spec.sandboxes.values(), reference, has_id, |sandbox| &sandbox.name).as_slice() {
        [] => Err(Error::SandboxNotFound(reference.to_owned())),
        [sandbox] => Ok(sandbox),
        _ => Err(Error::SandboxAmbiguous(reference.to_owned())),
    }
}

fn find<'a, T>(
    known: impl Iterator<Item = &'a T>,
    reference: &str,
    has_id: impl Fn(&T, &str) -> bool,
    name: impl Fn(&T) -> &Name,
) -> Vec<&'a T> {
    let (mut named, mut begun) = (None, Vec::new());
    for one in known {
        if has_id(one, reference) {
            begun.push(one);
        }
        if name(one).as_str() == reference {
            named = named.or(Some(one));
        }
    }
    let is_whole = reference.len() == ID_DIGITS && !begun.is_empty();
    match named {
        Some(named) if !is_whole => vec![named],
        Some(_) | None if reference.is_empty() => Vec::new(),
        Some(_) | None => begun,
    }
}
