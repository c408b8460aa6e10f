//! Configurations: networks that are there only for others to be made from.

use std::collections::BTreeMap;

use super::{NetworkError, NetworkRequest, Source};
use crate::{
    change::Error,
    model::{IpamDriver, Name, Network, Spec},
};

/// Refuses a request for a configuration, or for a network from one, that says too much.
pub(super) fn check(request: &NetworkRequest, source: &Source) -> Result<(), NetworkError> {
    let has_operator_fields =
        request.ingress || request.internal || request.attachable || request.scope.is_some();
    if request.config_only && has_operator_fields {
        return Err(NetworkError::OperatorFields);
    }
    if request.config_from.is_none() {
        return Ok(());
    }
    let says_nothing = source.ipv4
        && !source.ipv6
        && request.ipam == IpamDriver::Default
        && source.labels.is_empty()
        && source.ipam_options.as_ref().is_none_or(BTreeMap::is_empty)
        && source.pools.is_empty();
    if request.config_only {
        Err(NetworkError::NestedConfiguration)
    } else if !says_nothing {
        Err(NetworkError::ConfiguredTwice)
    } else if !source.options.is_empty() {
        Err(NetworkError::OptionsTwice)
    } else {
        Ok(())
    }
}

/// What a configuration says about the networks that are made from it.
pub(super) fn source(spec: &Spec, name: &str) -> Result<Source, Error> {
    let mut named = spec.networks.values().filter(|network| network.name.as_str() == name);
    let found = named.find_map(|network| Some((network, network.template.as_ref()?)));
    let (network, template) = found.ok_or_else(|| NetworkError::NoConfiguration(name.to_owned()))?;
    Ok(Source {
        ipv4: template.ipv4,
        ipv6: template.ipv6,
        pools: template.pools.clone(),
        options: network.options.clone(),
        ipam_options: network.ipam_options.clone(),
        labels: network.labels.clone(),
    })
}

/// Whether networks were made from this one.
pub(super) fn is_in_use(spec: &Spec, network: &Network) -> bool {
    let from = |other: &Network| other.config_from.as_ref().map(Name::as_str) == Some(network.name.as_str());
    network.template.is_some() && spec.networks.values().any(from)
}
