//! Namespaces and what is inside. Processes of a sandbox may add addresses and routes of their own: those stay.

use std::net::IpAddr;

use ipnet::IpNet;
use netebpf_common::{abi::Family, dns};

use super::{Action, InterfaceSetup};
use crate::{
    compile::Links,
    kernel::{Namespace, Observed},
    model::{Endpoint, EndpointSettings, FAMILIES, Network, NetworkMode, Sandbox, Spec, family_of},
};

pub(super) fn create_namespaces(spec: &Spec, observed: &Observed) -> Vec<Action> {
    let missing = active(spec).filter(|sandbox| !observed.sandboxes.contains_key(&sandbox.id));
    let create = |sandbox: &Sandbox| {
        let adopted = match &sandbox.mode {
            NetworkMode::Adopted(path) => Some(path.clone()),
            NetworkMode::Own(_) | NetworkMode::Host | NetworkMode::Container(_) => None,
        };
        Action::CreateNamespace { sandbox: sandbox.id, adopted }
    };
    missing.map(create).collect()
}

pub(super) fn delete_namespaces(spec: &Spec, observed: &Observed) -> Vec<Action> {
    let is_active =
        |id| spec.sandboxes.get(id).is_some_and(|sandbox| sandbox.is_active() && sandbox.has_namespace());
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
        let settings = sandbox.attachment_to(network.id).map(|attachment| &attachment.settings);
        let mut addresses = with_prefixes(endpoint, network);
        addresses.extend(
            settings.into_iter().flat_map(EndpointSettings::link_local).map(|&address| on_link(address)),
        );
        if !interface.up || addresses.iter().any(|address| !interface.addresses.contains(address)) {
            let sysctls = settings.map(|settings| settings.options.sysctls.clone()).unwrap_or_default();
            let (sandbox, interface) = (sandbox.id, endpoint.interface.clone());
            let announcements = network.bridge.announcements;
            let setup = InterfaceSetup { addresses, sysctls, announcements };
            actions.push(Action::ConfigureInterface { sandbox, interface, setup });
        }
    }
    actions
}

fn with_prefixes(endpoint: &Endpoint, network: &Network) -> Vec<IpNet> {
    let pools =
        endpoint.addresses.iter().filter_map(|&address| Some((address, network.pool(family_of(address))?)));
    pools.map(|(address, pool)| pool.with_prefix(address)).collect()
}

/// A link-local address with its prefix (RFC 3927, 2.1; RFC 4291, 2.5.6).
fn on_link(address: IpAddr) -> IpNet {
    IpNet::new_assert(address, if address.is_ipv4() { 16 } else { 64 })
}

/// Sets the default routes that are wanted and not there; runs after interfaces were configured.
pub(super) fn set_routes(spec: &Spec, observed: &Observed, links: &Links<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    for (sandbox, inside) in inhabited(spec, observed) {
        for (endpoint, gateway) in gateways(spec, sandbox) {
            if links.veths.contains_key(&endpoint.id) && !inside.default_gateways.contains(&gateway) {
                actions.push(Action::SetDefaultRoute { sandbox: sandbox.id, gateway });
            }
        }
    }
    actions
}

/// Deletes default routes to gateways of the sandbox's networks other than the wanted one. While the wanted one has
/// none yet, an old route stays: setting the new one replaces it without a gap.
pub(super) fn delete_routes(spec: &Spec, observed: &Observed) -> Vec<Action> {
    let mut actions = Vec::new();
    for (sandbox, inside) in inhabited(spec, observed) {
        if inside.default_gateways.is_empty() {
            continue;
        }
        let wanted: Vec<IpAddr> = gateways(spec, sandbox).map(|(_, gateway)| gateway).collect();
        let is_there = |gateway: &IpAddr| inside.default_gateways.contains(gateway);
        let joined = spec.joined(sandbox).flat_map(|(_, network)| &network.pools);
        let ways = joined.flat_map(|pool| [pool.gateway, pool.chosen_gateway()]);
        let stray = ways.flatten().filter(|gateway| {
            let mut instead = wanted.iter().filter(|other| other.is_ipv4() == gateway.is_ipv4());
            is_there(gateway) && !wanted.contains(gateway) && instead.all(is_there)
        });
        actions.extend(stray.map(|gateway| Action::DeleteDefaultRoute { sandbox: sandbox.id, gateway }));
    }
    actions
}

/// Lets sandboxes reach the resolver by the interface that is meant for it; runs after interfaces were configured.
pub(super) fn reach_resolver(spec: &Spec, observed: &Observed, links: &Links<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    for (sandbox, inside) in inhabited(spec, observed) {
        let Some(endpoint) = spec.resolver_endpoint(sandbox) else { continue };
        let is_there = inside.resolver.as_ref() == Some(&endpoint.interface);
        if !is_there && links.veths.contains_key(&endpoint.id) {
            let source = match endpoint.address(Family::V4) {
                Some(IpAddr::V4(address)) => address,
                Some(IpAddr::V6(_)) | None => dns::CLIENT_WITHOUT_IPV4,
            };
            let interface = endpoint.interface.clone();
            actions.push(Action::ReachResolver { sandbox: sandbox.id, interface, source });
        }
    }
    actions
}

/// Takes the way to the resolver from sandboxes that are on no network with names.
pub(super) fn leave_resolver(spec: &Spec, observed: &Observed) -> Vec<Action> {
    let stray = inhabited(spec, observed)
        .filter(|(sandbox, inside)| inside.resolver.is_some() && !spec.has_resolver(sandbox));
    stray.map(|(sandbox, _)| Action::LeaveResolver { sandbox: sandbox.id }).collect()
}

/// The wanted default routes, at most one for each IP version, with the endpoint that they leave by.
fn gateways<'a>(spec: &'a Spec, sandbox: &'a Sandbox) -> impl Iterator<Item = (&'a Endpoint, IpAddr)> {
    FAMILIES.into_iter().filter_map(|family| {
        let (endpoint, network) = spec.gateway_endpoint(sandbox, family)?;
        Some((endpoint, network.way_out(family)?))
    })
}

/// Active sandboxes whose namespace is there.
fn inhabited<'a>(
    spec: &'a Spec,
    observed: &'a Observed,
) -> impl Iterator<Item = (&'a Sandbox, &'a Namespace)> {
    active(spec).filter_map(|sandbox| Some((sandbox, observed.sandboxes.get(&sandbox.id)?)))
}

/// Active sandboxes that have a namespace to themselves.
fn active(spec: &Spec) -> impl Iterator<Item = &Sandbox> {
    spec.active_sandboxes().filter(|sandbox| sandbox.has_namespace())
}
