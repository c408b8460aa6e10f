//! Addresses of links.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use futures::TryStreamExt as _;
use ipnet::IpNet;
use nix::errno::Errno;
use rtnetlink::{
    Handle,
    packet_route::address::{AddressAttribute, AddressMessage},
};

use super::{Error, netlink};

/// Reads the addresses of every link of the connection's namespace, by index.
pub(super) async fn list(netlink: &Handle) -> Result<BTreeMap<u32, BTreeSet<IpNet>>, Error> {
    let messages: Result<Vec<_>, _> = netlink.address().get().execute().try_collect().await;
    let messages =
        messages.map_err(|error| Error::List { what: "addresses", source: netlink::cause(error) })?;
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    for message in messages {
        if let Some(address) = address_of(&message) {
            found.entry(message.header.index).or_default().insert(address);
        }
    }
    Ok(found)
}

/// Gives a link an address; one that it has already is fine.
pub(super) async fn add(netlink: &Handle, index: u32, address: IpNet) -> Result<(), Error> {
    let request = netlink.address().add(index, address.addr(), address.prefix_len()).replace();
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
