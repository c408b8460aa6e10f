//! When have the host's routes to be read again? Every pass asks for their digest, and a full table of the Internet has a
//! million of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use ipnet::IpNet;
use rtnetlink::Handle;

use super::{Error, Link, LinkRole, routes, watch::Notices};

/// A reading that takes longer is not repeated at once.
const LONG: Duration = Duration::from_millis(100);
/// How many times as long as it took such a reading is good for; a table that changes all the time then costs a tenth of
/// a CPU at most.
const REST: u32 = 10;

/// The digest of the host's routes as they were read last.
#[derive(Debug, Default)]
pub(super) struct RouteDigest(Option<Reading>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    digest: u32,
    /// The last notice before it.
    notice: Option<u64>,
    uplinks: Uplinks,
    /// Until when notices are no reason for another.
    rest: Instant,
}

/// Links of others by index: whether each is up, and its addresses. The kernel tells of no IPv4 route that goes with its
/// link or address.
type Uplinks = BTreeMap<u32, (bool, BTreeSet<IpNet>)>;

impl RouteDigest {
    /// The digest of the routes as they are, among these links; read only if they may have changed since the last time.
    pub(super) async fn now(
        &mut self,
        netlink: &Handle,
        notices: &Notices,
        links: &BTreeMap<u32, Link>,
    ) -> Result<u32, Error> {
        // Before the routes: what changes while they are read makes another reading necessary.
        let notice = notices.last_of_routes();
        let uplinks = uplinks(links);
        let begin = Instant::now();
        if let Some(reading) = &self.0
            && reading.serves(notice, &uplinks, begin)
        {
            return Ok(reading.digest);
        }
        let digest = routes::digest(netlink, &bridges(links)).await?;
        let rest = rest(begin, Instant::now());
        self.0 = Some(Reading { digest, notice, uplinks, rest });
        Ok(digest)
    }
}

impl Reading {
    fn serves(&self, notice: Option<u64>, uplinks: &Uplinks, now: Instant) -> bool {
        let is_current = notice.is_some() && self.notice == notice;
        self.uplinks == *uplinks && (is_current || now < self.rest)
    }
}

fn rest(begin: Instant, end: Instant) -> Instant {
    let took = end.duration_since(begin);
    if took > LONG { end + took * REST } else { end }
}

fn uplinks(links: &BTreeMap<u32, Link>) -> Uplinks {
    let of_others = links.iter().filter(|(_, link)| match link.role {
        LinkRole::Bridge(_) | LinkRole::Veth(_) | LinkRole::Resolver => false,
        LinkRole::Loopback | LinkRole::Netdev | LinkRole::Other => true,
    });
    of_others.map(|(&index, link)| (index, (link.up, link.addresses.clone()))).collect()
}

/// Indices of bridges of ours: where their subnets lead is no news.
fn bridges(links: &BTreeMap<u32, Link>) -> BTreeSet<u32> {
    let ours = links.iter().filter(|(_, link)| matches!(link.role, LinkRole::Bridge(_)));
    ours.map(|(&index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(took: Duration) -> (Reading, Instant) {
        let begin = Instant::now();
        let end = begin + took;
        let reading = Reading { digest: 1, notice: Some(7), uplinks: eth0(true), rest: rest(begin, end) };
        (reading, end)
    }

    fn eth0(is_up: bool) -> Uplinks {
        [(2, (is_up, BTreeSet::new()))].into()
    }

    #[test]
    fn routes_are_read_again_after_a_notice_and_only_then() {
        let (reading, end) = reading(Duration::from_millis(1));
        assert!(reading.serves(Some(7), &eth0(true), end + Duration::from_hours(1)));
        assert!(!reading.serves(Some(8), &eth0(true), end));
        assert!(!reading.serves(None, &eth0(true), end), "nobody listens");
        let unheard = Reading { notice: None, ..reading };
        assert!(!unheard.serves(None, &eth0(true), end), "nobody has listened either");
    }

    #[test]
    fn a_change_of_an_uplink_needs_no_notice() {
        let (reading, end) = reading(Duration::from_secs(2));
        assert!(!reading.serves(Some(7), &eth0(false), end));
        assert!(!reading.serves(Some(7), &Uplinks::new(), end));
    }

    #[test]
    fn a_large_table_that_changes_all_the_time_is_read_a_tenth_of_the_time() {
        let (reading, end) = reading(Duration::from_secs(2));
        assert!(reading.serves(Some(8), &eth0(true), end + Duration::from_secs(19)));
        assert!(!reading.serves(Some(8), &eth0(true), end + Duration::from_secs(20)));
    }
}
