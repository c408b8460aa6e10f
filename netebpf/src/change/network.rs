//! Creating and removing networks.

use std::collections::BTreeMap;

use netebpf_common::abi::Family;

use super::{Context, Error, find_network, pools};
use crate::{
    ipam::{self, PoolRequest},
    model::{BridgeOptions, GatewayMode, Name, Network, NetworkId, OptionError, Spec},
};

/// The shortest MTU that IPv6 can do with, in bytes (RFC 8200, 5).
const MIN_MTU_V6: u32 = 1280;

/// What a user wants of a new network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRequest {
    /// Name.
    pub name: Name,
    /// Whether it gets IPv4 addresses; `None` for what the options say, which is yes by default.
    pub ipv4: Option<bool>,
    /// Whether it gets IPv6 addresses; `None` for what the options say, which is no by default.
    pub ipv6: Option<bool>,
    /// Subnets; those of an IP version that the network does not get are passed over, as by Docker.
    pub pools: Vec<PoolRequest>,
    /// Whether nothing leaves the network.
    pub internal: bool,
    /// Driver options by name.
    pub options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// Adds a network.
pub fn create_network(
    spec: &mut Spec,
    request: NetworkRequest,
    context: &mut Context<'_>,
) -> Result<NetworkId, Error> {
    if spec.networks.values().any(|network| network.name == request.name) {
        return Err(Error::NetworkExists(request.name));
    }
    let bridge = BridgeOptions::parse(&request.options)?;
    let families = families(&request, &bridge)?;
    check(&bridge, &families, request.internal)?;
    let wishes = ipam::read_pools(&request.pools, families.contains(&Family::V6))?;
    let pools = pools::choose(spec, &families, &wishes, &bridge, context.host)?;
    let id = NetworkId::new(context.random());
    let network = Network {
        id,
        name: request.name,
        created: context.now,
        pools,
        internal: request.internal,
        options: request.options,
        bridge,
        labels: request.labels,
    };
    spec.networks.insert(id, network);
    Ok(id)
}

/// Removes a network without active endpoints; exited sandboxes forget it.
pub fn remove_network(spec: &mut Spec, reference: &str) -> Result<NetworkId, Error> {
    let network = find_network(spec, reference)?;
    let id = network.id;
    let active =
        spec.sandboxes.values().filter(|sandbox| sandbox.is_active() && sandbox.endpoint_on(id).is_some());
    let endpoints: Vec<_> = active.map(|sandbox| (sandbox.name.clone(), sandbox.id)).collect();
    if !endpoints.is_empty() {
        return Err(Error::NetworkInUse { network: network.name.clone(), endpoints });
    }
    for sandbox in spec.sandboxes.values_mut() {
        sandbox.endpoints.retain(|endpoint| endpoint.network != id);
    }
    spec.networks.remove(&id);
    Ok(id)
}

/// The IP versions that the network is to have.
fn families(request: &NetworkRequest, bridge: &BridgeOptions) -> Result<Vec<Family>, Error> {
    let has_v4 = request.ipv4.or(bridge.ipv4).unwrap_or(true);
    let has_v6 = request.ipv6.or(bridge.ipv6).unwrap_or(false);
    let families = [(Family::V4, has_v4), (Family::V6, has_v6)];
    let families: Vec<_> = families.into_iter().filter_map(|(family, has)| has.then_some(family)).collect();
    if families.is_empty() { Err(Error::NoFamily) } else { Ok(families) }
}

/// Refuses options that contradict the rest of the request.
fn check(bridge: &BridgeOptions, families: &[Family], is_internal: bool) -> Result<(), OptionError> {
    if !is_internal && [bridge.mode_v4, bridge.mode_v6].contains(&GatewayMode::Isolated) {
        return Err(OptionError::Isolated);
    }
    match bridge.mtu {
        Some(mtu) if mtu < MIN_MTU_V6 && families.contains(&Family::V6) => Err(OptionError::MtuV6(mtu)),
        Some(_) | None => Ok(()),
    }
}
