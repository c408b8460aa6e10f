//! Namespaces and what is inside. Processes of a sandbox may add addresses and routes of their own: those stay.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Action;
use crate::{
    compile::Links,
    kernel::{Namespace, Observed},
    model::{Endpoint, Network, Sandbox, Spec},
};

pub(super) fn create_namespaces(spec: &Spec, observed: &Observed) -> Vec<Action> {
    let missing = active(spec).filter(|sandbox| !observed.sandboxes.contains_key(&sandbox.id));
    missing.map(|sandbox| Action::CreateNamespace { sandbox: sandbox.id }).collect()
}

pub(super) fn delete_namespaces(spec: &Spec, observed: &Observed) -> Vec<Action> {
    let is_active = |id| spec.sandboxes.get(id).is_some_and(Sandbox::is_active);
    let stray = observed.sandboxes.keys().filter(|id| !is_active(id));
    stray.map(|&sandbox| Action::DeleteNamespace { sandbox }).collect()
}

/// An interface is the endpoint's only if its veth is: the name may still be another endpoint's that goes.
pub(super) fn configure_interfaces(spec: &Spec, observed: &Observed, links: &Links<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    let joined = spec.active_endpoints().filter(|(_, endpoint, _)| links.veths.contains_key(&endpoint.id));
    for (sandbox, endpoint, network) in joined {
        let namespace = observed.sandboxes.get(&sandbox.id);
        let Some(interface) = namespace.and_then(|inside| inside.interfaces.get(&endpoint.interface)) else {
            continue;
        };
        let addresses = with_prefixes(endpoint, network);
        if !interface.up || addresses.iter().any(|address| !interface.addresses.contains(address)) {
            let (sandbox, interface) = (sandbox.id, endpoint.interface.clone());
            actions.push(Action::ConfigureInterface { sandbox, interface, addresses });
        }
    }
    actions
}

fn with_prefixes(endpoint: &Endpoint, network: &Network) -> Vec<IpNet> {
    let pools = endpoint.addresses.iter().filter_map(|&address| Some((address, network.pool_for(address)?)));
    pools.map(|(address, pool)| pool.with_prefix(address)).collect()
}

/// Sets the default route where the wanted gateway has none; runs after interfaces were configured.
pub(super) fn set_routes(spec: &Spec, observed: &Observed, links: &Links<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    for (sandbox, inside) in inhabited(spec, observed) {
        let Some((endpoint, network)) = spec.gateway_endpoint(sandbox) else { continue };
        if links.veths.contains_key(&endpoint.id) {
            let missing = gateways(network).filter(|gateway| !inside.default_gateways.contains(gateway));
            actions.extend(missing.map(|gateway| Action::SetDefaultRoute { sandbox: sandbox.id, gateway }));
        }
    }
    actions
}

/// Deletes default routes to gateways of the sandbox's networks other than the wanted one. While the wanted one has
/// none yet, an old route stays: setting the new one replaces it without a gap.
pub(super) fn delete_routes(spec: &Spec, observed: &Observed) -> Vec<Action> {
    let mut actions = Vec::new();
    for (sandbox, inside) in inhabited(spec, observed) {
        let wanted: Vec<IpAddr> = match spec.gateway_endpoint(sandbox) {
            Some((_, network)) => gateways(network).collect(),
            None => Vec::new(),
        };
        if wanted.iter().any(|gateway| !inside.default_gateways.contains(gateway)) {
            continue;
        }
        let joined = sandbox.endpoints.iter().filter_map(|endpoint| spec.networks.get(&endpoint.network));
        let stray = joined.flat_map(gateways).filter(|gateway| !wanted.contains(gateway));
        let stray = stray.filter(|gateway| inside.default_gateways.contains(gateway));
        actions.extend(stray.map(|gateway| Action::DeleteDefaultRoute { sandbox: sandbox.id, gateway }));
    }
    actions
}

fn gateways(network: &Network) -> impl Iterator<Item = IpAddr> {
    network.pools.iter().map(|pool| pool.gateway)
}

/// Active sandboxes whose namespace is there.
fn inhabited<'a>(
    spec: &'a Spec,
    observed: &'a Observed,
) -> impl Iterator<Item = (&'a Sandbox, &'a Namespace)> {
    active(spec).filter_map(|sandbox| Some((sandbox, observed.sandboxes.get(&sandbox.id)?)))
}

fn active(spec: &Spec) -> impl Iterator<Item = &Sandbox> {
    spec.sandboxes.values().filter(|sandbox| sandbox.is_active())
}
