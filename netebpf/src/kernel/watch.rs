//! Notices that links, addresses, routes or filters of the host's namespace have changed.

use std::{
    collections::BTreeSet,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{Stream, StreamExt as _};
use rtnetlink::{
    MulticastGroup, new_multicast_connection,
    packet_core::NetlinkPayload,
    packet_route::{RouteNetlinkMessage, link::LinkFlags},
};

use super::{Error, doubt::Doubt, routes};

const GROUPS: [MulticastGroup; 6] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
    MulticastGroup::Tc,
];

/// What the kernel has told of since it was last asked for.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    /// Counts those that may be about routes of the main table: as long as there is no other, they are as they were.
    routes: Arc<AtomicU64>,
    links: Arc<Mutex<Heard>>,
}

/// Links that were told of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// All of them.
    pub(super) links: Doubt<u32>,
    /// Those that were without carrier in between: a veth's other side was down, and has lost its routes.
    pub(super) interrupted: BTreeSet<u32>,
}

impl Default for Heard {
    fn default() -> Self {
        Self { links: Doubt::Everything, interrupted: BTreeSet::new() }
    }
}

/// Stands in place of a count while nobody listens.
const DEAF: u64 = 0;

impl Notices {
    /// The number of the last notice about routes; `None` while nobody listens to the kernel.
    pub(super) fn last_of_routes(&self) -> Option<u64> {
        Some(self.routes.load(Ordering::Acquire)).filter(|count| *count != DEAF)
    }

    /// The links that were told of since the last call; all of them while nobody listens to the kernel.
    pub(super) fn take_links(&self) -> Heard {
        if self.last_of_routes().is_none() {
            return Heard::default();
        }
        let mut heard = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        Heard { links: heard.links.take(), interrupted: mem::take(&mut heard.interrupted) }
    }

    fn add(&self, links: Doubt<u32>, interrupted: Option<u32>) {
        let mut heard = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        heard.links.merge(links);
        heard.interrupted.extend(interrupted);
    }
}

/// Listens for as long as it lives.
struct Listener(Notices);

impl Listener {
    fn new(notices: Notices) -> Self {
        // What changed before is not known.
        notices.add(Doubt::Everything, None);
        notices.routes.store(DEAF + 1, Ordering::Release);
        Self(notices)
    }

    fn hear(&self, payload: &NetlinkPayload<RouteNetlinkMessage>) {
        if may_be_about_routes(payload) {
            self.0.routes.fetch_add(1, Ordering::AcqRel);
        }
        self.0.add(links_in(payload), interrupted_in(payload));
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.routes.store(DEAF, Ordering::Release);
    }
}

/// One item for each change, of whatever kind; what it was about is added to `notices` before.
///
/// Changes are seen from the call on, so open it before the first observation. When the kernel drops messages because
/// the reader was slow, that is an item too.
pub fn events(notices: Notices) -> Result<impl Stream<Item = ()> + Send + Unpin + use<>, Error> {
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

/// The link that a message is about; all of them if it says that others were lost.
fn links_in(payload: &NetlinkPayload<RouteNetlinkMessage>) -> Doubt<u32> {
    let NetlinkPayload::InnerMessage(message) = payload else { return Doubt::Everything };
    #[expect(clippy::wildcard_enum_match_arm, reason = "netlink has some hundred kinds of messages")]
    let index = match message {
        RouteNetlinkMessage::NewLink(link) | RouteNetlinkMessage::DelLink(link) => link.header.index,
        RouteNetlinkMessage::NewAddress(address) | RouteNetlinkMessage::DelAddress(address) => {
            address.header.index
        }
        RouteNetlinkMessage::DelQueueDiscipline(traffic) | RouteNetlinkMessage::DelTrafficFilter(traffic) => {
            traffic.header.index.cast_unsigned()
        }
        _ => return Doubt::none(),
    };
    Doubt::Of([index].into())
}

/// The link that a message says is without carrier.
fn interrupted_in(payload: &NetlinkPayload<RouteNetlinkMessage>) -> Option<u32> {
    let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) = payload else { return None };
    (!link.header.flags.contains(LinkFlags::LowerUp)).then_some(link.header.index)
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

    fn about_link(index: u32, flags: LinkFlags) -> NetlinkPayload<RouteNetlinkMessage> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        link.header.flags = flags;
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link))
    }

    #[test]
    fn routes_of_the_main_table_and_lost_messages_are_notices() {
        let notices = Notices::default();
        assert_eq!(notices.last_of_routes(), None);
        let listener = Listener::new(notices.clone());
        let mut heard = vec![notices.last_of_routes()];
        for payload in [
            about(RouteHeader::RT_TABLE_MAIN),
            NetlinkPayload::Overrun(Vec::new()),
            about(LOCAL),
            about_link(7, LinkFlags::LowerUp),
        ] {
            listener.hear(&payload);
            heard.push(notices.last_of_routes());
        }
        assert_eq!(heard, [1, 2, 3, 3, 3].map(Some));
        drop(listener);
        assert_eq!(notices.last_of_routes(), None);
    }

    #[test]
    fn links_are_told_of_once_and_doubted_while_nobody_listens() {
        let notices = Notices::default();
        let taken = || {
            let Heard { links, interrupted } = notices.take_links();
            (links, interrupted.into_iter().collect::<Vec<_>>())
        };
        let everything = || (Doubt::Everything, Vec::new());
        assert_eq!(taken(), everything());
        let listener = Listener::new(notices.clone());
        assert_eq!(taken(), everything(), "it has changed before");
        assert_eq!(taken(), (Doubt::none(), Vec::new()));
        let (carrier, none) = (LinkFlags::LowerUp, LinkFlags::Up);
        for payload in [
            about_link(7, carrier),
            about(LOCAL),
            about_link(9, none),
            about_link(7, carrier),
            about_link(9, carrier),
        ] {
            listener.hear(&payload);
        }
        assert_eq!(taken(), (Doubt::Of([7, 9].into()), vec![9]));
        listener.hear(&NetlinkPayload::Overrun(Vec::new()));
        assert_eq!(taken(), everything());
        drop(listener);
        assert_eq!(taken(), everything());
    }
}
