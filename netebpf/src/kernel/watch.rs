//! Notices that links, addresses or routes of the host's namespace have changed.

use futures::{Stream, StreamExt as _};
use rtnetlink::{MulticastGroup, new_multicast_connection};

use super::Error;

const GROUPS: [MulticastGroup; 5] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
];

/// One item for each change, of whatever kind: the reader looks at everything anyway.
///
/// Changes are seen from the call on, so open it before the first observation. When the kernel drops messages because
/// the reader was slow, that is an item too.
pub fn events() -> Result<impl Stream<Item = ()> + Send + Unpin + use<>, Error> {
    let (connection, handle, messages) = new_multicast_connection(&GROUPS)
        .map_err(|source| Error::System { doing: "watch the links of this network namespace", source })?;
    tokio::spawn(connection);
    // The connection serves as long as a handle exists.
    Ok(messages.map(move |_| drop(handle.clone())))
}
