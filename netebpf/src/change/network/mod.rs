//! Creating and removing networks.

mod configuration;
mod error;
mod pools;
mod prune;

use std::collections::BTreeMap;

use ipnet::IpNet;
use netebpf_common::abi::Family;

use super::{Context, Error, HostView, find_network, predefined::is_predefined};
use crate::{
    ipam::{self, PoolRequest},
    model::{
        BridgeOptions, Driver, FAMILIES, GatewayMode, IpamDriver, Name, Network, NetworkId, OptionError,
        PoolWish, Scope, Spec, Template, family_of,
    },
};

use error::{Conflict, Shared};

pub use error::NetworkError;
pub use prune::{PruneChoice, is_dangling, is_labelled, prune_networks};

/// The shortest MTU that IPv6 can do with, in bytes (RFC 8200, 5).
const MIN_MTU_V6: u32 = 1280;

/// What a user wants of a new network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct NetworkRequest {
    /// Name.
    pub name: Name,
    /// Driver.
    pub driver: Driver,
    /// Where it is to be known; `None` for where its driver's networks are.
    pub scope: Option<Scope>,
    /// Whether it gets IPv4 addresses; `None` for what the options say, which is yes by default.
    pub ipv4: Option<bool>,
    /// Whether it gets IPv6 addresses; `None` for what the options say, which is no by default.
    pub ipv6: Option<bool>,
    /// Who manages the addresses.
    pub ipam: IpamDriver,
    /// Subnets; those of an IP version that the network does not get are passed over, as by Docker.
    pub pools: Vec<PoolRequest>,
    /// Whether nothing leaves the network.
    pub internal: bool,
    /// Whether swarm services' containers may join it.
    pub attachable: bool,
    /// Whether it is to be a swarm's routing mesh.
    pub ingress: bool,
    /// Whether it is only a configuration for others.
    pub config_only: bool,
    /// The name of the configuration that it is made from.
    pub config_from: Option<Name>,
    /// Driver options by name.
    pub options: BTreeMap<String, String>,
    /// Options of the address management; `None` if the client said nothing.
    pub ipam_options: Option<BTreeMap<String, String>>,
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
            scope: None,
            ipv4: None,
            ipv6: None,
            ipam: IpamDriver::Default,
            pools: Vec::new(),
            internal: false,
            attachable: false,
            ingress: false,
            config_only: false,
            config_from: None,
            options: BTreeMap::new(),
            ipam_options: None,
            labels: BTreeMap::new(),
        }
    }

    /// Whether a subnet may have to be found for it, because the user names none.
    #[must_use]
    pub fn may_choose_a_subnet(&self) -> bool {
        let is_named = |family| {
            let subnets = self.pools.iter().filter_map(|pool| pool.subnet.parse::<IpNet>().ok());
            subnets.into_iter().any(|subnet| family_of(subnet.addr()) == family && !ipam::is_any(subnet))
        };
        let lacks_v6 = !is_named(Family::V6)
            && (self.ipv6 == Some(true) || self.options.keys().any(|option| option.ends_with("enable_ipv6")));
        let lacks_v4 = !is_named(Family::V4) && self.ipv4 != Some(false);
        lacks_v4 || lacks_v6 || self.config_from.is_some()
    }
}

/// What may come from a configuration instead of the user.
#[derive(Debug)]
struct Source {
    ipv4: bool,
    ipv6: bool,
    pools: Vec<PoolWish>,
    options: BTreeMap<String, String>,
    ipam_options: Option<BTreeMap<String, String>>,
    labels: BTreeMap<String, String>,
}

impl Source {
    /// What the user says. A flag takes the place of the option that means the same.
    fn of(request: &NetworkRequest) -> Result<Self, Error> {
        let mut options = request.options.clone();
        for (flag, option) in [(request.ipv4, IPV4_OPTION), (request.ipv6, IPV6_OPTION)] {
            if flag.is_some() {
                options.remove(option);
            }
        }
        let bridge = BridgeOptions::parse_general(&options)?;
        let ipv6 = request.ipv6.or(bridge.ipv6).unwrap_or(false);
        Ok(Self {
            ipv4: request.ipv4.or(bridge.ipv4).unwrap_or(true),
            ipv6,
            pools: ipam::read_pools(&request.pools, ipv6)?,
            options,
            ipam_options: request.ipam_options.clone(),
            labels: request.labels.clone(),
        })
    }

    /// The IP versions that the network is to have.
    fn families(&self) -> Result<Vec<Family>, NetworkError> {
        let wanted = FAMILIES.into_iter().filter(|family| match family {
            Family::V4 => self.ipv4,
            Family::V6 => self.ipv6,
        });
        let families: Vec<_> = wanted.collect();
        if families.is_empty() { Err(NetworkError::NoFamily) } else { Ok(families) }
    }
}

const IPV4_OPTION: &str = "com.docker.network.enable_ipv4";
const IPV6_OPTION: &str = "com.docker.network.enable_ipv6";

/// Adds a network for a user.
pub fn create_network(
    spec: &mut Spec,
    request: NetworkRequest,
    context: &mut Context<'_>,
) -> Result<NetworkId, Error> {
    if is_predefined(&request.name) {
        return Err(Error::NetworkPredefined(request.name));
    }
    add(spec, request, context)
}

/// Adds a network.
pub(super) fn add(
    spec: &mut Spec,
    request: NetworkRequest,
    context: &mut Context<'_>,
) -> Result<NetworkId, Error> {
    let given = Source::of(&request)?;
    if spec.networks.values().any(|network| network.name == request.name) {
        return Err(Error::NetworkExists(request.name));
    }
    configuration::check(&request, &given)?;
    let network = if request.config_only {
        configuration_only(request, given, context)
    } else {
        if request.ingress {
            return Err(NetworkError::Ingress.into());
        }
        let source = match &request.config_from {
            Some(name) => configuration::source(spec, name.as_str())?,
            None => given,
        };
        with_addresses(spec, request, source, context)?
    };
    let id = network.id;
    spec.networks.insert(id, network);
    Ok(id)
}

/// A configuration has no driver, so that nobody takes it for a network.
fn configuration_only(request: NetworkRequest, given: Source, context: &mut Context<'_>) -> Network {
    let template = Template { ipv4: given.ipv4, ipv6: given.ipv6, pools: given.pools };
    Network {
        id: NetworkId::new(context.random()),
        name: request.name,
        driver: Driver::Null,
        created: context.now,
        pools: Vec::new(),
        internal: false,
        attachable: false,
        bridge: BridgeOptions::default(),
        options: given.options,
        ipam_options: given.ipam_options,
        labels: given.labels,
        template: Some(template),
        config_from: None,
    }
}

fn with_addresses(
    spec: &Spec,
    request: NetworkRequest,
    source: Source,
    context: &mut Context<'_>,
) -> Result<Network, Error> {
    if request.scope == Some(Scope::Swarm) {
        return Err(NetworkError::NoSwarm.into());
    }
    if !request.driver.is_for_users() {
        return Err(NetworkError::OneInstance(request.driver).into());
    }
    let families = source.families()?;
    let mut network = Network {
        id: NetworkId::new(context.random()),
        name: request.name,
        driver: request.driver,
        created: context.now,
        pools: Vec::new(),
        internal: request.internal,
        attachable: request.attachable,
        bridge: BridgeOptions::parse(&source.options)?,
        options: source.options,
        ipam_options: source.ipam_options,
        labels: source.labels,
        template: None,
        config_from: request.config_from,
    };
    check(&network, &families, context.host)?;
    network.pools = match request.ipam {
        IpamDriver::Default => pools::choose(spec, &network, &families, &source.pools, context.host)?,
        IpamDriver::Null if !source.pools.is_empty() => {
            return Err(NetworkError::PoolWithoutManagement.into());
        }
        IpamDriver::Null => return Err(NetworkError::EmptyPool(families[0]).into()),
    };
    refuse_conflicts(spec, &network)?;
    Ok(network)
}

/// Refuses options that contradict the rest of the request, or the host.
fn check(network: &Network, families: &[Family], host: &HostView<'_>) -> Result<(), Error> {
    let bridge = &network.bridge;
    if (host.is_other_link)(&network.bridge_name()) {
        return Err(NetworkError::NotABridge(network.bridge_name()).into());
    }
    if !network.internal && [bridge.mode_v4, bridge.mode_v6].contains(&GatewayMode::Isolated) {
        return Err(OptionError::Isolated.into());
    }
    match bridge.mtu {
        Some(mtu) if mtu < MIN_MTU_V6 && families.contains(&Family::V6) => {
            Err(OptionError::MtuV6(mtu).into())
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses a network whose device or addresses another one has. The latter comes to this only where a range was asked
/// for: without one, the subnet is refused before.
fn refuse_conflicts(spec: &Spec, network: &Network) -> Result<(), NetworkError> {
    for other in spec.networks.values().filter(|other| other.has_bridge()) {
        let device = (other.bridge_name() == network.bridge_name()).then_some(Shared::Device);
        let overlapping = FAMILIES.into_iter().find(|&family| {
            let pools = network.pool(family).zip(other.pool(family));
            pools.is_some_and(|(pool, theirs)| ipam::overlap(pool.subnet, theirs.subnet))
        });
        if let Some(what) = device.or(overlapping.map(Shared::Addresses)) {
            return Err(NetworkError::Conflict(Box::new(Conflict {
                network: network.id,
                device: network.bridge_name(),
                other: other.id,
                other_device: other.bridge_name(),
                what,
            })));
        }
    }
    Ok(())
}

/// Removes a network without endpoints; sandboxes that are not active go on asking for it.
pub fn remove_network(spec: &mut Spec, reference: &str) -> Result<NetworkId, Error> {
    let network = find_network(spec, reference)?;
    if is_predefined(&network.name) {
        return Err(Error::RemovePredefined(network.name.clone()));
    }
    if configuration::is_in_use(spec, network) {
        return Err(NetworkError::ConfigurationInUse(network.name.clone()).into());
    }
    let id = network.id;
    let active = spec.active_on(id);
    let endpoints: Vec<_> = active.map(|(sandbox, endpoint)| (sandbox.name.clone(), endpoint.id)).collect();
    if !endpoints.is_empty() {
        return Err(Error::NetworkInUse { network: network.name.clone(), endpoints });
    }
    forget(spec, id);
    Ok(id)
}

fn forget(spec: &mut Spec, id: NetworkId) {
    spec.networks.remove(&id);
}
