//! `ALLOWED`: ports that links open where ICC is off.

use std::collections::{BTreeMap, BTreeSet};

use netebpf_common::abi::{Address, AllowKey, Endpoint, Port};

use crate::model::{ExposedPorts, FAMILIES, Sandbox, Spec};

/// For every link between active sandboxes the exposed and published ports of the one that is linked to, at its
/// addresses on the default bridge, if that has ICC off.
pub(super) fn allowed(spec: &Spec, endpoints: &BTreeMap<Address, Endpoint>) -> BTreeSet<AllowKey> {
    let mut keys = BTreeSet::new();
    for client in spec.active_sandboxes() {
        let targets = client.links.iter().filter_map(|link| spec.sandboxes.get(&link.sandbox));
        for server in targets.filter(|sandbox| sandbox.is_active()) {
            for (from, to) in pairs(spec, client, server) {
                if endpoints.contains_key(&from) && endpoints.contains_key(&to) {
                    keys.extend(
                        offered(server)
                            .map(|(port, protocol)| AllowKey::new(from, to, Port::new(port), protocol)),
                    );
                }
            }
        }
    }
    keys
}

/// The addresses of both on each network without ICC, one pair for each IP version.
fn pairs<'a>(
    spec: &'a Spec,
    client: &'a Sandbox,
    server: &'a Sandbox,
) -> impl Iterator<Item = (Address, Address)> {
    let closed = spec.joined(client).filter(|(_, network)| network.bridge.is_default && !network.bridge.icc);
    let both = closed.filter_map(|(endpoint, network)| Some((endpoint, server.endpoint_on(network.id)?)));
    both.flat_map(|(from, to)| {
        let pair = |family| Some((from.address(family)?.into(), to.address(family)?.into()));
        FAMILIES.into_iter().filter_map(pair)
    })
}

/// Ports and protocol numbers that a sandbox offers; what is published is exposed as well.
fn offered(sandbox: &Sandbox) -> impl Iterator<Item = (u16, u8)> {
    let published =
        sandbox.ports.iter().map(|mapping| ExposedPorts { ports: mapping.ports, protocol: mapping.protocol });
    let all = sandbox.config.exposed.iter().copied().chain(published);
    all.flat_map(|exposed| exposed.ports.iter().map(move |port| (port, exposed.protocol.number())))
}
