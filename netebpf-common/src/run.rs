//! One packet at one hook: what the stages hand on to each other.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{
    abi::{Address, Config, Endpoint, EventKind, Flow, Hook, Port, Tuple, WayOut},
    admission::{Decision, Origin},
    conntrack::Known,
    dns::Question,
    parse::{ETHERNET_LENGTH, Frame, Quoted, Transport},
    tables::Tier,
    verdict::{FIRST_REASON, Outcome, Verdict},
};

/// Where and when a packet met a hook.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The device that the program is attached to.
    pub ifindex: u32,
    /// The device by which the packet came into this namespace; zero if the host made it.
    pub ingress: u32,
    /// What a netebpf program that saw the packet before has found.
    pub mark: Mark,
    /// The device carries IP packets without an Ethernet header.
    pub bare: bool,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub now: u64,
}

impl Arrival {
    /// Offset of the IP header.
    #[inline(always)]
    #[must_use]
    pub const fn ip_offset(&self) -> u32 {
        if self.bare { 0 } else { ETHERNET_LENGTH }
    }
}

/// What stays with a packet from one hook to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Mark {
    /// Nothing.
    None = 0,
    /// `from_container` saw it: its source is right, and the host stack is to have it.
    Checked = 1,
    /// It has been decided about for good, and translated.
    Decided = 2,
}

impl Mark {
    /// The mark of a packet that came to a hook marked `before` and passed, as the next hook is to find it.
    ///
    /// Who only lets it out of a device knows no better than the hook before: a bridge hands it on to a veth.
    #[inline(always)]
    #[must_use]
    pub const fn passed(hook: Hook, before: Self) -> Self {
        match hook {
            Hook::FromContainer => Self::Checked,
            Hook::ToContainer | Hook::ToBridge | Hook::ToNetdev => before,
            Hook::FromBridge | Hook::FromNetdev | Hook::Socket | Hook::FromResolver => Self::None,
        }
    }
}

/// An [`Arrival`], and who opened a flow of which what is known, as plain numbers.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Handed {
    now: u64,
    ifindex: u32,
    ingress: u32,
    mark: u8,
    bare: u8,
    origin: u8,
    known: u8,
    reserved: u32,
}

/// Everything a stage may use.
#[derive(Debug)]
pub struct Run<'a, P, T> {
    /// The packet.
    pub packet: &'a mut P,
    /// The tables.
    pub tables: &'a mut T,
    /// The engine's settings.
    pub config: &'a Config,
    /// What has been found out so far.
    pub workspace: &'a mut Workspace,
    /// Where and when.
    pub arrival: Arrival,
}

/// What has been found out about a packet so far.
///
/// Lies in a per-CPU map in the kernel, because a BPF program has 512 bytes of stack. Stages write a field before any
/// later stage reads it; nothing is left over from the packet before.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Workspace {
    /// The packet's entry in the flow table, as found or as made.
    pub flow: Flow,
    /// An entry while it is being made.
    pub entry: Flow,
    /// The packet's tuple: the key of `flow`, and the place of its addresses.
    pub tuple: Tuple,
    /// The key of the flow's other entry.
    pub other: Tuple,
    /// While a flow is decided about: the tuple of its first packet.
    pub original: Tuple,
    /// While a flow is decided about: the tuple of the answers.
    pub reply: Tuple,
    /// The way of the flow's packets.
    pub forward: WayOut,
    /// The way of the answers.
    pub backward: WayOut,
    /// The sandbox that the flow comes from.
    pub source: Endpoint,
    /// The sandbox that the flow goes to.
    pub target: Endpoint,
    /// While a flow is decided about: what was decided.
    pub decision: Decision,
    /// The packet's Ethernet and IP headers.
    pub frame: Frame,
    /// The packet's transport header.
    pub transport: Transport,
    /// Of an ICMP error: the packet that it is about.
    pub quoted: Quoted,
    /// Of a query: what is asked.
    pub question: Question,
    /// A [`Tier`]: where `flow` was found.
    tier: u32,
    /// The device by which the flow's first packets come in.
    pub ingress: u32,
    /// What was decided, for whoever traces a packet.
    pub outcome: Note,
    /// Where and when the packet came, and what is asked about its flow.
    handed: Handed,
    /// What the packet did to its flow: an [`EventKind`] counted from one, or zero.
    turn: u32,
    reserved: u32,
}

impl Workspace {
    /// Where `flow` was found.
    #[inline(always)]
    #[must_use]
    pub const fn tier(&self) -> Tier {
        if self.tier == Tier::Assured as u32 { Tier::Assured } else { Tier::Pending }
    }

    /// Hands the arrival on to the next step.
    #[inline(always)]
    pub const fn put_arrival(&mut self, arrival: &Arrival) {
        self.handed.now = arrival.now;
        self.handed.ifindex = arrival.ifindex;
        self.handed.ingress = arrival.ingress;
        self.handed.mark = arrival.mark as u8;
        self.handed.bare = arrival.bare as u8;
    }

    /// The arrival that the step before handed on.
    #[inline(always)]
    #[must_use]
    pub const fn arrival(&self) -> Arrival {
        let mark = match self.handed.mark {
            0 => Mark::None,
            1 => Mark::Checked,
            _ => Mark::Decided,
        };
        let Handed { now, ifindex, ingress, bare, .. } = self.handed;
        Arrival { ifindex, ingress, mark, bare: bare != 0, now }
    }

    /// Hands on what is to be decided: about a flow of which this is known, opened by whom.
    #[inline(always)]
    pub(crate) const fn ask(&mut self, origin: Origin, known: Known) {
        self.handed.origin = origin as u8;
        self.handed.known = known as u8;
    }

    /// Who opened the flow that is asked about.
    #[inline(always)]
    pub(crate) const fn origin(&self) -> Origin {
        match self.handed.origin {
            0 => Origin::Sandbox,
            1 => Origin::Outside,
            _ => Origin::Host,
        }
    }

    /// What is known about the flow that is asked about.
    #[inline(always)]
    pub(crate) const fn known(&self) -> Known {
        match self.handed.known {
            0 => Known::No,
            1 => Known::Yes,
            _ => Known::Half,
        }
    }

    /// What the packet did to its flow, if anything that is worth telling.
    #[inline(always)]
    #[must_use]
    pub const fn turn(&self) -> Option<EventKind> {
        const NEW: u32 = EventKind::FlowNew as u32 + 1;
        const END: u32 = EventKind::FlowEnd as u32 + 1;
        match self.turn {
            NEW => Some(EventKind::FlowNew),
            END => Some(EventKind::FlowEnd),
            _ => None,
        }
    }

    /// Notes that the packet began or ended its flow.
    #[inline(always)]
    pub const fn set_turn(&mut self, kind: EventKind) {
        self.turn = kind as u32 + 1;
    }

    /// Forgets what the packet before left, as far as no stage overwrites it before somebody reads it.
    #[inline(always)]
    pub(crate) const fn begin(&mut self) {
        self.turn = 0;
        self.transport.tcp_flags = 0;
        let (none, no_port) = (Address::UNSPECIFIED_V6, Port::from_wire(0));
        self.tuple = Tuple {
            source: none,
            destination: none,
            source_port: no_port,
            destination_port: no_port,
            protocol: 0,
        };
    }

    /// Notes where `flow` was found.
    #[inline(always)]
    pub const fn set_tier(&mut self, tier: Tier) {
        self.tier = tier as u32;
    }
}

/// A verdict as plain numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Note {
    /// Code of the [`crate::verdict::Outcome`].
    pub outcome: u32,
    /// The device that the packet goes to; zero if it is not redirected.
    pub ifindex: u32,
    /// For an uplink, to whom.
    pub next_hop: Address,
}

impl Note {
    /// Notes a verdict.
    #[inline(always)]
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        let outcome = verdict.outcome().code() as u32;
        match verdict {
            Verdict::Pass | Verdict::ToStack | Verdict::Drop(_) => {
                Self { outcome, ifindex: 0, next_hop: Address::UNSPECIFIED_V4 }
            }
            Verdict::ToSandbox { ifindex }
            | Verdict::Answered { ifindex }
            | Verdict::Resolved { ifindex }
            | Verdict::ToResolver { ifindex } => Self { outcome, ifindex, next_hop: Address::UNSPECIFIED_V4 },
            Verdict::ToUplink { ifindex, next_hop } => Self { outcome, ifindex, next_hop },
        }
    }
}

impl Note {
    /// The verdict that was noted.
    pub fn verdict(&self) -> Verdict {
        let Self { ifindex, next_hop, .. } = *self;
        match Outcome::from_code(self.outcome_code()) {
            Some(Outcome::ToSandbox) => Verdict::ToSandbox { ifindex },
            Some(Outcome::ToUplink) => Verdict::ToUplink { ifindex, next_hop },
            Some(Outcome::Answered) => Verdict::Answered { ifindex },
            Some(Outcome::Resolved) => Verdict::Resolved { ifindex },
            Some(Outcome::ToResolver) => Verdict::ToResolver { ifindex },
            Some(Outcome::ToStack) => Verdict::ToStack,
            Some(Outcome::Dropped(reason)) => Verdict::Drop(reason),
            Some(Outcome::Passed | Outcome::Translated) | None => Verdict::Pass,
        }
    }

    /// The number of the outcome (see [`crate::verdict::Outcome::code`]).
    #[inline(always)]
    #[must_use]
    pub const fn outcome_code(&self) -> u8 {
        let [code, ..] = self.outcome.to_le_bytes();
        code
    }

    /// Whether the packet was dropped.
    #[inline(always)]
    #[must_use]
    pub const fn is_drop(&self) -> bool {
        self.outcome >= FIRST_REASON as u32
    }
}

impl Default for Workspace {
    fn default() -> Self {
        zerocopy::FromZeros::new_zeroed()
    }
}
