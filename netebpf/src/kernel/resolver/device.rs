//! The device that leads to the name server, and what is at its other end.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use netebpf_common::{dns, pipeline::RESOLVER_MAC};
use rtnetlink::{
    Handle, LinkUnspec, RouteMessageBuilder,
    packet_route::{
        link::{LinkFlags, LinkMessage},
        route::RouteScope,
    },
};

use crate::kernel::{Error, Settings, addresses, links, namespaces, netlink, sysctl};

/// The device in the host's namespace.
pub(in crate::kernel) const NAME: &str = "netebpf-dns";
/// Answers are sent whole, also those that are longer than what most links carry.
const MTU: u32 = 65_535;
/// Its other end, in the name server's.
const INSIDE: &str = "dns0";

/// Makes the name server's namespace and the device that leads there, still down; both are completed if they are there.
pub(in crate::kernel) async fn create(netlink: &Handle, settings: &Settings) -> Result<(), Error> {
    let namespace = settings.resolver_namespace();
    namespaces::create(&namespace).await?;
    let pair = links::ResolverPair {
        name: NAME,
        inside: INSIDE,
        mac: RESOLVER_MAC,
        mtu: MTU,
        namespace: &namespace,
    };
    links::create_resolver(netlink, &pair).await?;
    namespaces::inside(&namespace, || Ok(sysctl::disable_ipv6(INSIDE)))??;
    let (inside, _) = namespaces::connect(&namespace)?;
    configure(&inside).await?;
    links::mark_resolver(netlink, NAME).await
}

/// Sets the name server's end up, with its address and a route to those from which it is asked.
async fn configure(inside: &Handle) -> Result<(), Error> {
    let link = links::list(inside).await?.into_iter().find(|link| link.name == INSIDE);
    let index = link.map(|link| link.index).ok_or_else(|| failed("find")(nix::Error::ENODEV.into()))?;
    addresses::add(inside, index, IpNet::V4(Ipv4Net::from(dns::RESOLVER))).await?;
    // Nobody there can be asked for a MAC.
    let mut up: LinkMessage = LinkUnspec::new_with_index(index).up().build();
    up.header.flags |= LinkFlags::Noarp;
    up.header.change_mask |= LinkFlags::Noarp;
    let result = inside.link().change(up).execute().await;
    result.map_err(|error| failed("set up")(netlink::cause(error)))?;
    let (clients, length) = dns::CLIENTS;
    let route = RouteMessageBuilder::<std::net::Ipv4Addr>::new().destination_prefix(clients, length);
    let route = route.output_interface(index).scope(RouteScope::Link).build();
    let result = inside.route().add(route).replace().execute().await;
    let gateway = IpAddr::V4(dns::RESOLVER);
    result.map_err(|error| Error::Route { doing: "set", gateway, source: netlink::cause(error) })
}

fn failed(doing: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Link { doing, link: INSIDE.to_owned(), source }
}
