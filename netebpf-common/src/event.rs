//! Is anybody told of this packet, and what?
//!
//! Programs fill an [`Event`] in and ask [`select`] whether somebody wants it; the daemon asks the same function again
//! for each of its followers, because the kernel has one filter for all of them.

use crate::abi::{Address, Event, EventFilter, EventKind, Hook, Mac, Port, Tuple};

/// What a program knows of a packet when it has decided about it.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// Where the packet was.
    pub hook: Hook,
    /// Code of the [`crate::verdict::Outcome`].
    pub outcome: u8,
    /// The device that the packet met the program at.
    pub ifindex: u32,
    /// Bytes, Ethernet header included.
    pub length: u32,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub now: u64,
    /// Who to whom, as the packet arrived; all zeroes where it has no addresses, ports only if they were read.
    pub tuple: &'a Tuple,
    /// From whom the frame came.
    pub source_mac: &'a Mac,
    /// To whom the frame goes.
    pub destination_mac: &'a Mac,
    /// What the frame carries, as it lies in memory.
    pub ethertype: u16,
    /// TCP flags, if they were read.
    pub tcp_flags: u8,
}

impl Sighting<'_> {
    /// Writes the sighting down as an event.
    #[inline(always)]
    pub fn fill(&self, event: &mut Event, kind: EventKind) {
        *event = Event::new(kind, self.hook, self.outcome);
        event.time = self.now;
        event.tuple = *self.tuple;
        event.ifindex = self.ifindex;
        event.length = self.length;
        event.source_mac = *self.source_mac;
        event.destination_mac = *self.destination_mac;
        event.ethertype = self.ethertype;
        event.tcp_flags = self.tcp_flags;
    }
}

/// How many events of a kind there are for each one that is told; zero if none is.
#[inline(always)]
#[must_use]
pub const fn interval(filter: &EventFilter, kind: EventKind) -> u32 {
    match kind {
        EventKind::Drop => filter.drops,
        EventKind::FlowNew | EventKind::FlowEnd => filter.flows,
    }
}

/// Whether the filter lets an event through; `random` decides which ones of a sample are told.
#[inline(always)]
#[must_use]
pub fn select(filter: &EventFilter, event: &Event, random: u32) -> bool {
    let Some(kind) = event.kind() else { return false };
    random.checked_rem(interval(filter, kind)) == Some(0) && matches(filter, event)
}

/// Whether an event is of the sort that the filter describes, sampling aside.
#[inline(always)]
#[must_use]
pub fn matches(filter: &EventFilter, event: &Event) -> bool {
    let (tuple, any) = (&event.tuple, Address::UNSPECIFIED_V6);
    let address =
        filter.address == any || filter.address == tuple.source || filter.address == tuple.destination;
    let (port, none) = (filter.port.wire(), 0);
    let port = port == none || port == tuple.source_port.wire() || port == tuple.destination_port.wire();
    let protocol = filter.protocol == 0 || u32::from(filter.protocol) == tuple.protocol;
    let device = filter.ifindex == 0 || filter.ifindex == event.ifindex;
    let outcome = filter.outcome == EventFilter::ANY || filter.outcome == u32::from(event.outcome);
    address && port && protocol && device && outcome
}

/// The narrowest filter that lets through whatever any of the given ones does; all zeroes for none.
///
/// Where filters sample differently, every event passes, and each follower takes its own sample.
#[must_use]
pub fn union(filters: impl IntoIterator<Item = EventFilter>) -> EventFilter {
    let wanted = filters.into_iter().filter(|filter| filter.drops != 0 || filter.flows != 0);
    wanted.reduce(|a, b| widen(&a, &b)).unwrap_or_default()
}

fn widen(a: &EventFilter, b: &EventFilter) -> EventFilter {
    let mut both = *a;
    both.address = shared(a.address, b.address, Address::UNSPECIFIED_V6);
    both.drops = common_interval(a.drops, b.drops);
    both.flows = common_interval(a.flows, b.flows);
    both.ifindex = shared(a.ifindex, b.ifindex, 0);
    both.outcome = shared(a.outcome, b.outcome, EventFilter::ANY);
    both.port = shared(a.port, b.port, Port::default());
    both.protocol = shared(a.protocol, b.protocol, 0);
    both
}

fn shared<T: PartialEq + Copy>(a: T, b: T, any: T) -> T {
    if a == b { a } else { any }
}

const fn common_interval(a: u32, b: u32) -> u32 {
    match (a, b) {
        (0, interval) | (interval, 0) => interval,
        (a, b) if a == b => a,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
