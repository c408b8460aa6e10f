//! Addresses of links.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use futures::TryStreamExt as _;
use ipnet::IpNet;
use nix::errno::Errno;
use rtnetlink::{
    AddressGetRequest, Handle,
    packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage},
};

use super::{Error, netlink};

/// The addresses of a link.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// All of them, with prefixes.
    pub(super) all: BTreeSet<IpNet>,
    /// Those that packets leave with by default: the first good one of each IP version.
    pub(super) sources: Vec<IpAddr>,
}

/// Flags of addresses that are not used where there is a choice. The kernel has one bit for secondary IPv4 addresses
/// and temporary IPv6 addresses.
const SECOND_CHOICE: AddressHeaderFlags = AddressHeaderFlags::Secondary
    .union(AddressHeaderFlags::Deprecated)
    .union(AddressHeaderFlags::Tentative)
    .union(AddressHeaderFlags::Dadfailed);

/// Reads the addresses of every link of the connection's namespace, by index.
pub(super) async fn list(netlink: &Handle) -> Result<BTreeMap<u32, Addresses>, Error> {
    dump(netlink.address().get()).await
}

/// Reads the addresses of one link.
pub(super) async fn of_link(netlink: &Handle, index: u32) -> Result<Addresses, Error> {
    let mut request = netlink.address().get().set_link_index_filter(index);
    // The kernel filters as well, for connections that check strictly.
    request.message_mut().header.index = index;
    Ok(dump(request).await?.remove(&index).unwrap_or_default())
}

async fn dump(request: AddressGetRequest) -> Result<BTreeMap<u32, Addresses>, Error> {
    let messages: Result<Vec<_>, _> = request.execute().try_collect().await;
    let messages =
        messages.map_err(|error| Error::List { what: "addresses", source: netlink::cause(error) })?;
    let mut found = BTreeMap::<_, Addresses>::new();
    for message in messages {
        let Some(address) = address_of(&message) else { continue };
        let of_link = found.entry(message.header.index).or_default();
        of_link.all.insert(address);
        if is_good_source(address.addr()) && !message.header.flags.intersects(SECOND_CHOICE) {
            of_link.add_source(address.addr());
        }
    }
    Ok(found)
}

impl Addresses {
    /// Keeps the first address of each IP version; among those of IPv6 a global one comes before a unique local one.
    fn add_source(&mut self, address: IpAddr) {
        let is_local = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.is_unique_local());
        match self.sources.iter_mut().find(|other| other.is_ipv4() == address.is_ipv4()) {
            Some(other) if is_local(other) && !is_local(&address) => *other = address,
            Some(_) => {}
            None => self.sources.push(address),
        }
    }
}

/// Gives a link an address that can be used at once; one that it has already is fine.
pub(super) async fn add(netlink: &Handle, index: u32, address: IpNet) -> Result<(), Error> {
    let mut request = netlink.address().add(index, address.addr(), address.prefix_len()).replace();
    // We gave it to nobody else, so there is nothing to detect (RFC 4862, 5.4).
    request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
    let result = request.execute().await.map_err(netlink::cause);
    result.map_err(|source| Error::Address { doing: "add", address, source })
}

/// Takes an address from a link; one that is gone already is fine, and so is a link that is.
pub(super) async fn delete(netlink: &Handle, index: u32, address: IpNet) -> Result<(), Error> {
    let mut request = netlink.address().add(index, address.addr(), address.prefix_len());
    let message = std::mem::take(request.message_mut());
    let result = netlink::unless(Errno::EADDRNOTAVAIL, netlink.address().del(message).execute().await);
    match result {
        Err(error) if error.raw_os_error() == Some(Errno::ENODEV as i32) => Ok(()),
        result => result.map_err(|source| Error::Address { doing: "delete", address, source }),
    }
}

/// Whether an address can stand in packets that leave the link.
const fn is_good_source(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified()),
    }
}

/// The address that a message is about: on point-to-point links `Address` is the other side's, `Local` ours.
fn address_of(message: &AddressMessage) -> Option<IpNet> {
    let mut found: Option<IpAddr> = None;
    for attribute in &message.attributes {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only two of the attributes hold the address")]
        match attribute {
            AddressAttribute::Local(address) => found = Some(*address),
            AddressAttribute::Address(address) => found = found.or(Some(*address)),
            _ => {}
        }
    }
    IpNet::new(found?, message.header.prefix_len).ok()
}
