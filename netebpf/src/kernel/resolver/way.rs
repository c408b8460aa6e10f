//! The way from a sandbox to our resolver: a route to its address on an interface. Who has the address, `from_container`
//! tells.
//!
//! It is a route of its own, so that it holds where there is no default route, and where a program in the sandbox sets
//! another one, as VPN clients do.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
};

use ipnet::{IpNet, Ipv4Net};
use netebpf_common::dns;
use nix::errno::Errno;
use rtnetlink::{Handle, RouteMessageBuilder, packet_route::route::RouteScope};

use crate::kernel::{Error, addresses, netlink};

/// Makes the way by an interface, instead of any other. `source` is an address of the interface, or is made one.
pub(in crate::kernel) async fn add(netlink: &Handle, index: u32, source: Ipv4Addr) -> Result<(), Error> {
    if source == dns::CLIENT_WITHOUT_IPV4 {
        addresses::add(netlink, index, IpNet::V4(Ipv4Net::from(source))).await?;
    }
    let route = route().output_interface(index).pref_source(source).build();
    let result = netlink.route().add(route).replace().execute().await;
    result.map_err(|error| failed("set", netlink::cause(error)))
}

/// Removes the way; one that is gone already is fine.
pub(in crate::kernel) async fn delete(netlink: &Handle) -> Result<(), Error> {
    let result = netlink.route().del(route().build()).execute().await;
    netlink::unless(Errno::ESRCH, result).map_err(|source| failed("delete", source))
}

fn route() -> RouteMessageBuilder<Ipv4Addr> {
    RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(dns::RESOLVER, 32).scope(RouteScope::Link)
}

fn failed(doing: &'static str, source: io::Error) -> Error {
    Error::Route { doing, gateway: IpAddr::V4(dns::RESOLVER), source }
}
