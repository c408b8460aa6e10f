//! Networks.

use netebpf_common::abi::Family;

use crate::{
    change::{self, NetworkRequest},
    frontend::api::{
        error::Error,
        timestamp::rfc3339,
        wire::{CreateNetwork, Ipam, IpamConfig, Network, NetworkContainer, NetworkReference},
    },
    ipam::PoolRequest,
    model::{self, Driver, Endpoint, Name, Spec},
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
        enable_ipv4: network.pool(Family::V4).is_some(),
        enable_ipv6: network.pool(Family::V6).is_some(),
        ipam: Ipam {
            driver: Some("default".to_owned()),
            options: Some(network.ipam_options.clone()).filter(|options| !options.is_empty()),
            config: Some(network.pools.iter().map(pool).collect()),
        },
        internal: network.internal,
        attachable: network.attachable,
        ingress: false,
        config_from: NetworkReference::default(),
        config_only: false,
        options: network.options.clone(),
        labels: network.labels.clone(),
        containers: None,
    }
}

/// A network with the sandboxes that have a place in it.
pub(in crate::frontend::api) fn network_with_containers(spec: &Spec, of: &model::Network) -> Network {
    let active =
        spec.endpoints().filter(|(sandbox, endpoint)| sandbox.is_active() && endpoint.network == of.id);
    let containers = active.map(|(sandbox, endpoint)| {
        let container = NetworkContainer {
            name: sandbox.name.to_string(),
            endpoint_id: endpoint.id.to_string(),
            mac_address: endpoint.mac.to_string(),
            ipv4_address: address_with_prefix(endpoint, of, Family::V4),
            ipv6_address: address_with_prefix(endpoint, of, Family::V6),
        };
        (sandbox.id.to_string(), container)
    });
    Network { containers: Some(containers.collect()), ..network(of) }
}

/// `172.18.0.2/16`, or nothing if the endpoint has no address of this version.
fn address_with_prefix(endpoint: &Endpoint, network: &model::Network, family: Family) -> String {
    let with_prefix = |address| Some(network.pool(family)?.with_prefix(address).to_string());
    endpoint.address(family).and_then(with_prefix).unwrap_or_default()
}

/// What a client wants of a new network.
pub(in crate::frontend::api) fn network_request(body: CreateNetwork) -> Result<NetworkRequest, Error> {
    let driver = match body.driver.as_str() {
        "" => Driver::default(),
        name => Driver::named(name).ok_or(Error::NoSuchDriver(body.driver))?,
    };
    if body.ingress {
        return Err(Error::Unsupported("an ingress network"));
    }
    if body.config_only || body.config_from.is_some_and(|from| !from.network.is_empty()) {
        return Err(Error::Unsupported("a configuration-only network"));
    }
    if !matches!(body.scope.as_str(), "" | "local") {
        return Err(Error::Unsupported("a scope other than local"));
    }
    let ipam = body.ipam.unwrap_or_default();
    if let Some(driver) = ipam.driver.filter(|driver| !matches!(driver.as_str(), "" | "default")) {
        return Err(Error::IpamDriver(driver));
    }
    let pools = ipam.config.unwrap_or_default().into_iter();
    let pools = pools.filter(|pool| *pool != IpamConfig::default()).map(pool_request);
    Ok(NetworkRequest {
        name: Name::of_network(&body.name)?,
        driver,
        ipv4: body.enable_ipv4,
        ipv6: body.enable_ipv6,
        pools: pools.collect::<Result<_, _>>()?,
        internal: body.internal,
        attachable: body.attachable,
        options: body.options.unwrap_or_default(),
        ipam_options: ipam.options.unwrap_or_default(),
        labels: body.labels.unwrap_or_default(),
    })
}

/// A pool of the body.
fn pool_request(pool: IpamConfig) -> Result<PoolRequest, Error> {
    let IpamConfig { subnet, ip_range, gateway, auxiliary } = pool;
    if subnet.is_empty() && !gateway.is_empty() {
        return Err(change::Error::GatewayWithoutSubnet(gateway).into());
    }
    Ok(PoolRequest { subnet, ip_range, gateway, auxiliary: auxiliary.unwrap_or_default() })
}
