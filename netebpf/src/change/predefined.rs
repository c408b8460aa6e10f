//! The networks that are there without being asked for: `bridge`, `host` and `none`.

use std::collections::BTreeMap;

use super::{Context, Error, network, network::NetworkRequest};
use crate::model::{BridgeOptions, Driver, EngineOptions, Name, Network, NetworkId, Spec};

/// Name of the network that sandboxes join when nobody says which.
pub const DEFAULT_NETWORK: &str = "bridge";

/// Their names, with their drivers.
const PREDEFINED: [(&str, Driver); 3] =
    [(DEFAULT_NETWORK, Driver::Bridge), ("host", Driver::Host), ("none", Driver::Null)];

/// Whether a network with this name is the engine's own.
#[must_use]
pub fn is_predefined(name: &Name) -> bool {
    PREDEFINED.iter().any(|(predefined, _)| *predefined == name.as_str())
}

/// Adds those that are missing, and takes the default bridge away when it is switched off and nobody is on it.
///
/// # Errors
///
/// When there can be no default bridge; the others are added all the same.
pub fn ensure_predefined(
    spec: &mut Spec,
    options: &EngineOptions,
    context: &mut Context<'_>,
) -> Result<(), Error> {
    let mut result = Ok(());
    for (name, driver) in PREDEFINED {
        let name = Name::of_network(name)?;
        let known = spec.networks.values().find(|network| network.name == name).map(|network| network.id);
        match (known, driver, &options.default_bridge) {
            (None, Driver::Bridge, Some(device)) => result = add_default_bridge(spec, name, device, context),
            (Some(id), Driver::Bridge, None) if is_unused(spec, id) => drop(spec.networks.remove(&id)),
            (None, Driver::Host | Driver::Null, _) => add_without_addresses(spec, name, driver, context),
            (None, Driver::Bridge, None) | (Some(_), _, _) => {}
        }
    }
    result
}

fn is_unused(spec: &Spec, id: NetworkId) -> bool {
    spec.endpoints().all(|(_, endpoint)| endpoint.network != id)
}

fn add_default_bridge(
    spec: &mut Spec,
    name: Name,
    device: &str,
    context: &mut Context<'_>,
) -> Result<(), Error> {
    let options = [
        ("bridge.default_bridge", "true"),
        ("bridge.enable_icc", "true"),
        ("bridge.enable_ip_masquerade", "true"),
        ("bridge.host_binding_ipv4", "0.0.0.0"),
        ("bridge.name", device),
        ("driver.mtu", "1500"),
    ];
    let options = options.map(|(option, value)| (format!("com.docker.network.{option}"), value.to_owned()));
    let request = NetworkRequest { options: options.into(), ..NetworkRequest::named(name) };
    network::add(spec, request, context).map(drop)
}

fn add_without_addresses(spec: &mut Spec, name: Name, driver: Driver, context: &mut Context<'_>) {
    let id = NetworkId::new(context.random());
    let network = Network {
        id,
        name,
        driver,
        created: context.now,
        pools: Vec::new(),
        internal: false,
        attachable: false,
        options: BTreeMap::new(),
        ipam_options: BTreeMap::new(),
        bridge: BridgeOptions::default(),
        labels: BTreeMap::new(),
    };
    spec.networks.insert(id, network);
}
