//! Joining sandboxes to networks and parting them again.

use std::{collections::BTreeSet, net::IpAddr};

use super::{Context, Error, find_network, find_sandbox};
use crate::{
    ipam,
    model::{Endpoint, EndpointId, Network, Sandbox, Spec, local_mac},
};

/// Joins a sandbox to a network, with the given address or the lowest free one.
pub fn connect(
    spec: &mut Spec,
    network: &str,
    sandbox: &str,
    address: Option<IpAddr>,
    context: &mut Context<'_>,
) -> Result<(), Error> {
    let network = find_network(spec, network)?;
    let sandbox = find_sandbox(spec, sandbox)?;
    if !sandbox.is_active() {
        return Err(Error::SandboxNotRunning(sandbox.id));
    }
    if sandbox.endpoint_on(network.id).is_some() {
        return Err(Error::AlreadyConnected { sandbox: sandbox.name.clone(), network: network.name.clone() });
    }
    let id = sandbox.id;
    let endpoint = new_endpoint(spec, network, address, &sandbox.endpoints, context)?;
    if let Some(sandbox) = spec.sandboxes.get_mut(&id) {
        sandbox.endpoints.push(endpoint);
    }
    Ok(())
}

/// Parts a sandbox from a network.
pub fn disconnect(spec: &mut Spec, network: &str, sandbox: &str) -> Result<(), Error> {
    let network = find_network(spec, network)?;
    let sandbox = find_sandbox(spec, sandbox)?;
    if sandbox.endpoint_on(network.id).is_none() {
        return Err(Error::NotConnected { sandbox: sandbox.id, network: network.name.clone() });
    }
    let (network, id) = (network.id, sandbox.id);
    if let Some(sandbox) = spec.sandboxes.get_mut(&id) {
        sandbox.endpoints.retain(|endpoint| endpoint.network != network);
    }
    Ok(())
}

/// An endpoint on a network for a sandbox that has these endpoints already.
pub(super) fn new_endpoint(
    spec: &Spec,
    network: &Network,
    address: Option<IpAddr>,
    others: &[Endpoint],
    context: &mut Context<'_>,
) -> Result<Endpoint, Error> {
    let addresses = match address {
        Some(address) => vec![claim_address(spec, network, address)?],
        None => lowest_addresses(spec, network)?,
    };
    let id = EndpointId::new(context.random());
    let mac = local_mac(&context.random());
    Ok(Endpoint { id, network: network.id, addresses, mac, interface: lowest_interface(others) })
}

fn claim_address(spec: &Spec, network: &Network, address: IpAddr) -> Result<IpAddr, Error> {
    let pool = network.pools.iter().find(|pool| pool.subnet.contains(&address));
    let pool = pool.ok_or(Error::AddressOutside(address))?;
    if address == pool.gateway
        || ipam::is_reserved(pool.subnet, address)
        || taken(spec, network).contains(&address)
    {
        return Err(Error::AddressInUse(address));
    }
    Ok(address)
}

fn lowest_addresses(spec: &Spec, network: &Network) -> Result<Vec<IpAddr>, Error> {
    let taken = taken(spec, network);
    let lowest = network.pools.iter().map(|pool| ipam::lowest_free(pool, &taken));
    let exhausted = || Error::AddressesExhausted { network: network.name.clone(), id: network.id };
    lowest.map(|address| address.ok_or_else(exhausted)).collect()
}

/// The addresses that active sandboxes have on a network.
fn taken(spec: &Spec, network: &Network) -> BTreeSet<IpAddr> {
    let active = spec.sandboxes.values().filter(|sandbox| sandbox.is_active());
    let endpoints = active.filter_map(|sandbox: &Sandbox| sandbox.endpoint_on(network.id));
    endpoints.flat_map(|endpoint| endpoint.addresses.iter().copied()).collect()
}

/// `eth<n>` with the lowest free n, as Docker names interfaces.
fn lowest_interface(others: &[Endpoint]) -> String {
    let mut names = (0..=others.len()).map(|n| format!("eth{n}"));
    let free = names.find(|name| others.iter().all(|other| other.interface != *name));
    free.expect("n endpoints cannot take n + 1 names")
}
