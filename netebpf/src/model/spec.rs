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

    /// Every endpoint that has a place in the kernel, with its sandbox and network.
    pub fn active_endpoints(&self) -> impl Iterator<Item = (&Sandbox, &Endpoint, &Network)> {
        let active = self.endpoints().filter(|(sandbox, _)| sandbox.is_active());
        active.filter_map(|(sandbox, endpoint)| {
            Some((sandbox, endpoint, self.networks.get(&endpoint.network)?))
        })
    }

    /// The endpoint that gives a sandbox its default route and takes its published ports: of the networks that are
    /// not internal the one whose name comes first, as Docker chooses.
    #[must_use]
    pub fn gateway_endpoint<'a>(&'a self, sandbox: &'a Sandbox) -> Option<(&'a Endpoint, &'a Network)> {
        let joined = sandbox
            .endpoints
            .iter()
            .filter_map(|endpoint| Some((endpoint, self.networks.get(&endpoint.network)?)));
        joined.filter(|(_, network)| !network.internal).min_by_key(|(_, network)| &network.name)
    }
}
