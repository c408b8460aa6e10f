//! Forwarding tables of bridges.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt as _;
use netebpf_common::abi::Mac;
use rtnetlink::{
    Handle,
    packet_route::{
        AddressFamily,
        neighbour::{NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState},
    },
};

use super::{Error, netlink};

/// Reads the static entries of all bridges, by index of the port.
pub(super) async fn list(netlink: &Handle) -> Result<BTreeMap<u32, BTreeSet<Mac>>, Error> {
    let dump = netlink.neighbours().get().set_address_family(AddressFamily::Bridge);
    let messages: Result<Vec<_>, _> = dump.execute().try_collect().await;
    let messages = messages
        .map_err(|error| Error::List { what: "bridge forwarding entries", source: netlink::cause(error) })?;
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    for message in messages {
        if let Some(mac) = static_entry(&message) {
            found.entry(message.header.ifindex).or_default().insert(mac);
        }
    }
    Ok(found)
}

/// Enters a MAC for a bridge port: it never ages, and frames from another port cannot move it there.
pub(super) async fn add(netlink: &Handle, port: u32, mac: Mac) -> Result<(), Error> {
    // NUD_NOARP is what `bridge fdb` calls static; NUD_PERMANENT would make the address the bridge's own.
    let request = netlink
        .neighbours()
        .add_bridge(port, &mac.0)
        .state(NeighbourState::Noarp)
        .flags(NeighbourFlags::Controller | NeighbourFlags::Sticky)
        .replace();
    let result = request.execute().await;
    result.map_err(|error| Error::Link {
        doing: "enter a forwarding entry for",
        link: port.to_string(),
        source: netlink::cause(error),
    })
}

/// The MAC of a bridge's static entry; `None` for learned ones and for the filters of network cards.
fn static_entry(message: &NeighbourMessage) -> Option<Mac> {
    let of_bridge =
        message.attributes.iter().any(|attribute| matches!(attribute, NeighbourAttribute::Controller(_)));
    if !of_bridge || message.header.state != NeighbourState::Noarp {
        return None;
    }
    message.attributes.iter().find_map(|attribute| {
        if let NeighbourAttribute::LinkLayerAddress(bytes) = attribute {
            bytes.as_slice().try_into().ok().map(Mac)
        } else {
            None
        }
    })
}
