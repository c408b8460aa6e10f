//! Whose is a link: the marks that tell netebpf's links from everybody else's.
//!
//! A link of ours gets its group when it is made and its alias when it is complete. The kernel takes an alias only in
//! a second message, and Docker names its bridges like ours, so the name alone would prove nothing after a crash.

use std::{fmt::Display, str::FromStr};

use rtnetlink::packet_route::link::InfoKind;

use super::{
    LinkRole, Owner,
    links::{Layer, RawLink},
};

/// Link group of everything that netebpf makes: "neb" in ASCII.
pub(super) const GROUP: u32 = 0x006e_6562;

/// Start of every alias.
const ALIAS_PREFIX: &str = "netebpf:";

/// Whose the device is that leads to the name server.
pub(super) const RESOLVER: &str = "resolver";

/// The alias of a link that belongs to `owner`.
pub(super) fn alias(owner: impl Display) -> String {
    format!("{ALIAS_PREFIX}{owner}")
}

/// Whether netebpf made the link.
pub(super) fn is_ours(link: &RawLink) -> bool {
    match role(link) {
        LinkRole::Bridge(_) | LinkRole::Veth(_) | LinkRole::Resolver => true,
        LinkRole::Loopback | LinkRole::Netdev | LinkRole::Other => false,
    }
}

/// What a link of the host's namespace is to us.
pub(super) fn role(link: &RawLink) -> LinkRole {
    if link.loopback {
        return LinkRole::Loopback;
    }
    let ours = match link.kind {
        Some(InfoKind::Bridge) => owner(link).map(LinkRole::Bridge),
        Some(InfoKind::Veth) if is_resolver(link) => Some(LinkRole::Resolver),
        Some(InfoKind::Veth) => owner(link).map(LinkRole::Veth),
        _ => None,
    };
    let is_netdev = link.layer != Layer::Other && link.master.is_none();
    ours.unwrap_or(if is_netdev { LinkRole::Netdev } else { LinkRole::Other })
}

fn is_resolver(link: &RawLink) -> bool {
    link.alias.as_deref().and_then(|alias| alias.strip_prefix(ALIAS_PREFIX)) == Some(RESOLVER)
}

/// The owner that the marks name; `None` for a link that is not ours.
fn owner<T: FromStr>(link: &RawLink) -> Option<Owner<T>> {
    match &link.alias {
        Some(alias) => alias.strip_prefix(ALIAS_PREFIX)?.parse().ok().map(Owner::Known),
        None => (link.group == GROUP).then_some(Owner::Unfinished),
    }
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_route::link::InfoKind;

    use super::{GROUP, Layer, LinkRole, Owner, RESOLVER, RawLink, alias, role};
    use crate::model::{EndpointId, NetworkId};

    fn link(kind: InfoKind) -> RawLink {
        let name = "br-0123456789ab".to_owned();
        RawLink { name, kind: Some(kind), layer: Layer::Ethernet, ..RawLink::default() }
    }

    #[test]
    fn an_alias_names_the_owner() {
        let (network, endpoint) = (NetworkId::new([7; 32]), EndpointId::new([8; 32]));
        let bridge = RawLink { alias: Some(alias(network)), group: GROUP, ..link(InfoKind::Bridge) };
        let veth = RawLink { alias: Some(alias(endpoint)), master: Some(3), ..link(InfoKind::Veth) };
        assert_eq!(role(&bridge), LinkRole::Bridge(Owner::Known(network)));
        assert_eq!(role(&veth), LinkRole::Veth(Owner::Known(endpoint)));
        let resolver = RawLink { alias: Some(alias(RESOLVER)), group: GROUP, ..link(InfoKind::Veth) };
        assert_eq!(role(&resolver), LinkRole::Resolver);
    }

    #[test]
    fn a_link_without_alias_is_ours_by_its_group() {
        let begun = RawLink { group: GROUP, ..link(InfoKind::Veth) };
        assert_eq!(role(&begun), LinkRole::Veth(Owner::Unfinished));
    }

    #[test]
    fn a_docker_bridge_is_a_device_like_any_other() {
        assert_eq!(role(&link(InfoKind::Bridge)), LinkRole::Netdev);
        let labelled = RawLink { alias: Some("uplink to rack 4".to_owned()), ..link(InfoKind::Bridge) };
        assert_eq!(role(&labelled), LinkRole::Netdev);
    }

    #[test]
    fn a_part_of_another_device_carries_no_program() {
        assert_eq!(role(&RawLink { master: Some(4), ..link(InfoKind::Veth) }), LinkRole::Other);
        assert_eq!(role(&RawLink { layer: Layer::Other, ..link(InfoKind::Ipoib) }), LinkRole::Other);
        assert_eq!(role(&RawLink { loopback: true, ..RawLink::default() }), LinkRole::Loopback);
    }

    #[test]
    fn a_tunnel_without_ethernet_header_carries_programs() {
        assert_eq!(role(&RawLink { layer: Layer::Bare, ..link(InfoKind::Tun) }), LinkRole::Netdev);
    }
}
