//! The desired state of one engine.

use std::{cmp::Reverse, net::IpAddr};

use netebpf_common::abi::Family;

use super::{
    Endpoint, FAMILIES, GatewayMode, Network, NetworkId, PortMapping, Sandbox, SandboxId, SharedMap,
};

/// All that users asked for. Copies share what they do not change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spec {
    /// Networks by identifier.
    pub networks: SharedMap<NetworkId, Network>,
    /// Sandboxes by identifier.
    pub sandboxes: SharedMap<SandboxId, Sandbox>,
}

impl Spec {
    /// Every endpoint together with its sandbox and network, those without an interface included.
    pub fn endpoints(&self) -> impl Iterator<Item = (&Sandbox, &Endpoint, &Network)> {
        self.sandboxes.values().flat_map(|sandbox| {
            self.joined(sandbox).map(move |(endpoint, network)| (sandbox, endpoint, network))
        })
    }

    /// Every endpoint that has a place in the kernel, with its sandbox and network.
    pub fn active_endpoints(&self) -> impl Iterator<Item = (&Sandbox, &Endpoint, &Network)> {
        self.endpoints().filter(|(_, _, network)| network.has_bridge())
    }

    /// Every endpoint on a network, with its sandbox.
    pub fn active_on(&self, network: NetworkId) -> impl Iterator<Item = (&Sandbox, &Endpoint)> {
        let sandboxes = self.sandboxes.values();
        sandboxes.filter_map(move |sandbox| Some((sandbox, sandbox.endpoint_on(network)?)))
    }

    /// Sandboxes that have a place in the kernel.
    pub fn active_sandboxes(&self) -> impl Iterator<Item = &Sandbox> {
        self.sandboxes.values().filter(|sandbox| sandbox.is_active())
    }

    /// A sandbox's endpoints with their networks.
    pub fn joined<'a>(&'a self, sandbox: &'a Sandbox) -> impl Iterator<Item = (&'a Endpoint, &'a Network)> {
        sandbox.endpoints().filter_map(|endpoint| Some((endpoint, self.networks.get(&endpoint.network)?)))
    }

    /// The endpoint that gives a sandbox its default route of an IP version and takes its published ports. As Docker
    /// chooses: of the networks that lead out the one with the highest priority, then those that do so by both IP
    /// versions, then by name.
    #[must_use]
    pub fn gateway_endpoint<'a>(
        &'a self,
        sandbox: &'a Sandbox,
        family: Family,
    ) -> Option<(&'a Endpoint, &'a Network)> {
        let leads_out = |network: &Network, family| network.way_out(family).is_some();
        let candidates = sandbox.attachments.iter().filter_map(|attachment| {
            let endpoint = attachment.endpoint.as_ref()?;
            Some((attachment.settings.gateway_priority, endpoint, self.networks.get(&attachment.network)?))
        });
        let best = candidates.filter(|(_, _, network)| leads_out(network, family)).min_by_key(
            |(priority, _, network)| {
                let is_dual = leads_out(network, Family::V4) && leads_out(network, Family::V6);
                (Reverse(*priority), !is_dual, &network.name)
            },
        );
        best.map(|(_, endpoint, network)| (endpoint, network))
    }

    /// Whether a sandbox asks our resolver, as all do that are on a network with names or were on one.
    #[must_use]
    pub fn has_resolver(&self, sandbox: &Sandbox) -> bool {
        sandbox.keeps_resolver || self.joined(sandbox).any(|(_, network)| network.has_names())
    }

    /// The endpoint by whose interface a sandbox asks our resolver, if it does.
    ///
    /// A packet's source must be an address of the interface that it leaves by, so one with IPv4 is preferred.
    #[must_use]
    pub fn resolver_endpoint<'a>(&'a self, sandbox: &'a Sandbox) -> Option<&'a Endpoint> {
        let endpoints = || self.joined(sandbox).filter(|(_, network)| network.has_bridge());
        if !self.has_resolver(sandbox) {
            return None;
        }
        let with_v4 = endpoints().find(|(endpoint, _)| endpoint.address(Family::V4).is_some());
        with_v4.or_else(|| endpoints().next()).map(|(endpoint, _)| endpoint)
    }

    /// The endpoint that leads out by IPv4, or else the one that does by IPv6, with its network.
    #[must_use]
    pub fn leading_endpoint<'a>(&'a self, sandbox: &'a Sandbox) -> Option<(&'a Endpoint, &'a Network)> {
        FAMILIES.into_iter().find_map(|family| self.gateway_endpoint(sandbox, family))
    }

    /// The address that answers for a published host port; `None` where the host has no part in it, because nothing
    /// leads out of the sandbox's networks or the one that does is routed.
    ///
    /// IPv6 leads to IPv4 where the sandbox has no way out by IPv6: host processes can use that.
    #[must_use]
    pub fn translated_to(&self, sandbox: &Sandbox, mapping: &PortMapping) -> Option<IpAddr> {
        let of = |family| Some((family, self.gateway_endpoint(sandbox, family)?));
        let (family, (endpoint, network)) = match mapping.family() {
            Family::V4 => of(Family::V4),
            Family::V6 => of(Family::V6).or_else(|| of(Family::V4)),
        }?;
        match network.bridge.mode(family) {
            GatewayMode::Nat | GatewayMode::NatUnprotected => endpoint.address(family),
            GatewayMode::Routed | GatewayMode::Isolated => None,
        }
    }

    /// A sandbox's published ports that the host has a part in.
    pub fn translated<'a>(&'a self, sandbox: &'a Sandbox) -> impl Iterator<Item = &'a PortMapping> {
        sandbox.ports.iter().filter(|mapping| self.translated_to(sandbox, mapping).is_some())
    }

    /// The sandbox's own addresses at which a published port counts as published: that of the endpoint that gives the
    /// default route, and those on routed networks.
    pub fn open_addresses<'a>(
        &'a self,
        sandbox: &'a Sandbox,
        family: Family,
    ) -> impl Iterator<Item = IpAddr> {
        let gateway = self.gateway_endpoint(sandbox, family).map(|(endpoint, _)| endpoint.id);
        let leading_out = self.joined(sandbox).filter(move |(_, network)| network.way_out(family).is_some());
        leading_out.filter_map(move |(endpoint, network)| {
            let is_routed = network.bridge.mode(family) == GatewayMode::Routed;
            (is_routed || gateway == Some(endpoint.id)).then(|| endpoint.address(family))?
        })
    }
}
