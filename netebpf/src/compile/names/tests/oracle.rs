//! Docker's rules told once more, slowly: every name of every endpoint is compared with the question.

use std::{cmp::Ordering, collections::BTreeSet, net::IpAddr};

use netebpf_common::abi::Family;

use crate::model::{Attachment, Network, Sandbox, Spec};

/// The addresses of a name for a sandbox; `None` if the name is not known to it.
pub(super) fn resolve(spec: &Spec, asking: &Sandbox, name: &str) -> Option<BTreeSet<IpAddr>> {
    let networks = networks(spec, asking);
    let mut ways = vec![(name, "")];
    for (dot, _) in name.match_indices('.').collect::<Vec<_>>().into_iter().rev() {
        ways.push((&name[..dot], &name[dot + 1..]));
    }
    for (name, on) in ways {
        let asked: Vec<_> = networks
            .iter()
            .filter(|(_, network)| on.is_empty() || network.name.as_str().eq_ignore_ascii_case(on))
            .collect();
        for (attachment, network) in &asked {
            if let Some(target) = target(attachment, name) {
                let addresses = named(spec, network, &target);
                if !addresses.is_empty() {
                    return Some(addresses);
                }
            }
        }
        for (attachment, network) in &asked {
            let addresses = named(spec, network, name);
            if target(attachment, name).is_none() && !addresses.is_empty() {
                return Some(addresses);
            }
        }
    }
    None
}

/// The last link of this alias counts.
fn target(attachment: &Attachment, alias: &str) -> Option<String> {
    let mut links = attachment.settings.links.iter().rev();
    links.find(|link| link.alias.eq_ignore_ascii_case(alias)).map(|link| link.sandbox.clone())
}

fn named(spec: &Spec, network: &Network, name: &str) -> BTreeSet<IpAddr> {
    let mut addresses = BTreeSet::new();
    if network.bridge.is_default {
        return addresses;
    }
    for sandbox in spec.sandboxes.values() {
        let Some(attachment) = sandbox.attachment_to(network.id) else { continue };
        let Some(endpoint) = &attachment.endpoint else { continue };
        let mut names = vec![sandbox.name.to_string(), sandbox.id.to_string()[..12].to_owned()];
        names.extend(sandbox.config.hostname.iter().map(ToString::to_string));
        names.extend(attachment.settings.aliases.iter().flatten().cloned());
        if names.iter().any(|given| given.eq_ignore_ascii_case(name)) {
            addresses.extend(endpoint.addresses.iter().copied());
        }
    }
    addresses
}

fn networks<'a>(spec: &'a Spec, sandbox: &'a Sandbox) -> Vec<(&'a Attachment, &'a Network)> {
    let mut joined = Vec::new();
    for attachment in &sandbox.attachments {
        if attachment.endpoint.is_some() {
            joined.push((attachment, &spec.networks[&attachment.network]));
        }
    }
    joined.sort_by(|(one, first), (other, second)| {
        let priority = one.settings.gateway_priority.cmp(&other.settings.gateway_priority).reverse();
        let ways = |network: &Network| {
            usize::from(network.way_out(Family::V4).is_some())
                + usize::from(network.way_out(Family::V6).is_some())
        };
        match priority {
            Ordering::Equal if first.internal != second.internal => first.internal.cmp(&second.internal),
            Ordering::Equal if ways(first) != ways(second) => ways(second).cmp(&ways(first)),
            Ordering::Equal => first.name.cmp(&second.name),
            Ordering::Less | Ordering::Greater => priority,
        }
    });
    joined
}
