//! What did the kernel refuse? A host port that a sandbox cannot have is told in Docker's words.

use super::Error;
use crate::{
    model::{EndpointId, Name, PortMapping, Sandbox, Spec},
    plan::Action,
    reconcile,
};

/// A port that another program has, or whose address is none of the host's.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to set up container networking: driver failed programming external connectivity on endpoint {sandbox} \
     ({endpoint}): {source}"
)]
struct PortRefused<E> {
    sandbox: Name,
    endpoint: EndpointId,
    source: E,
}

/// Why the kernel could not be driven to a spec.
pub(super) fn refusal<E>(error: reconcile::Error<E>, wanted: &Spec) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    match error {
        reconcile::Error::Apply { action, source, others } => match publisher(&action, wanted) {
            Some((sandbox, endpoint)) => Error::kernel(PortRefused { sandbox, endpoint, source }),
            None => Error::kernel(reconcile::Error::Apply { action, source, others }),
        },
        error @ (reconcile::Error::Observe(_) | reconcile::Error::Unsettled(_)) => Error::kernel(error),
    }
}

/// The sandbox for which a port was to be held, with its endpoint that the port leads to.
fn publisher(action: &Action, wanted: &Spec) -> Option<(Name, EndpointId)> {
    let Action::HoldPort(key) = action else { return None };
    let publishes = |sandbox: &&Sandbox| {
        let mut keys = sandbox.ports.iter().flat_map(PortMapping::keys);
        keys.any(|published| published == *key)
    };
    let sandbox = wanted.active_sandboxes().find(publishes)?;
    let (endpoint, _) = wanted.leading_endpoint(sandbox)?;
    Some((sandbox.name.clone(), endpoint.id))
}
