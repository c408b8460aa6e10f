//! The desired state of one engine.

use std::collections::BTreeMap;

use super::{Endpoint, Network, NetworkId, Sandbox, SandboxId};

/// All that users asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spec {
    /// Networks by identifier.
    pub networks: BTreeMap<NetworkId, Network>,
    /// Sandboxes by identifier.
    pub sandboxes: BTreeMap<SandboxId, Sandbox>,
}

impl Spec {
    /// Every endpoint together with its sandbox.
    pub fn endpoints(&self) -> impl Iterator<Item = (&Sandbox, &Endpoint)> {
        self.sandboxes
            .values()
            .flat_map(|sandbox| sandbox.endpoints.iter().map(move |endpoint| (sandbox, endpoint)))
    }
}
