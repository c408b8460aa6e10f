//! The networks that are there without being asked for: `bridge`, `host` and `none`.

use std::{collections::BTreeMap, fmt};

use super::{Context, Error, default_bridge, network};
use crate::model::{BridgeOptions, Driver, EngineOptions, Name, Network, NetworkId, Spec};

/// Name of the network that sandboxes join when nobody says which.
pub const DEFAULT_NETWORK: &str = "bridge";

/// Their names, with their drivers.
const PREDEFINED: [(&str, Driver); 3] =
    [(DEFAULT_NETWORK, Driver::Bridge), ("host", Driver::Host), ("none", Driver::Null)];

/// What is configured for the default network but has to wait, because sandboxes are on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postponed {
    changes: Vec<String>,
    sandboxes: Vec<Name>,
}

/// Another word for the network that sandboxes join when nobody says which, and so nobody's name.
const ALIAS: &str = "default";

/// Whether a network with this name is the engine's own.
#[must_use]
pub fn is_predefined(name: &Name) -> bool {
    name.as_str() == ALIAS || PREDEFINED.iter().any(|(predefined, _)| *predefined == name.as_str())
}

/// Adds those that are missing, and makes the default bridge what it is configured to be. While sandboxes are on it,
/// it stays as it is; what it would become is returned.
///
/// # Errors
///
/// When there can be no such default bridge; the others are added all the same.
pub fn ensure_predefined(
    spec: &mut Spec,
    options: &EngineOptions,
    context: &mut Context<'_>,
) -> Result<Option<Postponed>, Error> {
    for (name, driver) in PREDEFINED {
        let is_known = spec.networks.values().any(|network| network.name.as_str() == name);
        match driver {
            Driver::Host | Driver::Null if !is_known => {
                add_without_addresses(spec, Name::of_network(name)?, driver, context);
            }
            Driver::Bridge | Driver::Host | Driver::Null => {}
        }
    }
    let current = spec.networks.values().find(|network| network.name.as_str() == DEFAULT_NETWORK).cloned();
    match (current, &options.default_bridge) {
        (None, None) => Ok(None),
        (Some(current), None) => Ok(switch_off(spec, &current)),
        (None, Some(wanted)) => {
            let request = default_bridge::request(spec, wanted, None, context)?;
            network::add(spec, request, context)?;
            Ok(None)
        }
        (Some(current), Some(wanted)) => {
            // The next one may have its subnet and its device.
            let mut next = spec.clone();
            next.networks.remove(&current.id);
            let request = default_bridge::request(&next, wanted, Some(&current), context)?;
            let id = network::add(&mut next, request, context)?;
            Ok(replace(spec, next, &current, id))
        }
    }
}

fn switch_off(spec: &mut Spec, current: &Network) -> Option<Postponed> {
    let on_it = spec.sandboxes.values().filter(|sandbox| sandbox.attachment_to(current.id).is_some());
    let sandboxes: Vec<_> = on_it.map(|sandbox| sandbox.name.clone()).collect();
    if sandboxes.is_empty() {
        spec.networks.remove(&current.id);
        return None;
    }
    Some(Postponed { changes: vec!["it is switched off".to_owned()], sandboxes })
}

/// Puts the spec with the default network as it should be into the place of the one with it as it is, if they differ
/// and nobody is in the way.
fn replace(spec: &mut Spec, mut next: Spec, current: &Network, id: NetworkId) -> Option<Postponed> {
    let changes = default_bridge::differences(current, next.networks.get(&id)?);
    if changes.is_empty() {
        return None;
    }
    let sandboxes: Vec<_> = spec.active_on(current.id).map(|(sandbox, _)| sandbox.name.clone()).collect();
    if !sandboxes.is_empty() {
        return Some(Postponed { changes, sandboxes });
    }
    let attachments = next.sandboxes.values_mut().flat_map(|sandbox| &mut sandbox.attachments);
    for attachment in attachments.filter(|attachment| attachment.network == current.id) {
        attachment.network = id;
    }
    *spec = next;
    None
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
        ipam_options: None,
        bridge: BridgeOptions::default(),
        labels: BTreeMap::new(),
        template: None,
        config_from: None,
    };
    spec.networks.insert(id, network);
}

impl fmt::Display for Postponed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sandboxes: Vec<_> = self.sandboxes.iter().map(Name::as_str).collect();
        write!(
            f,
            "the default network stays as it is until the daemon starts without a sandbox on it; then {} (on it now: {})",
            self.changes.join(", "),
            sandboxes.join(", ")
        )
    }
}
