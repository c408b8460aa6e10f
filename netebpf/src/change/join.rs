//! Joining sandboxes to networks and parting them again.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use netebpf_common::abi::Mac;

use super::{Context, Error, NetworkError, find_network, find_sandbox, ports};
use crate::{
    ipam,
    model::{Driver, Endpoint, EndpointId, Network, Pool, Spec, local_mac, mac_of},
};

/// The addresses that a user wishes for an endpoint; the lowest free ones where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AddressWishes {
    /// IPv4.
    pub v4: Option<Ipv4Addr>,
    /// IPv6.
    pub v6: Option<Ipv6Addr>,
}

impl AddressWishes {
    fn iter(self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }
}

/// Joins a sandbox to a network, with the given addresses or the lowest free ones.
pub fn connect(
    spec: &mut Spec,
    network: &str,
    sandbox: &str,
    wishes: AddressWishes,
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
    let endpoint = new_endpoint(spec, network, wishes, &sandbox.endpoints, context)?;
    let mut joined = sandbox.clone();
    joined.endpoints.push(endpoint);
    // The network may be the first to lead out.
    ports::check(spec, &joined)?;
    spec.sandboxes.insert(joined.id, joined);
    Ok(())
}

/// Parts a sandbox from a network.
pub fn disconnect(spec: &mut Spec, network: &str, sandbox: &str) -> Result<(), Error> {
    let network = find_network(spec, network)?;
    let sandbox = find_sandbox(spec, sandbox)?;
    if sandbox.endpoint_on(network.id).is_none() {
        return Err(Error::NotConnected { sandbox: sandbox.id, network: network.name.clone() });
    }
    let mut parted = sandbox.clone();
    parted.endpoints.retain(|endpoint| endpoint.network != network.id);
    // Another network may be the one that leads out now.
    ports::check(spec, &parted)?;
    spec.sandboxes.insert(parted.id, parted);
    Ok(())
}

/// An endpoint on a network for a sandbox that has these endpoints already.
pub(super) fn new_endpoint(
    spec: &Spec,
    network: &Network,
    wishes: AddressWishes,
    others: &[Endpoint],
    context: &mut Context<'_>,
) -> Result<Endpoint, Error> {
    if network.template.is_some() {
        return Err(NetworkError::JoinConfiguration.into());
    }
    match network.driver {
        Driver::Bridge => {}
        Driver::Host => return Err(Error::JoinHost),
        Driver::Null => return Err(Error::JoinNone),
    }
    let is_outside = |address: &IpAddr| !network.pools.iter().any(|pool| pool.subnet.contains(address));
    if let Some(address) = wishes.iter().find(is_outside) {
        return Err(Error::AddressOutside(address));
    }
    let taken = taken(spec, network);
    let addresses =
        network.pools.iter().map(|pool| match wishes.iter().find(|address| pool.subnet.contains(address)) {
            Some(address) => claim(pool, address, &taken),
            None => ipam::lowest_free(pool, &taken).ok_or_else(|| Error::AddressesExhausted {
                family: pool.family(),
                network: network.name.clone(),
                id: network.id,
            }),
        });
    let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
    let id = EndpointId::new(context.random());
    let mac = new_mac(spec, network, &addresses, context);
    let interface = lowest_interface(network.bridge.interface_prefix(), others);
    Ok(Endpoint { id, network: network.id, addresses, mac, interface })
}

/// The MAC that belongs to the first address; a random one if another endpoint of the network has that already.
fn new_mac(spec: &Spec, network: &Network, addresses: &[IpAddr], context: &mut Context<'_>) -> Mac {
    let mut others = spec.active_on(network.id);
    match addresses.first().map(|&address| mac_of(network.id.as_bytes(), address)) {
        Some(mac) if others.all(|(_, endpoint)| endpoint.mac != mac) => mac,
        Some(_) | None => local_mac(&context.random()),
    }
}

fn claim(pool: &Pool, address: IpAddr, taken: &BTreeSet<IpAddr>) -> Result<IpAddr, Error> {
    if pool.is_kept(address) || ipam::is_reserved(pool.subnet, address) || taken.contains(&address) {
        return Err(Error::AddressInUse(address));
    }
    Ok(address)
}

/// The addresses that active sandboxes have on a network.
fn taken(spec: &Spec, network: &Network) -> BTreeSet<IpAddr> {
    spec.active_on(network.id).flat_map(|(_, endpoint)| endpoint.addresses.iter().copied()).collect()
}

/// `eth<n>` with the lowest free n, as Docker names interfaces; a network may have another prefix.
fn lowest_interface(prefix: &str, others: &[Endpoint]) -> String {
    let mut names = (0..=others.len()).map(|n| format!("{prefix}{n}"));
    let free = names.find(|name| others.iter().all(|other| other.interface != *name));
    free.expect("n endpoints cannot take n + 1 names")
}
