//! The way from a sandbox to our resolver: a route to its address on an interface, and whom frames for it go to.
//!
//! It is a route of its own, so that it holds where there is no default route, and where a program in the sandbox sets
//! another one, as VPN clients do.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use netebpf_common::{dns, pipeline::RESOLVER_MAC};
use nix::errno::Errno;
use rtnetlink::{Handle, RouteMessageBuilder, packet_route::route::RouteScope};

use crate::kernel::{Error, addresses, netlink};

/// Makes the way by an interface, instead of any other. `source` is an address of the interface, or is made one.
pub(in crate::kernel) async fn add(netlink: &Handle, index: u32, source: Ipv4Addr) -> Result<(), Error> {
    if source == dns::CLIENT_WITHOUT_IPV4 {
        addresses::add(netlink, index, IpNet::V4(Ipv4Net::from(source))).await?;
    }
    // Nobody answers when the sandbox asks who has the address: its packets are picked up where they leave it.
    let neighbour = netlink.neighbours().add(index, IpAddr::V4(dns::RESOLVER)).replace();
    let neighbour = neighbour.link_layer_address(&RESOLVER_MAC.0).execute().await;
    neighbour.map_err(failed("enter"))?;
    let route = route().output_interface(index).scope(RouteScope::Link).pref_source(source).build();
    netlink.route().add(route).replace().execute().await.map_err(failed("set"))
}

/// Removes the way; one that is gone already is fine.
pub(in crate::kernel) async fn delete(netlink: &Handle) -> Result<(), Error> {
    let result = netlink.route().del(route().build()).execute().await;
    netlink::unless(Errno::ESRCH, result).map_err(|source| Error::Route {
        doing: "delete",
        gateway: IpAddr::V4(dns::RESOLVER),
        source,
    })
}

fn route() -> RouteMessageBuilder<Ipv4Addr> {
    RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(dns::RESOLVER, 32)
}

fn failed(doing: &'static str) -> impl Fn(rtnetlink::Error) -> Error {
    move |error| Error::Route { doing, gateway: IpAddr::V4(dns::RESOLVER), source: netlink::cause(error) }
}
