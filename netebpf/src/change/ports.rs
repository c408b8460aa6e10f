//! Which host ports a new sandbox gets.

use std::ops::RangeInclusive;

use super::Error;
use crate::model::{PortMapping, PublishRequest, Spec};

/// Where ports are taken from when the user names none: Linux' default range for outgoing connections.
const AUTOMATIC: RangeInclusive<u16> = 32_768..=60_999;

/// Gives every request a host port that no active sandbox has; named ports first, so that automatic ones avoid them.
pub(super) fn allocate(spec: &Spec, requests: &[PublishRequest]) -> Result<Vec<PortMapping>, Error> {
    let active = spec.sandboxes.values().filter(|sandbox| sandbox.is_active());
    let mut taken: Vec<PortMapping> = active.flat_map(|sandbox| sandbox.ports.iter().copied()).collect();
    let before = taken.len();
    let (named, automatic): (Vec<_>, Vec<_>) =
        requests.iter().partition(|request| request.host_port.is_some());
    for request in named.into_iter().chain(automatic) {
        let mapping = choose(request, &taken)?;
        taken.push(mapping);
    }
    let mut mappings = taken.split_off(before);
    mappings.sort_unstable();
    Ok(mappings)
}

fn choose(request: &PublishRequest, taken: &[PortMapping]) -> Result<PortMapping, Error> {
    let PublishRequest { host_address, port, protocol, .. } = *request;
    if host_address.is_ipv6() {
        return Err(Error::PublishFamily(host_address));
    }
    let mapping = |host_port| PortMapping { host_address, host_port, port, protocol };
    let is_free = |mapping: &PortMapping| !taken.iter().any(|other| other.conflicts_with(mapping));
    match request.host_port.map(mapping) {
        Some(named) if is_free(&named) => Ok(named),
        Some(named) => Err(Error::PortAllocated(named)),
        None => AUTOMATIC.map(mapping).find(is_free).ok_or(Error::PortsExhausted),
    }
}
