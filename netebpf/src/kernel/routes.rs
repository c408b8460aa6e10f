//! Routes: default routes of sandboxes, and which subnets the host reaches directly.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use futures::TryStreamExt as _;
use ipnet::IpNet;
use nix::errno::Errno;
use rtnetlink::{
    Handle, RouteMessageBuilder,
    packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteScope, RouteType},
};

use super::{Error, netlink};

/// Gateways of the default routes in the main table.
pub(super) async fn default_gateways(netlink: &Handle) -> Result<BTreeSet<IpAddr>, Error> {
    let routes = list(netlink).await?;
    Ok(routes
        .iter()
        .filter(|route| route.header.destination_prefix_length == 0)
        .filter_map(gateway)
        .collect())
}

/// Subnets that the host reaches without a gateway.
pub(super) async fn on_link(netlink: &Handle) -> Result<Vec<IpNet>, Error> {
    let routes = list(netlink).await?;
    let direct = routes.iter().filter(|route| route.header.scope == RouteScope::Link);
    Ok(direct.filter_map(destination).collect())
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
    let messages: Result<Vec<_>, _> =
        netlink.route().get(RouteMessage::default()).execute().try_collect().await;
    let mut routes =
        messages.map_err(|error| Error::List { what: "routes", source: netlink::cause(error) })?;
    routes.retain(|route| {
        route.header.table == RouteHeader::RT_TABLE_MAIN && route.header.kind == RouteType::Unicast
    });
    Ok(routes)
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
