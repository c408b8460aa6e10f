//! Conntrack: two entries for each flow, one keyed by the packets of each direction as they arrive.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Address, Mac, Port};

/// What identifies one direction of a flow. For ICMP echo the identifier stands as the source port of requests
/// and as the destination port of replies, so a request never matches a reply's entry.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Tuple {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Source port.
    pub source_port: Port,
    /// Destination port.
    pub destination_port: Port,
    /// IP protocol; a word, so that the key has no padding.
    pub protocol: u32,
}

impl Tuple {
    /// The tuple of the packets that answer this one.
    #[inline(always)]
    #[must_use]
    pub const fn mirrored(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            protocol: self.protocol,
        }
    }
}

/// What a packet's addresses and ports become.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Translation {
    /// New source address.
    pub source: Address,
    /// New destination address.
    pub destination: Address,
    /// New source port.
    pub source_port: Port,
    /// New destination port.
    pub destination_port: Port,
    /// One's complement sum of the change of both addresses (RFC 1624), ready for the checksum helpers.
    pub address_delta: u32,
    /// The same for both ports.
    pub port_delta: u32,
}

/// How a packet of the flow goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Way {
    /// Into the sandbox behind `ifindex`.
    Sandbox = 1,
    /// Out of the host device `ifindex` towards `next_hop`.
    Uplink = 2,
    /// Wherever the host stack takes it: a flow of the host's own.
    Stack = 3,
    /// To the name server, by the device `ifindex`; never in a table.
    Resolver = 4,
}

/// The way out of a flow's packets, decided once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct WayOut {
    /// For an uplink: the neighbour to send to.
    pub next_hop: Address,
    /// The host-side veth or the uplink.
    pub ifindex: u32,
    /// For a sandbox: the MAC of its side.
    pub destination_mac: Mac,
    /// For a sandbox: the MAC of its network's bridge.
    pub source_mac: Mac,
    /// The longest packet that fits, IP header included; not asked for when the way leads into a sandbox.
    pub mtu: u32,
    /// A [`Way`].
    way: u8,
    reserved: [u8; 3],
}

impl WayOut {
    /// No way at all, before one is set.
    const NONE: Self = Self {
        next_hop: Address::UNSPECIFIED_V4,
        ifindex: 0,
        destination_mac: Mac([0; 6]),
        source_mac: Mac([0; 6]),
        mtu: 0,
        way: 0,
        reserved: [0; 3],
    };

    /// Into a sandbox.
    #[inline(always)]
    #[must_use]
    pub const fn sandbox(ifindex: u32, destination_mac: Mac, source_mac: Mac) -> Self {
        let mut way = Self::NONE;
        way.set_sandbox(ifindex, destination_mac, source_mac);
        way
    }

    /// Out of an uplink.
    #[inline(always)]
    #[must_use]
    pub const fn uplink(ifindex: u32, next_hop: Address, mtu: u32) -> Self {
        let mut way = Self::NONE;
        way.set_uplink(ifindex, next_hop, mtu);
        way
    }

    /// Makes this the way into a sandbox; in place, because a BPF stack has no room for it.
    #[inline(always)]
    pub const fn set_sandbox(&mut self, ifindex: u32, destination_mac: Mac, source_mac: Mac) {
        self.next_hop = Address::UNSPECIFIED_V4;
        self.ifindex = ifindex;
        self.destination_mac = destination_mac;
        self.source_mac = source_mac;
        self.mtu = u32::MAX;
        self.way = Way::Sandbox as u8;
        self.reserved = [0; 3];
    }

    /// Makes this the way out of an uplink.
    #[inline(always)]
    pub const fn set_uplink(&mut self, ifindex: u32, next_hop: Address, mtu: u32) {
        self.next_hop = next_hop;
        self.ifindex = ifindex;
        self.destination_mac = Mac([0; 6]);
        self.source_mac = Mac([0; 6]);
        self.mtu = mtu;
        self.way = Way::Uplink as u8;
        self.reserved = [0; 3];
    }

    /// Makes this the host stack's own way.
    #[inline(always)]
    pub const fn set_stack(&mut self) {
        self.set_uplink(0, Address::UNSPECIFIED_V4, 0);
        self.way = Way::Stack as u8;
    }

    /// Makes this the way to the name server.
    #[inline(always)]
    pub const fn set_resolver(&mut self, ifindex: u32, destination_mac: Mac, source_mac: Mac) {
        self.set_sandbox(ifindex, destination_mac, source_mac);
        self.way = Way::Resolver as u8;
    }

    /// Which kind of way this is; `None` for a value that no pipeline wrote.
    #[inline(always)]
    #[must_use]
    pub const fn way(&self) -> Option<Way> {
        match self.way {
            1 => Some(Way::Sandbox),
            2 => Some(Way::Uplink),
            3 => Some(Way::Stack),
            4 => Some(Way::Resolver),
            _ => None,
        }
    }
}

/// Which of a flow's two entries this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Direction {
    /// Packets as the first one went.
    Original = 0,
    /// Packets that answer.
    Reply = 1,
}

/// How far a flow has come; the same in both entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FlowState {
    /// No answer seen.
    Unreplied = 0,
    /// Both directions seen.
    Established = 1,
    /// TCP: the side that opened has sent its FIN.
    OriginalClosed = 2,
    /// TCP: the side that answered has sent its FIN.
    ReplyClosed = 3,
    /// TCP: both FINs seen.
    Closed = 4,
    /// TCP: a RST seen; traffic that goes on regardless proves it spurious.
    Reset = 5,
}

impl FlowState {
    /// The state with this number; anything unknown counts as closed.
    #[inline(always)]
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Unreplied,
            1 => Self::Established,
            2 => Self::OriginalClosed,
            3 => Self::ReplyClosed,
            5 => Self::Reset,
            _ => Self::Closed,
        }
    }
}

/// One direction of a flow: what was decided for it, and what has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Flow {
    /// When the last packet passed, in nanoseconds of `CLOCK_MONOTONIC`.
    pub last_seen: u64,
    /// Packets of this direction.
    pub packets: u64,
    /// Bytes of this direction, link header included.
    pub bytes: u64,
    /// What the packets become.
    pub translation: Translation,
    /// Where they go.
    pub way_out: WayOut,
    /// [`super::Config::epoch`] under which this was decided.
    pub epoch: u32,
    direction: u8,
    state: u8,
    reserved: [u8; 6],
}

impl Flow {
    /// A flow's entry as its first packet makes it.
    #[inline(always)]
    #[must_use]
    pub fn new(
        direction: Direction,
        translation: Translation,
        way_out: WayOut,
        epoch: u32,
        now: u64,
    ) -> Self {
        let mut flow = Self { translation, ..zerocopy::FromZeros::new_zeroed() };
        flow.begin(direction, &way_out, epoch, now);
        flow
    }

    /// Makes an entry what [`Flow::new`] returns, but for its translation; in place, because a BPF stack has no room for it.
    #[inline(always)]
    pub const fn begin(&mut self, direction: Direction, way_out: &WayOut, epoch: u32, now: u64) {
        self.last_seen = now;
        self.packets = 0;
        self.bytes = 0;
        self.way_out = *way_out;
        self.epoch = epoch;
        self.direction = direction as u8;
        self.state = FlowState::Unreplied as u8;
        self.reserved = [0; 6];
    }

    /// Which direction this entry is for.
    #[inline(always)]
    #[must_use]
    pub const fn direction(&self) -> Direction {
        if self.direction == Direction::Original as u8 { Direction::Original } else { Direction::Reply }
    }

    /// How far the flow has come.
    #[inline(always)]
    #[must_use]
    pub const fn state(&self) -> FlowState {
        FlowState::from_code(self.state)
    }

    /// Sets how far the flow has come.
    #[inline(always)]
    pub const fn set_state(&mut self, state: FlowState) {
        self.state = state as u8;
    }
}
