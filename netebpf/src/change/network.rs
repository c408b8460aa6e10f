//! Creating and removing networks.

use std::collections::BTreeMap;

use netebpf_common::abi::Family;

use super::{Context, Error, find_network, pools, predefined::is_predefined};
use crate::{
    ipam::{self, PoolRequest},
    model::{BridgeOptions, Driver, GatewayMode, Name, Network, NetworkId, OptionError, Spec},
};

/// The shortest MTU that IPv6 can do with, in bytes (RFC 8200, 5).
const MIN_MTU_V6: u32 = 1280;

/// What a user wants of a new network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRequest {
    /// Name.
    pub name: Name,
    /// Driver.
    pub driver: Driver,
    /// Whether it gets IPv4 addresses; `None` for what the options say, which is yes by default.
    pub ipv4: Option<bool>,
    /// Whether it gets IPv6 addresses; `None` for what the options say, which is no by default.
    pub ipv6: Option<bool>,
    /// Subnets; those of an IP version that the network does not get are passed over, as by Docker.
    pub pools: Vec<PoolRequest>,
    /// Whether nothing leaves the network.
    pub internal: bool,
    /// Whether swarm services' containers may join it.
    pub attachable: bool,
    /// Driver options by name.
    pub options: BTreeMap<String, String>,
    /// Options of the address management.
    pub ipam_options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

impl NetworkRequest {
    /// A bridge network about which nothing else is said.
    #[must_use]
    pub const fn named(name: Name) -> Self {
        Self {
            name,
            driver: Driver::Bridge,
            ipv4: None,
            ipv6: None,
            pools: Vec::new(),
            internal: false,
            attachable: false,
            options: BTreeMap::new(),
            ipam_options: BTreeMap::new(),
            labels: BTreeMap::new(),
        }
    }
}

/// Adds a network for a user.
pub fn create_network(
    spec: &mut Spec,
    request: NetworkRequest,
    context: &mut Context<'_>,
) -> Result<NetworkId, Error> {
    if is_predefined(&request.name) {
        return Err(Error::NetworkPredefined(request.name));
    }
    if !request.driver.is_for_users() {
        return Err(Error::OneInstance(request.driver));
    }
    add(spec, request, context)
}

/// Adds a network with addresses.
pub(super) fn add(
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
    let network = Network {
        id: NetworkId::new(context.random()),
        name: request.name,
        driver: request.driver,
        created: context.now,
        pools,
        internal: request.internal,
        attachable: request.attachable,
        options: request.options,
        bridge,
        ipam_options: request.ipam_options,
        labels: request.labels,
    };
    refuse_same_device(spec, &network)?;
    let id = network.id;
    spec.networks.insert(id, network);
    Ok(id)
}

fn refuse_same_device(spec: &Spec, network: &Network) -> Result<(), Error> {
    let device = network.bridge_name();
    match spec.networks.values().find(|other| other.has_bridge() && other.bridge_name() == device) {
        Some(other) => Err(Error::SameDevice { network: network.id, other: other.id, device }),
        None => Ok(()),
    }
}

/// Removes a network without active endpoints; exited sandboxes forget it.
pub fn remove_network(spec: &mut Spec, reference: &str) -> Result<NetworkId, Error> {
    let network = find_network(spec, reference)?;
    if is_predefined(&network.name) {
        return Err(Error::RemovePredefined(network.name.clone()));
    }
    let id = network.id;
    let active = spec.active_on(id);
    let endpoints: Vec<_> = active.map(|(sandbox, _)| (sandbox.name.clone(), sandbox.id)).collect();
    if !endpoints.is_empty() {
        return Err(Error::NetworkInUse { network: network.name.clone(), endpoints });
    }
    forget(spec, id);
    Ok(id)
}

/// Which unused networks are to go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PruneChoice {
    /// Only those with all of these labels: `key`, or `key=value`.
    pub labels: Vec<String>,
    /// Only those without any of these.
    pub labels_without: Vec<String>,
    /// Only those that were created before, in seconds since the Unix epoch.
    pub until: Option<u64>,
}

impl PruneChoice {
    fn is_meant(&self, network: &Network) -> bool {
        let has = |wanted: &String| is_labelled(&network.labels, wanted);
        self.until.is_none_or(|until| network.created < until)
            && self.labels.iter().all(has)
            && !self.labels_without.iter().any(has)
    }
}

/// Whether a thing has the label `key`, or `key=value`.
#[must_use]
pub fn is_labelled(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
        None => labels.contains_key(wanted),
    }
}

/// Whether a user's network has no active endpoint.
#[must_use]
pub fn is_dangling(spec: &Spec, network: &Network) -> bool {
    !is_predefined(&network.name) && spec.active_on(network.id).next().is_none()
}

/// Removes the users' networks without active endpoints that are meant, and returns their names.
pub fn prune_networks(spec: &mut Spec, choice: &PruneChoice) -> Vec<Name> {
    let unused = spec.networks.values().filter(|network| is_dangling(spec, network));
    let meant: Vec<_> = unused
        .filter(|network| choice.is_meant(network))
        .map(|network| (network.id, network.name.clone()))
        .collect();
    let mut names: Vec<_> = meant.iter().map(|(_, name)| name.clone()).collect();
    for (id, _) in meant {
        forget(spec, id);
    }
    names.sort();
    names
}

fn forget(spec: &mut Spec, id: NetworkId) {
    for sandbox in spec.sandboxes.values_mut() {
        sandbox.endpoints.retain(|endpoint| endpoint.network != id);
    }
    spec.networks.remove(&id);
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
