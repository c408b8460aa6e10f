//! Links: bridges, veth pairs, and what the namespace has besides.

use std::{fs::File, os::fd::AsRawFd as _, path::Path};

use futures::TryStreamExt as _;
use netebpf_common::abi::Mac;
use nix::{
    errno::Errno,
    net::if_::{if_indextoname, if_nametoindex},
};
use rtnetlink::{
    Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth,
    packet_route::{
        AddressFamily,
        link::{
            InfoData, InfoKind, InfoVeth, LinkAttribute, LinkExtentMask, LinkFlags, LinkInfo, LinkLayerType,
            LinkMessage, State,
        },
    },
};

use super::{Error, netlink, ownership, sysctl};

/// Index of the loopback device in every namespace.
pub(super) const LOOPBACK: u32 = 1;

/// A link as a dump shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct RawLink {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) mac: Mac,
    pub(super) up: bool,
    pub(super) mtu: u32,
    /// Index of a veth's other side, in whichever namespace that is.
    pub(super) peer: Option<u32>,
    pub(super) master: Option<u32>,
    pub(super) alias: Option<String>,
    pub(super) group: u32,
    pub(super) kind: Option<InfoKind>,
    pub(super) loopback: bool,
    pub(super) layer: Layer,
    /// Whether it carries packets, as far as the kernel has noticed.
    pub(super) operational: bool,
}

/// What stands before the IP header in what a link carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Layer {
    /// An Ethernet header.
    Ethernet,
    /// Nothing: tun, `WireGuard`, PPP and tunnels of IP.
    Bare,
    /// Something that the data path does not know.
    #[default]
    Other,
}

/// Reads every link of the connection's namespace.
pub(super) async fn list(netlink: &Handle) -> Result<Vec<RawLink>, Error> {
    let dump = netlink.link().get().set_filter_mask(AddressFamily::Unspec, vec![LinkExtentMask::SkipStats]);
    let messages = dump.execute().map_ok(RawLink::from).try_collect().await;
    messages.map_err(|error| Error::List { what: "links", source: netlink::cause(error) })
}

/// Reads one link of the connection's namespace.
pub(super) async fn get(netlink: &Handle, index: u32) -> Result<RawLink, Error> {
    let source = || Errno::ENODEV.into();
    let missing = || Error::Link { doing: "find", link: index.to_string(), source: source() };
    find(netlink, index).await?.ok_or_else(missing)
}

/// Reads one link of the connection's namespace; `None` if there is none of this index.
pub(super) async fn find(netlink: &Handle, index: u32) -> Result<Option<RawLink>, Error> {
    let found = netlink.link().get().match_index(index).execute().map_ok(RawLink::from).try_next().await;
    match found.map_err(netlink::cause) {
        Err(error) if error.raw_os_error() == Some(Errno::ENODEV as i32) => Ok(None),
        found => found.map_err(|source| Error::Link { doing: "find", link: index.to_string(), source }),
    }
}

/// The index of a link of the calling thread's network namespace.
#[must_use]
pub fn index_of(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// Makes a bridge, still down; one of ours with this name is completed.
pub(super) async fn create_bridge(
    netlink: &Handle,
    name: &str,
    mac: Mac,
    ipv6: bool,
    alias: &str,
) -> Result<(), Error> {
    let message = LinkMessageBuilder::<LinkBridge>::new(name)
        .address(mac.0.to_vec())
        .link_group(ownership::GROUP)
        .build();
    add(netlink, name, message).await?;
    if ipv6 {
        sysctl::enable_ipv6(name)?;
    } else {
        sysctl::disable_ipv6(name)?;
    }
    finish(netlink, name, alias).await
}

/// Lets a bridge have IPv6 addresses. What its owner has told a bridge that is not ours about advertised routes and
/// addresses stays as it is.
pub(super) async fn enable_ipv6(netlink: &Handle, index: u32) -> Result<(), Error> {
    let link = get(netlink, index).await?;
    if ownership::is_ours(&link) { sysctl::enable_ipv6(&link.name) } else { sysctl::allow_ipv6(&link.name) }
}

/// What a veth pair is made of.
pub(super) struct VethPair<'a> {
    /// Host-side name.
    pub(super) name: &'a str,
    /// Index of the bridge that the host side belongs to.
    pub(super) bridge: u32,
    /// Name of the sandbox side.
    pub(super) interface: &'a str,
    /// MAC of the sandbox side.
    pub(super) mac: Mac,
    /// MTU of both sides.
    pub(super) mtu: Option<u32>,
    /// The sandbox's namespace file.
    pub(super) namespace: &'a Path,
    /// Alias of the host side.
    pub(super) alias: &'a str,
}

/// Makes a veth pair whose sandbox side is born in its namespace, with its final name and MAC; both sides down.
pub(super) async fn create_veth(netlink: &Handle, pair: &VethPair<'_>) -> Result<(), Error> {
    let namespace = File::open(pair.namespace).map_err(Error::namespace("open", pair.namespace))?;
    let mtu = |message: &mut LinkMessage| message.attributes.extend(pair.mtu.map(LinkAttribute::Mtu));
    let mut peer = LinkMessageBuilder::<LinkUnspec>::new()
        .name(pair.interface)
        .address(pair.mac.0.to_vec())
        .setns_by_fd(namespace.as_raw_fd())
        .build();
    mtu(&mut peer);
    keep_mac(netlink, pair.bridge).await?;
    let mut message = LinkMessageBuilder::<LinkVeth>::new(pair.name, pair.interface)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
        .controller(pair.bridge)
        .link_group(ownership::GROUP)
        .build();
    mtu(&mut message);
    add(netlink, pair.name, message).await?;
    sysctl::disable_ipv6(pair.name)?;
    finish(netlink, pair.name, pair.alias).await
}

/// What the pair is made of that leads to the name server.
pub(super) struct ResolverPair<'a> {
    /// Host-side name.
    pub(super) name: &'a str,
    /// Name of the other side.
    pub(super) inside: &'a str,
    /// MAC of the other side.
    pub(super) mac: Mac,
    /// MTU of both sides, in bytes.
    pub(super) mtu: u32,
    /// The name server's namespace file.
    pub(super) namespace: &'a Path,
}

/// Makes the veth pair that leads to the name server, both sides down and the host side not marked yet.
pub(super) async fn create_resolver(netlink: &Handle, pair: &ResolverPair<'_>) -> Result<(), Error> {
    let namespace = File::open(pair.namespace).map_err(Error::namespace("open", pair.namespace))?;
    let peer = LinkMessageBuilder::<LinkUnspec>::new()
        .name(pair.inside)
        .address(pair.mac.0.to_vec())
        .mtu(pair.mtu)
        .setns_by_fd(namespace.as_raw_fd())
        .build();
    let message = LinkMessageBuilder::<LinkVeth>::new(pair.name, pair.inside)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
        .link_group(ownership::GROUP)
        .mtu(pair.mtu)
        .build();
    add(netlink, pair.name, message).await?;
    sysctl::disable_ipv6(pair.name)
}

/// Marks the device that leads to the name server as complete.
pub(super) async fn mark_resolver(netlink: &Handle, name: &str) -> Result<(), Error> {
    finish(netlink, name, &ownership::alias(ownership::RESOLVER)).await
}

/// Has a bridge that is not ours keep the MAC that it has, by which sandboxes know it: a bridge that was never told one
/// takes the lowest of its ports' each time that they change.
async fn keep_mac(netlink: &Handle, index: u32) -> Result<(), Error> {
    let link = get(netlink, index).await?;
    if ownership::is_ours(&link) {
        return Ok(());
    }
    let message = LinkUnspec::new_with_index(index).address(link.mac.0.to_vec()).build();
    change(netlink, "keep the MAC of", link.name, message).await
}

/// Makes a link a port of a bridge.
pub(super) async fn attach_to_bridge(netlink: &Handle, index: u32, bridge: u32) -> Result<(), Error> {
    let message = LinkUnspec::new_with_index(index).controller(bridge).build();
    change(netlink, "attach to its bridge", index.to_string(), message).await
}

/// The name of a link of the calling thread's network namespace; `None` if it is gone, of which nix 0.31 makes an empty
/// name.
#[must_use]
pub fn name_of(index: u32) -> Option<String> {
    let name = if_indextoname(index).ok()?.into_string().ok()?;
    (!name.is_empty()).then_some(name)
}

/// Sets a link's MTU, in bytes.
pub(super) async fn set_mtu(netlink: &Handle, index: u32, mtu: u32) -> Result<(), Error> {
    let message = LinkUnspec::new_with_index(index).mtu(mtu).build();
    change(netlink, "set the MTU of", index.to_string(), message).await
}

/// Sets a link up.
pub(super) async fn set_up(netlink: &Handle, index: u32) -> Result<(), Error> {
    let message = LinkUnspec::new_with_index(index).up().build();
    change(netlink, "set up", index.to_string(), message).await
}

/// Sets the MAC that a link has already: it announces its addresses, if it was told to do so on that occasion.
pub(super) async fn announce(netlink: &Handle, index: u32, mac: Mac) -> Result<(), Error> {
    let message = LinkUnspec::new_with_index(index).address(mac.0.to_vec()).build();
    change(netlink, "announce the addresses of", index.to_string(), message).await
}

/// Deletes a link; one that is gone already is fine.
pub(super) async fn delete(netlink: &Handle, index: u32, name: &str) -> Result<(), Error> {
    let result = netlink::unless(Errno::ENODEV, netlink.link().del(index).execute().await);
    result.map_err(|source| Error::Link { doing: "delete", link: name.to_owned(), source })
}

/// Adds a link, or finds one of ours in its place.
async fn add(netlink: &Handle, name: &str, message: LinkMessage) -> Result<(), Error> {
    let failed = |source| Error::Link { doing: "create", link: name.to_owned(), source };
    let Err(error) = netlink.link().add(message).execute().await.map_err(netlink::cause) else {
        return Ok(());
    };
    if error.raw_os_error() != Some(Errno::EEXIST as i32) {
        return Err(failed(error));
    }
    match list(netlink).await?.into_iter().find(|link| link.name == name) {
        Some(link) if ownership::is_ours(&link) => Ok(()),
        Some(link) => Err(Error::ForeignLink { name: link.name }),
        // The name that exists is the sandbox side's.
        None => Err(failed(error)),
    }
}

/// Writes the alias, which says that the link is complete, after all else.
async fn finish(netlink: &Handle, name: &str, alias: &str) -> Result<(), Error> {
    let message = LinkUnspec::new_with_name(name).alias(alias).build();
    change(netlink, "mark", name.to_owned(), message).await
}

async fn change(
    netlink: &Handle,
    doing: &'static str,
    link: String,
    message: LinkMessage,
) -> Result<(), Error> {
    let result = netlink.link().change(message).execute().await;
    result.map_err(|error| Error::Link { doing, link, source: netlink::cause(error) })
}

impl From<LinkMessage> for RawLink {
    fn from(message: LinkMessage) -> Self {
        let mut link = Self {
            index: message.header.index,
            up: message.header.flags.contains(LinkFlags::Up),
            loopback: message.header.flags.contains(LinkFlags::Loopback),
            layer: layer(message.header.link_layer_type),
            ..Self::default()
        };
        for attribute in message.attributes {
            #[expect(clippy::wildcard_enum_match_arm, reason = "a link has some seventy attributes")]
            match attribute {
                LinkAttribute::IfName(name) => link.name = name,
                LinkAttribute::IfAlias(alias) => link.alias = Some(alias),
                LinkAttribute::Group(group) => link.group = group,
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                LinkAttribute::OperState(state) => link.operational = state == State::Up,
                LinkAttribute::Link(peer) => link.peer = Some(peer),
                LinkAttribute::Controller(master) => link.master = Some(master),
                LinkAttribute::Address(bytes) => link.mac = bytes.try_into().map(Mac).unwrap_or_default(),
                LinkAttribute::LinkInfo(infos) => link.kind = infos.into_iter().find_map(kind),
                _ => {}
            }
        }
        link
    }
}

/// What the kernel hands to TC programs on links of a type begins with the header that this names.
pub(super) fn layer(kind: LinkLayerType) -> Layer {
    #[expect(clippy::wildcard_enum_match_arm, reason = "there are some sixty types of links")]
    match kind {
        LinkLayerType::Ether => Layer::Ethernet,
        LinkLayerType::None
        | LinkLayerType::Ppp
        | LinkLayerType::Rawip
        | LinkLayerType::Tunnel
        | LinkLayerType::Tunnel6
        | LinkLayerType::Sit => Layer::Bare,
        _ => Layer::Other,
    }
}

fn kind(info: LinkInfo) -> Option<InfoKind> {
    if let LinkInfo::Kind(kind) = info { Some(kind) } else { None }
}
