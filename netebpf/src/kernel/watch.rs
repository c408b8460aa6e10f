//! Notices that links, addresses or routes of the host's namespace have changed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::{Stream, StreamExt as _};
use rtnetlink::{
    MulticastGroup, new_multicast_connection, packet_core::NetlinkPayload, packet_route::RouteNetlinkMessage,
};

use super::{Error, routes};

const GROUPS: [MulticastGroup; 5] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
];

/// Counts notices that may be about routes of the main table: as long as there is no other, they are as they were.
#[derive(Debug, Clone, Default)]
pub struct RouteNotices(Arc<AtomicU64>);

/// Stands in place of a count while nobody listens.
const DEAF: u64 = 0;

impl RouteNotices {
    /// The number of the last notice; `None` while nobody listens to the kernel.
    pub(super) fn last(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|count| *count != DEAF)
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Listens for as long as it lives.
struct Listener(RouteNotices);

impl Listener {
    fn new(notices: RouteNotices) -> Self {
        notices.0.store(DEAF + 1, Ordering::Release);
        Self(notices)
    }

    fn hear(&self, payload: &NetlinkPayload<RouteNetlinkMessage>) {
        if may_be_about_routes(payload) {
            self.0.add();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.0.store(DEAF, Ordering::Release);
    }
}

/// One item for each change, of whatever kind: the reader looks at everything anyway, except at routes, of which there may
/// be many; about those it asks `notices`.
///
/// Changes are seen from the call on, so open it before the first observation. When the kernel drops messages because
/// the reader was slow, that is an item too.
pub fn events(notices: RouteNotices) -> Result<impl Stream<Item = ()> + Send + Unpin + use<>, Error> {
    let (connection, handle, messages) = new_multicast_connection(&GROUPS)
        .map_err(|source| Error::System { doing: "watch the links of this network namespace", source })?;
    tokio::spawn(connection);
    let listener = Listener::new(notices);
    Ok(messages.map(move |(message, _)| {
        // The connection serves as long as a handle exists.
        let _handle = &handle;
        listener.hear(&message.payload);
    }))
}

/// Whether a message is about a route of the main table, or says that others were lost.
fn may_be_about_routes(payload: &NetlinkPayload<RouteNetlinkMessage>) -> bool {
    let NetlinkPayload::InnerMessage(message) = payload else { return true };
    #[expect(clippy::wildcard_enum_match_arm, reason = "netlink has some hundred kinds of messages")]
    match message {
        RouteNetlinkMessage::NewRoute(route) | RouteNetlinkMessage::DelRoute(route) => routes::is_main(route),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_route::{
        link::LinkMessage,
        route::{RouteHeader, RouteMessage},
    };

    use super::*;

    /// Holds the host's own addresses (`RT_TABLE_LOCAL`).
    const LOCAL: u8 = 255;

    fn about(table: u8) -> NetlinkPayload<RouteNetlinkMessage> {
        let mut route = RouteMessage::default();
        route.header.table = table;
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route))
    }

    #[test]
    fn routes_of_the_main_table_and_lost_messages_are_notices() {
        let notices = RouteNotices::default();
        assert_eq!(notices.last(), None);
        let listener = Listener::new(notices.clone());
        let mut heard = vec![notices.last()];
        for payload in [
            about(RouteHeader::RT_TABLE_MAIN),
            NetlinkPayload::Overrun(Vec::new()),
            about(LOCAL),
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(LinkMessage::default())),
        ] {
            listener.hear(&payload);
            heard.push(notices.last());
        }
        assert_eq!(heard, [1, 2, 3, 3, 3].map(Some));
        drop(listener);
        assert_eq!(notices.last(), None);
    }
}
