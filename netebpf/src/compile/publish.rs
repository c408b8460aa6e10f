//! `PUBLISHED`: which endpoint answers for a port of the host.

use std::collections::BTreeMap;

use netebpf_common::abi::{Address, Endpoint, Port, PublishBlock, PublishTarget};

use crate::model::Spec;

/// The published ports of active sandboxes that have a way out and whose endpoint can be reached already.
pub(super) fn published(
    spec: &Spec,
    endpoints: &BTreeMap<Address, Endpoint>,
) -> BTreeMap<PublishBlock, PublishTarget> {
    let mut entries = BTreeMap::new();
    for sandbox in spec.sandboxes.values().filter(|sandbox| sandbox.is_active()) {
        let Some((gateway, _)) = spec.gateway_endpoint(sandbox) else { continue };
        for mapping in &sandbox.ports {
            let same_family =
                |address: &&std::net::IpAddr| address.is_ipv4() == mapping.host_address.is_ipv4();
            let target = gateway.addresses.iter().find(same_family).copied().map(Address::from);
            if let Some(target) = target.filter(|target| endpoints.contains_key(target)) {
                let key = mapping.key();
                let target = PublishTarget::new(target, key.port, Port::new(mapping.port));
                entries.insert(PublishBlock::single(key), target);
            }
        }
    }
    entries
}
