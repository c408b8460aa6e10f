//! The endpoints of a container: what the user wishes, and what the sandbox has while it is active.

use netebpf_common::abi::Family;

use super::some;
use crate::{
    change,
    frontend::api::wire::{EndpointIpamConfig, EndpointSettings},
    model::{Attachment, LinkRequest, Name, Sandbox, SandboxState, Spec},
};

/// An endpoint as lists show it: without names, links and options.
pub(super) fn in_short(spec: &Spec, sandbox: &Sandbox, attachment: &Attachment) -> EndpointSettings {
    let Attachment { settings, endpoint, .. } = attachment;
    let network = spec.networks.get(&attachment.network);
    let was_started = sandbox.state != SandboxState::Created;
    let address = |family| endpoint.as_ref().and_then(|endpoint| endpoint.address(family));
    let text =
        |address: Option<std::net::IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    let gateway = |family| text(address(family).and(network).and_then(|network| network.way_out(family)));
    let prefix = |family| {
        let pool = address(family).and(network).and_then(|network| network.pool(family));
        pool.map_or(0, |pool| pool.subnet.prefix_len())
    };
    let mac = match endpoint {
        Some(endpoint) => network.filter(|network| network.has_bridge()).map(|_| endpoint.mac),
        None => settings.mac.filter(|_| !was_started),
    };
    EndpointSettings {
        ipam_config: settings.addresses.as_ref().map(|wishes| EndpointIpamConfig {
            ipv4_address: text(wishes.v4),
            ipv6_address: text(wishes.v6),
            link_local_ips: some(wishes.link_local.iter().map(ToString::to_string)),
        }),
        links: None,
        aliases: None,
        driver_opts: None,
        gw_priority: settings.gateway_priority,
        network_id: if was_started { attachment.network.to_string() } else { String::new() },
        endpoint_id: endpoint.as_ref().map(|endpoint| endpoint.id.to_string()).unwrap_or_default(),
        gateway: gateway(Family::V4),
        ip_address: text(address(Family::V4)),
        mac_address: mac.map(|mac| mac.to_string()).unwrap_or_default(),
        ip_prefix_len: prefix(Family::V4),
        ipv6_gateway: gateway(Family::V6),
        global_ipv6_address: text(address(Family::V6)),
        global_ipv6_prefix_len: prefix(Family::V6),
        dns_names: None,
    }
}

/// An endpoint with all that is known about it.
pub(super) fn in_full(
    spec: &Spec,
    sandbox: &Sandbox,
    attachment: &Attachment,
    hostname: &str,
) -> EndpointSettings {
    let settings = &attachment.settings;
    let is_named = attachment.joined_later || sandbox.state != SandboxState::Created;
    let has_names = is_named && !change::is_predefined(&attachment.name);
    let own = [sandbox.name.to_string()].into_iter().chain(settings.aliases.iter().flatten().cloned());
    let made_up = [sandbox.id.short(), hostname.to_owned()];
    EndpointSettings {
        links: some(settings.links.iter().map(LinkRequest::to_string)),
        aliases: settings.aliases.clone(),
        driver_opts: settings.driver_options.clone(),
        dns_names: has_names.then(|| without_repetitions(own.chain(made_up))),
        ..in_short(spec, sandbox, attachment)
    }
}

/// Before version 1.45 aliases were also what nobody had asked for.
pub(super) fn with_made_up_aliases(
    sandbox: &Sandbox,
    network: &Name,
    aliases: Option<Vec<String>>,
    hostname: &str,
) -> Option<Vec<String>> {
    if change::is_predefined(network) {
        return aliases;
    }
    let made_up = [sandbox.id.short(), hostname.to_owned()];
    Some(without_repetitions(aliases.into_iter().flatten().chain(made_up)))
}

fn without_repetitions(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut unique = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}
