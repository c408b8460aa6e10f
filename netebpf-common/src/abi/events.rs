//! What happened to single packets: told when somebody asks, counted always.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Hook, Mac, Port, Tuple};

/// Which packets are told of; the only value of the `EVENT_FILTER` array. All zeroes: none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct EventFilter {
    /// Source or destination address; `::` for any.
    pub address: Address,
    /// Tell of one dropped packet in this many; zero for none.
    pub drops: u32,
    /// Tell of one new or ended flow in this many; zero for none.
    pub flows: u32,
    /// Index of the device; zero for any.
    pub ifindex: u32,
    /// Code of the [`crate::verdict::Outcome`]; [`EventFilter::ANY`] for any.
    pub outcome: u32,
    /// Source or destination port; zero for any.
    pub port: Port,
    /// IP protocol; zero for any.
    pub protocol: u8,
    reserved: u8,
}

impl EventFilter {
    /// Matches every outcome.
    pub const ANY: u32 = u32::MAX;

    /// A filter that matches every packet; `drops` and `flows` as in the fields.
    #[must_use]
    pub fn everything(drops: u32, flows: u32) -> Self {
        Self { drops, flows, outcome: Self::ANY, ..Self::default() }
    }
}

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum EventKind {
    /// A packet was dropped.
    Drop = 0,
    /// A flow began with this packet.
    FlowNew = 1,
    /// A flow ended with this packet.
    FlowEnd = 2,
}

/// One packet's story.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Event {
    /// When, in nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// Who to whom, as the packet arrived; all zeroes where it has no addresses. Ports only if they were read.
    pub tuple: Tuple,
    /// The device that the packet met the program at.
    pub ifindex: u32,
    /// Bytes, Ethernet header included.
    pub length: u32,
    /// From whom the frame came.
    pub source_mac: Mac,
    /// To whom the frame goes.
    pub destination_mac: Mac,
    /// What the frame carries, as it lies in memory.
    pub ethertype: u16,
    hook: u8,
    /// Code of the [`crate::verdict::Outcome`].
    pub outcome: u8,
    kind: u8,
    /// TCP flags, if they were read.
    pub tcp_flags: u8,
    reserved: [u8; 6],
}

/// Instead of a hook's number.
const NOWHERE: u8 = u8::MAX;

impl Event {
    /// An event without a packet's details.
    #[inline(always)]
    #[must_use]
    pub fn new(kind: EventKind, hook: Hook, outcome: u8) -> Self {
        Self { kind: kind as u8, hook: hook as u8, outcome, ..zerocopy::FromZeros::new_zeroed() }
    }

    /// A flow ended without a packet: nobody had used it for too long.
    #[inline(always)]
    #[must_use]
    pub fn timed_out(time: u64, tuple: Tuple) -> Self {
        let mut event = Self::new(EventKind::FlowEnd, Hook::Socket, 0);
        event.hook = NOWHERE;
        event.time = time;
        event.tuple = tuple;
        event
    }

    /// Where the packet was; `None` if there was none.
    #[must_use]
    pub fn hook(&self) -> Option<Hook> {
        Hook::ALL.get(usize::from(self.hook)).copied()
    }

    /// What the event is about; `None` for a number that no program writes.
    #[must_use]
    pub const fn kind(&self) -> Option<EventKind> {
        match self.kind {
            0 => Some(EventKind::Drop),
            1 => Some(EventKind::FlowNew),
            2 => Some(EventKind::FlowEnd),
            _ => None,
        }
    }
}

/// What drops are counted by, besides the hook's own counters.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct DropKey {
    /// The device that the packet met the program at.
    pub ifindex: u32,
    hook: u8,
    /// Code of the [`crate::verdict::Outcome`].
    pub outcome: u8,
    reserved: u16,
}

impl DropKey {
    /// The key of an outcome at a device and hook.
    #[inline(always)]
    #[must_use]
    pub const fn new(ifindex: u32, hook: Hook, outcome: u8) -> Self {
        Self { ifindex, hook: hook as u8, outcome, reserved: 0 }
    }

    /// Where the packet was; `None` for a number that no program writes.
    #[must_use]
    pub fn hook(&self) -> Option<Hook> {
        Hook::ALL.get(usize::from(self.hook)).copied()
    }
}
