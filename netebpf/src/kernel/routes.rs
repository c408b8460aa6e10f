//! Routes: default routes of sandboxes, and which subnets the host reaches directly.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use futures::TryStreamExt as _;
use ipnet::IpNet;
use netebpf_common::dns;
use nix::errno::Errno;
use rtnetlink::{
    Handle, RouteMessageBuilder,
    packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteScope, RouteType},
};

use super::{Error, netlink};

/// Where a sandbox's routes lead that are ours.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// Gateways of the default routes in the main table.
    pub(super) default_gateways: BTreeSet<IpAddr>,
    /// Index of the interface that leads to our resolver.
    pub(super) resolver: Option<u32>,
}

/// Reads a sandbox's routes.
pub(super) async fn ways(netlink: &Handle) -> Result<Ways, Error> {
    let routes = list(netlink).await?;
    let default = routes.iter().filter(|route| route.header.destination_prefix_length == 0);
    let resolver = IpNet::from(IpAddr::V4(dns::RESOLVER));
    let mut direct = routes.iter().filter(|route| destination(route) == Some(resolver));
    Ok(Ways {
        default_gateways: default.filter_map(gateway).collect(),
        resolver: direct.find_map(output_interface),
    })
}

/// Subnets that the host reaches without a gateway.
pub(super) async fn on_link(netlink: &Handle) -> Result<Vec<IpNet>, Error> {
    let routes = list(netlink).await?;
    let direct = routes.iter().filter(|route| route.header.scope == RouteScope::Link);
    Ok(direct.filter_map(destination).collect())
}

/// A number that changes when a route of the main table does. Routes over the links in `except` do not count, and
/// neither do those to link-local addresses.
pub(super) async fn digest(netlink: &Handle, except: &BTreeSet<u32>) -> Result<u32, Error> {
    let routes = main(netlink).await?;
    let counted = routes.iter().filter(|route| !(leads_over(route, except) || is_link_local(route)));
    // A sum, so that the order of the dump does not matter.
    Ok(counted.map(fingerprint).fold(0, u32::wrapping_add))
}

/// Sets the default route of the gateway's IP version, replacing any other.
pub(super) async fn set_default(netlink: &Handle, gateway: IpAddr) -> Result<(), Error> {
    let result = netlink.route().add(default_by(gateway)).replace().execute().await;
    result.map_err(|error| Error::Route { doing: "set", gateway, source: netlink::cause(error) })
}

/// Removes the default route by a gateway; one that is gone already is fine.
pub(super) async fn delete_default(netlink: &Handle, gateway: IpAddr) -> Result<(), Error> {
    let result = netlink::unless(Errno::ESRCH, netlink.route().del(default_by(gateway)).execute().await);
    result.map_err(|source| Error::Route { doing: "delete", gateway, source })
}

/// Unicast routes of the main table.
async fn list(netlink: &Handle) -> Result<Vec<RouteMessage>, Error> {
    let mut routes = main(netlink).await?;
    routes.retain(|route| route.header.kind == RouteType::Unicast);
    Ok(routes)
}

/// Routes of the main table, of both IP versions.
async fn main(netlink: &Handle) -> Result<Vec<RouteMessage>, Error> {
    let messages: Result<Vec<_>, _> =
        netlink.route().get(RouteMessage::default()).execute().try_collect().await;
    let mut routes =
        messages.map_err(|error| Error::List { what: "routes", source: netlink::cause(error) })?;
    routes.retain(is_main);
    Ok(routes)
}

/// Whether a route is one of the main table.
pub(super) fn is_main(route: &RouteMessage) -> bool {
    route.header.table == RouteHeader::RT_TABLE_MAIN
}

fn leads_over(route: &RouteMessage, links: &BTreeSet<u32>) -> bool {
    output_interface(route).is_some_and(|index| links.contains(&index))
}

fn output_interface(route: &RouteMessage) -> Option<u32> {
    route
        .attributes
        .iter()
        .find_map(|attribute| if let RouteAttribute::Oif(index) = attribute { Some(*index) } else { None })
}

fn is_link_local(route: &RouteMessage) -> bool {
    matches!(destination(route), Some(IpNet::V6(v6)) if v6.addr().is_unicast_link_local())
}

/// Of a route only what decides where packets go: it has counters and ages as well.
fn fingerprint(route: &RouteMessage) -> u32 {
    let mut hasher = DefaultHasher::new();
    let header = &route.header;
    format!("{:?} {}", header.kind, header.destination_prefix_length).hash(&mut hasher);
    for attribute in &route.attributes {
        #[expect(clippy::wildcard_enum_match_arm, reason = "a route has some thirty attributes")]
        match attribute {
            RouteAttribute::Destination(_)
            | RouteAttribute::Gateway(_)
            | RouteAttribute::Via(_)
            | RouteAttribute::Oif(_)
            | RouteAttribute::Priority(_)
            | RouteAttribute::PrefSource(_)
            | RouteAttribute::MultiPath(_) => format!("{attribute:?}").hash(&mut hasher),
            _ => {}
        }
    }
    let [a, b, c, d, ..] = hasher.finish().to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}

fn default_by(gateway: IpAddr) -> RouteMessage {
    match gateway {
        IpAddr::V4(gateway) => RouteMessageBuilder::<Ipv4Addr>::new().gateway(gateway).build(),
        IpAddr::V6(gateway) => RouteMessageBuilder::<Ipv6Addr>::new().gateway(gateway).build(),
    }
}

fn gateway(route: &RouteMessage) -> Option<IpAddr> {
    route.attributes.iter().find_map(|attribute| {
        if let RouteAttribute::Gateway(address) = attribute { ip(address) } else { None }
    })
}

fn destination(route: &RouteMessage) -> Option<IpNet> {
    let address = route.attributes.iter().find_map(|attribute| {
        if let RouteAttribute::Destination(address) = attribute { ip(address) } else { None }
    })?;
    IpNet::new(address, route.header.destination_prefix_length).ok()
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may add kinds of addresses, which are no IP either"
    )]
    match address {
        RouteAddress::Inet(v4) => Some(IpAddr::V4(*v4)),
        RouteAddress::Inet6(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}
