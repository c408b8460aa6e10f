//! What the default network is to be like: the daemon's configuration as a request, and what it would change.

use std::{collections::BTreeMap, fmt::Display};

use netebpf_common::abi::Family;

use super::{Context, Error, NetworkRequest, predefined::DEFAULT_NETWORK};
use crate::{
    ipam::{self, PoolRequest},
    model::{AddressChoice, DefaultBridge, DefaultPool, FAMILIES, Name, Network, Pool, Spec},
};

/// The request for the default network as it is configured. What is left to the engine stays as it is.
///
/// # Errors
///
/// When there is no subnet left to choose.
pub(super) fn request(
    spec: &Spec,
    wanted: &DefaultBridge,
    current: Option<&Network>,
    context: &Context<'_>,
) -> Result<NetworkRequest, Error> {
    let choices = [(Family::V4, Some(&wanted.v4)), (Family::V6, wanted.v6.as_ref())];
    let pools = choices.into_iter().filter_map(|(family, choice)| {
        let current = current.and_then(|network| network.pool(family));
        Some(pool(spec, family, choice?, current, context))
    });
    Ok(NetworkRequest {
        ipv4: Some(true),
        ipv6: Some(wanted.v6.is_some()),
        pools: pools.collect::<Result<_, _>>()?,
        options: options(wanted),
        ..NetworkRequest::named(Name::of_network(DEFAULT_NETWORK)?)
    })
}

fn options(wanted: &DefaultBridge) -> BTreeMap<String, String> {
    let options = [
        ("bridge.default_bridge", "true".to_owned()),
        ("bridge.enable_icc", wanted.icc.to_string()),
        ("bridge.enable_ip_masquerade", wanted.masquerade.to_string()),
        ("bridge.host_binding_ipv4", wanted.host_binding.to_string()),
        ("bridge.name", wanted.device.clone()),
        ("driver.mtu", wanted.mtu.to_string()),
    ];
    options.map(|(option, value)| (format!("com.docker.network.{option}"), value)).into()
}

fn pool(
    spec: &Spec,
    family: Family,
    choice: &AddressChoice,
    current: Option<&Pool>,
    context: &Context<'_>,
) -> Result<PoolRequest, Error> {
    let subnet = match (choice.subnet(), current) {
        (Some(subnet), _) => subnet,
        (None, Some(current)) if is_engines_choice(current, context) => current.subnet,
        (None, _) => {
            let pools = spec.networks.values().flat_map(|network| &network.pools);
            let used: Vec<_> = pools.map(|pool| pool.subnet).collect();
            ipam::next_subnet(family, None, &context.host.subnets, &used)?
        }
    };
    let written = |value: Option<&dyn Display>| value.map(ToString::to_string).unwrap_or_default();
    let gateway =
        choice.gateway.map(|gateway| (Pool::chosen_gateway_name(family).to_owned(), gateway.to_string()));
    Ok(PoolRequest {
        subnet: subnet.to_string(),
        ip_range: written(choice.range.as_ref().map(|range| range as _)),
        gateway: written(choice.address.map(|address| address.addr()).as_ref().map(|address| address as _)),
        auxiliary: gateway.into_iter().collect(),
    })
}

/// Whether the engine would choose such a subnet by itself, from the pools as they are configured now.
fn is_engines_choice(pool: &Pool, context: &Context<'_>) -> bool {
    let sources = &context.host.subnets;
    let own = DefaultPool::new(sources.own_prefix.into(), ipam::OWN_LENGTH).ok();
    let has_pool = sources.pools.iter().any(|pool_of| pool_of.family() == pool.family());
    let pools = sources.pools.iter().copied().chain(own.filter(|_| !has_pool));
    pools.into_iter().any(|pool_of| pool_of.has(pool.subnet))
}

/// What tells one default network from the next, apart from when it was made.
pub(super) fn differences(current: &Network, next: &Network) -> Vec<String> {
    let changed = next.options.iter().filter(|(option, value)| current.options.get(*option) != Some(value));
    let changed = changed.map(|(option, value)| format!("{option} is {value}"));
    let gone = current.options.keys().filter(|option| !next.options.contains_key(*option));
    let gone = gone.map(|option| format!("{option} is gone"));
    let pools = FAMILIES.into_iter().filter_map(|family| match (current.pool(family), next.pool(family)) {
        (current, Some(next)) if current != Some(next) => Some(describe(next)),
        (Some(current), None) => Some(format!("{} is gone", current.subnet)),
        (_, _) => None,
    });
    changed.chain(gone).chain(pools).collect()
}

fn describe(pool: &Pool) -> String {
    let gateway = pool.gateway.map(|gateway| format!(", the bridge has {gateway}")).unwrap_or_default();
    let range = pool.ip_range.map(|range| format!(", addresses are from {range}")).unwrap_or_default();
    let kept = pool.auxiliary.iter().map(|(name, address)| format!(", {name} is {address}"));
    format!("the subnet is {}{gateway}{range}{}", pool.subnet, kept.collect::<String>())
}
