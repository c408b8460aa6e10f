//! Which networks a sandbox is to join, and what it wishes there: the options put together as by Docker's client.

use std::{collections::BTreeSet, net::IpAddr};

use super::OptionError;
use crate::{
    change::DEFAULT_NETWORK,
    cli::args::{JoinArgs, NetworkAttachment},
    frontend::api::wire::{EndpointConfig, EndpointIpamConfig, NamedEndpoint},
};

/// Where a sandbox's network comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Joined {
    /// The sandbox whose network it shares.
    pub(super) share_with: Option<String>,
    /// The networks that it joins.
    pub(super) networks: Vec<NamedEndpoint>,
    /// Sandboxes that it is linked to on the first of them.
    pub(super) links: Vec<String>,
}

/// Puts the options together.
pub(super) fn join(args: &JoinArgs) -> Result<Joined, OptionError> {
    if let Some(mac) = &args.mac_address {
        parse_mac(mac)?;
    }
    let mut wanted = args.networks.clone();
    if wanted.is_empty() {
        wanted.push(NetworkAttachment { target: "default".to_owned(), ..NetworkAttachment::default() });
    }
    add_options(&mut wanted[0], args)?;
    let links = args.links.iter().map(ToString::to_string).collect();
    if let [NetworkAttachment { target, .. }] = &wanted[..]
        && let Some(donor) = target.strip_prefix("container:")
    {
        check_shared(&wanted[0])?;
        return Ok(Joined { share_with: Some(donor.to_owned()), networks: Vec::new(), links });
    }
    let mut names = BTreeSet::new();
    let mut networks = Vec::new();
    for attachment in &wanted {
        let endpoint = endpoint(attachment)?;
        if !names.insert(&attachment.target) {
            return Err(OptionError::Repeated(attachment.target.clone()));
        }
        networks.push(endpoint);
    }
    let chosen = names.iter().filter(|name| is_user_defined(name)).count();
    if chosen > 0 && chosen < names.len() {
        return Err(OptionError::MixedModes);
    }
    Ok(Joined { share_with: None, networks, links })
}

/// The options outside of `--network` are meant for the first network.
fn add_options(first: &mut NetworkAttachment, args: &JoinArgs) -> Result<(), OptionError> {
    let NetworkAttachment { aliases, ip, ip6, mac, link_local_ips, .. } = &*first;
    for (is_there, is_given, option, wish) in [
        (!aliases.is_empty(), !args.aliases.is_empty(), "network-alias", "alias"),
        (ip.is_some(), args.ip.is_some(), "ip", "IPv4 address"),
        (ip6.is_some(), args.ip6.is_some(), "ip6", "IPv6 address"),
        (mac.is_some(), args.mac_address.is_some(), "mac-address", "MAC address"),
        (
            !link_local_ips.is_empty(),
            !args.link_local_ips.is_empty(),
            "link-local-ip",
            "link-local IP addresses",
        ),
    ] {
        if is_there && is_given {
            return Err(OptionError::Both { option, wish });
        }
    }
    first.aliases.extend_from_slice(&args.aliases);
    first.link_local_ips.extend_from_slice(&args.link_local_ips);
    first.ip = first.ip.or(args.ip);
    first.ip6 = first.ip6.or(args.ip6);
    if args.mac_address.is_some() {
        first.mac.clone_from(&args.mac_address);
    }
    Ok(())
}

/// What a sandbox that shares the network of another one cannot wish for.
fn check_shared(wanted: &NetworkAttachment) -> Result<(), OptionError> {
    if !wanted.aliases.is_empty() {
        return Err(OptionError::Alias);
    }
    if wanted.ip.is_some() || wanted.ip6.is_some() || !wanted.link_local_ips.is_empty() {
        return Err(OptionError::Shared("addresses"));
    }
    if wanted.mac.is_some() { Err(OptionError::Shared("mac-address")) } else { Ok(()) }
}

fn endpoint(wanted: &NetworkAttachment) -> Result<NamedEndpoint, OptionError> {
    let target = wanted.target.as_str();
    if target.trim().is_empty() {
        return Err(OptionError::NoNetworkName);
    }
    if !is_user_defined(target) && !wanted.aliases.is_empty() {
        return Err(OptionError::Alias);
    }
    let config = EndpointConfig {
        ipam_config: addresses(wanted.ip, wanted.ip6, &wanted.link_local_ips),
        aliases: (!wanted.aliases.is_empty()).then(|| wanted.aliases.clone()),
        driver_opts: (!wanted.driver_options.is_empty()).then(|| wanted.driver_options.clone()),
        gw_priority: wanted.gateway_priority,
        mac_address: wanted.mac.as_deref().map_or(Ok(String::new()), parse_mac)?,
        ..EndpointConfig::default()
    };
    let network = if target == "default" { DEFAULT_NETWORK } else { target };
    Ok(NamedEndpoint { network: network.to_owned(), config })
}

/// Addresses as the API takes them; none at all if nothing is wished.
pub(in crate::cli) fn addresses(
    v4: Option<IpAddr>,
    v6: Option<IpAddr>,
    link_local: &[IpAddr],
) -> Option<EndpointIpamConfig> {
    let text = |address: Option<IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    let link_local: Vec<_> = link_local.iter().map(ToString::to_string).collect();
    (v4.is_some() || v6.is_some() || !link_local.is_empty()).then(|| EndpointIpamConfig {
        ipv4_address: text(v4),
        ipv6_address: text(v6),
        link_local_ips: (!link_local.is_empty()).then_some(link_local),
    })
}

fn is_user_defined(network: &str) -> bool {
    !matches!(network, "default" | DEFAULT_NETWORK | "host" | "none") && !network.starts_with("container:")
}

/// Six bytes with colons or dashes, or dots after each second one, written with colons.
pub(in crate::cli) fn parse_mac(text: &str) -> Result<String, OptionError> {
    let refusal = || OptionError::Mac(text.to_owned());
    let trimmed = text.trim();
    let (separator, width) = match trimmed {
        _ if trimmed.contains(':') => (':', 2),
        _ if trimmed.contains('-') => ('-', 2),
        _ => ('.', 4),
    };
    let parts: Vec<_> = trimmed.split(separator).collect();
    let is_hexadecimal =
        |part: &&str| part.len() == width && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if parts.len() * width != 12 || !parts.iter().all(is_hexadecimal) {
        return Err(refusal());
    }
    let digits = parts.concat().to_lowercase();
    let bytes: Option<Vec<_>> = (0..6).map(|at| digits.get(2 * at..2 * at + 2)).collect();
    Ok(bytes.ok_or_else(refusal)?.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(networks: &[&str]) -> JoinArgs {
        let networks = networks.iter().map(|text| text.parse().expect("a network")).collect();
        JoinArgs { networks, ..JoinArgs::default() }
    }

    fn refusal(args: &JoinArgs) -> String {
        join(args).expect_err("it makes no sense").to_string()
    }

    #[test]
    fn without_networks_it_is_the_default_one() {
        let named = |network: &str| NamedEndpoint { network: network.to_owned(), ..NamedEndpoint::default() };
        for networks in [&[][..], &["default"], &["bridge"]] {
            assert_eq!(join(&args(networks)).expect("it joins").networks, [named("bridge")]);
        }
        let several = join(&args(&["front", "back"])).expect("it joins");
        assert_eq!(several.networks, [named("front"), named("back")]);
    }

    #[test]
    fn options_are_meant_for_the_first_network() {
        let options = JoinArgs {
            aliases: vec!["web".to_owned()],
            ip: "10.1.0.5".parse().ok(),
            ip6: "fd00::5".parse().ok(),
            link_local_ips: vec!["169.254.8.8".parse().expect("an address")],
            mac_address: Some("02-42-AC-11-00-02".to_owned()),
            links: vec!["db:store".parse().expect("a link")],
            ..args(&["name=front,gw-priority=3,driver-opt=a=b", "back"])
        };
        let Joined { share_with, networks, links } = join(&options).expect("it joins");
        assert_eq!((share_with, links), (None, vec!["db:store".to_owned()]));
        let first = EndpointConfig {
            ipam_config: Some(EndpointIpamConfig {
                ipv4_address: "10.1.0.5".to_owned(),
                ipv6_address: "fd00::5".to_owned(),
                link_local_ips: Some(vec!["169.254.8.8".to_owned()]),
            }),
            aliases: Some(vec!["web".to_owned()]),
            driver_opts: Some([("a".to_owned(), "b".to_owned())].into()),
            gw_priority: 3,
            mac_address: "02:42:ac:11:00:02".to_owned(),
            ..EndpointConfig::default()
        };
        assert_eq!(networks[0], NamedEndpoint { network: "front".to_owned(), config: first });
        assert_eq!(networks[1].config, EndpointConfig::default());
    }

    #[test]
    fn the_network_of_another_sandbox_is_shared() {
        let shared = Joined { share_with: Some("web".to_owned()), ..Joined::default() };
        assert_eq!(join(&args(&["container:web"])).expect("it shares"), shared);
        let with = |change: fn(&mut JoinArgs)| {
            let mut args = args(&["container:web"]);
            change(&mut args);
            refusal(&args)
        };
        let alias = "network-scoped aliases are only supported for user-defined networks";
        assert_eq!(with(|args| args.aliases.push("x".to_owned())), alias);
        assert_eq!(
            with(|args| args.ip = "10.1.0.5".parse().ok()),
            "conflicting options: addresses and the container type network mode"
        );
        assert_eq!(
            with(|args| args.mac_address = Some("02:42:ac:11:00:02".to_owned())),
            "conflicting options: mac-address and the container type network mode"
        );
    }

    #[test]
    fn a_wish_is_given_once() {
        let wishes = "name=front,alias=web,ip=10.1.0.5,ip6=fd00::5,mac-address=02:42:ac:11:00:02,\
                      link-local-ip=169.254.8.8";
        let with = |change: fn(&mut JoinArgs)| {
            let mut args = args(&[wishes]);
            change(&mut args);
            refusal(&args)
        };
        let both = |option, wish| {
            format!("conflicting options: cannot specify both --{option} and per-network {wish}")
        };
        assert_eq!(with(|args| args.aliases.push("www".to_owned())), both("network-alias", "alias"));
        assert_eq!(with(|args| args.ip = "10.1.0.6".parse().ok()), both("ip", "IPv4 address"));
        assert_eq!(with(|args| args.ip6 = "fd00::6".parse().ok()), both("ip6", "IPv6 address"));
        assert_eq!(
            with(|args| args.mac_address = Some("02:42:ac:11:00:03".to_owned())),
            both("mac-address", "MAC address")
        );
        assert_eq!(
            with(|args| args.link_local_ips.push("169.254.8.9".parse().expect("an address"))),
            both("link-local-ip", "link-local IP addresses")
        );
    }

    #[test]
    fn networks_that_do_not_go_together_are_refused_in_dockers_words() {
        let mixed = "conflicting options: cannot attach both user-defined and non-user-defined network-modes";
        let alias = "network-scoped aliases are only supported for user-defined networks";
        for (networks, text) in [
            (&["front", "front"][..], "network \"front\" is specified multiple times"),
            (&["front", "name=front,alias=web"], "network \"front\" is specified multiple times"),
            (&["front", "host"], mixed),
            (&["bridge", "front"], mixed),
            (&["front", "container:web"], mixed),
            (&[""], "no name set for network"),
            (&["name=bridge,alias=web"], alias),
            (&["name=none,alias=web"], alias),
            (&["front", "name=back,mac-address=x"], "x is not a valid mac address"),
        ] {
            assert_eq!(refusal(&args(networks)), text);
        }
    }

    #[test]
    fn a_mac_has_six_bytes() {
        for text in ["02:42:ac:11:00:02", "02-42-AC-11-00-02", "0242.ac11.0002", " 02:42:ac:11:00:02 "] {
            assert_eq!(parse_mac(text).expect(text), "02:42:ac:11:00:02");
        }
        for text in [
            "",
            "02:42:ac:11:00",
            "02:42:ac:11:00:02:03",
            "2:42:ac:11:00:02",
            "02:42-ac:11:00:02",
            "zz:42:ac:11:00:02",
        ] {
            assert_eq!(
                parse_mac(text).expect_err(text).to_string(),
                format!("{text} is not a valid mac address")
            );
        }
    }
}
