//! Networks.

use netebpf_common::abi::Family;

use crate::{
    change::{self, NetworkError, NetworkRequest},
    frontend::api::{
        error::Error,
        timestamp::rfc3339,
        wire::{
            CreateNetwork, Ipam, IpamConfig, IpamStatus, Network, NetworkContainer, NetworkReference,
            NetworkStatus, SubnetStatus,
        },
    },
    ipam::{self, PoolRequest, Usage},
    model::{self, Driver, DriverError, Endpoint, IpamDriver, Name, Scope, Spec},
};

/// A network as lists show it.
pub(in crate::frontend::api) fn network(network: &model::Network) -> Network {
    let pool = |pool: &model::Pool| IpamConfig {
        subnet: pool.subnet.to_string(),
        ip_range: pool.ip_range.map(|range| range.to_string()).unwrap_or_default(),
        gateway: pool.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
        auxiliary: (!pool.auxiliary.is_empty()).then(|| {
            pool.auxiliary.iter().map(|(name, address)| (name.clone(), address.to_string())).collect()
        }),
    };
    Network {
        name: network.name.to_string(),
        id: network.id.to_string(),
        created: rfc3339(network.created),
        scope: "local".to_owned(),
        driver: network.driver.to_string(),
        enable_ipv4: network.has(Family::V4),
        enable_ipv6: network.has(Family::V6),
        ipam: Ipam {
            driver: Some("default".to_owned()),
            options: network.ipam_options.clone(),
            config: (!network.pools.is_empty()).then(|| {
                // What the user named comes first.
                let (named, chosen): (Vec<_>, Vec<_>) = network.pools.iter().partition(|pool| pool.is_named);
                named.into_iter().chain(chosen).map(pool).collect()
            }),
        },
        internal: network.internal,
        attachable: network.attachable,
        ingress: false,
        config_from: NetworkReference {
            network: network.config_from.as_ref().map(ToString::to_string).unwrap_or_default(),
        },
        config_only: network.template.is_some(),
        options: network.options.clone(),
        labels: network.labels.clone(),
        containers: None,
        status: None,
    }
}

/// A network with the sandboxes that have a place in it.
pub(in crate::frontend::api) fn network_with_containers(spec: &Spec, of: &model::Network) -> Network {
    let active = spec.active_on(of.id);
    let containers = active.map(|(sandbox, endpoint)| {
        let container = NetworkContainer {
            name: sandbox.name.to_string(),
            endpoint_id: endpoint.id.to_string(),
            mac_address: endpoint.shown_mac(),
            ipv4_address: address_with_prefix(endpoint, of, Family::V4),
            ipv6_address: address_with_prefix(endpoint, of, Family::V6),
        };
        (sandbox.id.to_string(), container)
    });
    Network { containers: Some(containers.collect()), ..network(of) }
}

/// How full a network is.
pub(in crate::frontend::api) fn network_status(spec: &Spec, of: &model::Network) -> NetworkStatus {
    let subnets = of.pools.iter().map(|pool| {
        let endpoints = spec.active_on(of.id).flat_map(|(_, endpoint)| endpoint.addresses.iter().copied());
        let Usage { in_use, available } = ipam::usage(pool, endpoints);
        (pool.subnet.to_string(), SubnetStatus { in_use, available })
    });
    NetworkStatus { ipam: IpamStatus { subnets: subnets.collect() } }
}

/// `172.18.0.2/16`, or nothing if the endpoint has no address of this version.
fn address_with_prefix(endpoint: &Endpoint, network: &model::Network, family: Family) -> String {
    let with_prefix = |address| Some(network.pool(family)?.with_prefix(address).to_string());
    endpoint.address(family).and_then(with_prefix).unwrap_or_default()
}

/// What a client wants of a new network.
pub(in crate::frontend::api) fn network_request(body: CreateNetwork) -> Result<NetworkRequest, Error> {
    let driver = match Driver::named(&body.driver) {
        // A configuration has none.
        Err(DriverError::NotFound(_)) if body.config_only => Driver::default(),
        driver => driver?,
    };
    let scope = match body.scope.as_str() {
        "" => None,
        "local" => Some(Scope::Local),
        "swarm" => Some(Scope::Swarm),
        _ => return Err(Error::Scope(body.scope)),
    };
    let ipam = body.ipam.unwrap_or_default();
    let config_from = body.config_from.map(|from| from.network).filter(|name| !name.is_empty());
    let pools = ipam.config.unwrap_or_default().into_iter();
    let pools = pools.filter(|pool| *pool != IpamConfig::default()).map(pool_request);
    Ok(NetworkRequest {
        name: Name::of_network(&body.name)?,
        driver,
        scope,
        ipv4: body.enable_ipv4,
        ipv6: body.enable_ipv6,
        ipam: IpamDriver::named(ipam.driver.as_deref().unwrap_or_default())?,
        pools: pools.collect::<Result<_, _>>()?,
        internal: body.internal,
        attachable: body.attachable,
        ingress: body.ingress,
        config_only: body.config_only,
        config_from: config_from.as_deref().map(Name::of_network).transpose()?,
        options: body.options.unwrap_or_default(),
        ipam_options: ipam.options,
        labels: body.labels.unwrap_or_default(),
    })
}

/// A pool of the body.
fn pool_request(pool: IpamConfig) -> Result<PoolRequest, Error> {
    let IpamConfig { subnet, ip_range, gateway, auxiliary } = pool;
    if subnet.is_empty() && !gateway.is_empty() {
        return Err(change::Error::from(NetworkError::GatewayWithoutSubnet(gateway)).into());
    }
    Ok(PoolRequest { subnet, ip_range, gateway, auxiliary: auxiliary.unwrap_or_default() })
}
