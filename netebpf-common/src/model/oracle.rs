//! What may happen to a packet at all, said without the pipeline: from the rules, and from what was forwarded before.
//!
//! A forwarded packet opens a flow that the rules allow, answers one that was forwarded to where it comes from, reports an
//! error about such a one, or is the rest of a packet whose beginning was forwarded. Anything else is a leak.

use core::net::IpAddr;
use std::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
};

use super::{
    FrameSpec, Origin, Rules, Segment, World,
    rules::{PUBLISHED, Published},
};
use crate::abi::{EndpointFlags, Family, protocol};

type End = (IpAddr, u16);

/// A packet's place in a conversation: from whom, to whom, by which protocol, and whether it is an ICMP query.
type Talk = (End, End, u8, bool);

/// One end of what happened to a packet: where it was, its addresses, its protocol.
type Way = (Origin, IpAddr, IpAddr, u8);

/// What has been forwarded under which rules.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    rules: Rules,
    /// What may come back from where, and to whom it goes as what.
    answers: BTreeSet<((Origin, Talk), (Origin, Talk))>,
    /// What packets of either direction became last.
    current: BTreeMap<(Origin, Talk), (Origin, Talk)>,
    /// A fragment that begins later has begun a flow, whose ports are not known here.
    blurred: bool,
    /// Between which addresses packets went and came back, as what: all that can be told of a later fragment.
    ways: BTreeSet<(Way, Way)>,
}

impl Oracle {
    /// An oracle of a world with these rules through which nothing has passed.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Other rules are in force.
    pub fn change(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Judges that `sent`, from `from`, was forwarded to `to` as `got`; an error says what is wrong.
    pub fn judge(
        &mut self,
        from: Origin,
        sent: &FrameSpec,
        to: Origin,
        got: &FrameSpec,
    ) -> Result<(), String> {
        let verdict = match (sent.piece.offset, is_error(sent)) {
            (0, false) => self.judge_packet(from, sent, to, got),
            (0, true) => self.judge_error(from, sent, to, got),
            _ => self.judge_part(from, sent, to, got),
        };
        verdict.map_err(|fault| {
            format!("{fault}: {from:?} {sent:?} became {to:?} {got:?} under {:?}", self.rules)
        })
    }

    fn judge_packet(
        &mut self,
        from: Origin,
        sent: &FrameSpec,
        to: Origin,
        got: &FrameSpec,
    ) -> Result<(), &'static str> {
        let (before, after) = (talk(sent), talk(got));
        if before.2 != after.2 || sent.payload != got.payload {
            return Err("more than ends has changed");
        }
        let within = same_network(from, to) && before == after;
        if within {
            // What stays in a network is no flow; links open ports in it.
            return if self.may_talk_within(from, sent) { Ok(()) } else { Err("a leak within a network") };
        }
        let known = self.answers.contains(&((from, before), (to, after)));
        let roughly = self.blurred && self.ways.contains(&(way(from, sent), way(to, got)));
        if !known && !roughly && !self.may_open(from, sent, to, got) {
            return Err("a leak");
        }
        if self.is_internal(from) != self.is_internal(to) {
            return Err("something crosses the border of an internal network");
        }
        let (answer, answered) = ((to, mirrored(after)), (from, mirrored(before)));
        self.answers.insert((answer, answered));
        self.current.insert(answer, answered);
        self.current.insert((from, before), (to, after));
        let (out, arrived) = (way(from, sent), way(to, got));
        self.ways.insert((out, arrived));
        self.ways.insert((turned(arrived), turned(out)));
        Ok(())
    }

    /// An error may go to who sent the packet that it is about, if that reached who reports.
    fn judge_error(
        &self,
        from: Origin,
        sent: &FrameSpec,
        to: Origin,
        got: &FrameSpec,
    ) -> Result<(), &'static str> {
        if same_network(from, to) && (sent.source, sent.destination) == (got.source, got.destination) {
            let may = self.has_icc(from) || self.may_report_within(from, sent);
            return if may { Ok(()) } else { Err("a leak within a network") };
        }
        let about = quoted(sent).ok_or("an error about nothing")?;
        let told = quoted(got).ok_or("an error made into one about nothing")?;
        let (about, told) = (mirrored(about), mirrored(told));
        // A router on the way may report in place of who was sent the packet.
        let places = match from {
            Origin::Sandbox(_) => [from; 2],
            Origin::Outside | Origin::Machine => [Origin::Outside, Origin::Machine],
        };
        let exact = places.iter().any(|at| self.current.get(&(*at, about)) == Some(&(to, told)));
        // A fragment may have begun the flow anew, of which the ports are not known here.
        let roughly = places.iter().any(|at| self.ways.contains(&(rough(*at, about), rough(to, told))));
        // A packet on its last hop begins a flow, and is not forwarded.
        let own = to == Origin::Outside && sent.source == about.0.0 && got.source == told.0.0;
        let right = (exact || roughly || own && !self.is_internal(from)) && got.destination == told.1.0;
        if right { Ok(()) } else { Err("an error told to somebody else") }
    }

    fn judge_part(
        &mut self,
        from: Origin,
        sent: &FrameSpec,
        to: Origin,
        got: &FrameSpec,
    ) -> Result<(), &'static str> {
        let within =
            same_network(from, to) && (sent.source, sent.destination) == (got.source, got.destination);
        if within && self.has_icc(from) {
            return Ok(());
        }
        let known = self.ways.contains(&(way(from, sent), way(to, got)));
        let right = known || within && self.rules.linked || self.may_open_with_part(from, sent, to, got);
        if !right {
            return Err("a fragment of nothing");
        }
        self.blurred = true;
        let (out, arrived) = (way(from, sent), way(to, got));
        self.ways.insert((out, arrived));
        self.ways.insert((turned(arrived), turned(out)));
        Ok(())
    }

    fn network(origin: Origin) -> Option<usize> {
        match origin {
            Origin::Sandbox(sandbox) => Some(sandbox / 2),
            Origin::Outside | Origin::Machine => None,
        }
    }

    fn has(&self, origin: Origin, flag: EndpointFlags) -> bool {
        Self::network(origin).is_some_and(|network| self.rules.flags[network].contains(flag))
    }

    fn has_icc(&self, origin: Origin) -> bool {
        self.has(origin, EndpointFlags::ICC)
    }

    fn is_internal(&self, origin: Origin) -> bool {
        self.has(origin, EndpointFlags::INTERNAL)
    }

    fn may_talk_within(&self, from: Origin, sent: &FrameSpec) -> bool {
        let (source, destination) = sent.segment.ports();
        let tcp = matches!(sent.segment, Segment::Tcp { .. });
        let linked = self.rules.linked
            && tcp
            && (from == Origin::Sandbox(0) && destination == 80
                || from == Origin::Sandbox(1) && source == 80);
        self.has_icc(from) || linked
    }

    /// Whether an ICMP error is about what a link lets its receiver send.
    fn may_report_within(&self, from: Origin, sent: &FrameSpec) -> bool {
        let Some((source, destination, number, _)) = quoted(sent) else { return false };
        self.rules.linked
            && number == protocol::TCP
            && (source.0, destination.0) == (sent.destination, sent.source)
            && (from == Origin::Sandbox(1) && destination.1 == 80
                || from == Origin::Sandbox(0) && source.1 == 80)
    }

    /// Whether the rules let a flow begin so.
    fn may_open(&self, from: Origin, sent: &FrameSpec, to: Origin, got: &FrameSpec) -> bool {
        let family = if sent.source.is_ipv4() { Family::V4 } else { Family::V6 };
        if matches!(sent.segment, Segment::Icmp { kind: 0 | 14 | 129, .. }) {
            return false;
        }
        let Origin::Sandbox(server) = to else {
            return matches!(from, Origin::Sandbox(_))
                && to == Origin::Outside
                && goal(sent) == goal(got)
                && self.may_be_seen(from, sent, got, World::host(family));
        };
        let number = sent.segment.protocol(sent.destination);
        let reached = (World::address(server, family), goal(got).1);
        let right_source = match from {
            Origin::Machine if server / 2 == 0 => got.source == World::gateway(server, family),
            Origin::Outside | Origin::Machine => sent.source == got.source,
            Origin::Sandbox(_) if same_network(from, to) => got.source == World::gateway(server, family),
            Origin::Sandbox(_) => self.may_be_seen(from, sent, got, World::gateway(server, family)),
        };
        let by_host_port = is_host(sent.destination, family)
            && self.rules.published
            && published(sent.destination, family, number, sent.segment.ports().1)
                == Some((server, reached.1));
        let at_itself =
            goal(sent) == reached && !same_network(from, to) && self.is_open(from, to, sent, number);
        goal(got) == reached && right_source && (by_host_port || at_itself)
    }

    /// The same for a fragment that begins later, whose ports were in one that met no flow.
    fn may_open_with_part(&self, from: Origin, sent: &FrameSpec, to: Origin, got: &FrameSpec) -> bool {
        let family = if sent.source.is_ipv4() { Family::V4 } else { Family::V6 };
        let number = sent.segment.protocol(sent.destination);
        let Origin::Sandbox(server) = to else {
            let seen = self.may_be_seen(from, sent, got, World::host(family));
            let leaves = matches!(from, Origin::Sandbox(_)) && to == Origin::Outside;
            return leaves && !self.is_internal(from) && seen;
        };
        let entries = || PUBLISHED.iter().filter(|entry| entry.sandbox == server && entry.protocol == number);
        let by_host_port = is_host(sent.destination, family) && self.rules.published && entries().count() > 0;
        let flags = self.rules.flags[server / 2];
        let is_open = flags.contains(EndpointFlags::ROUTED)
            || flags.contains(EndpointFlags::UNPROTECTED)
            || self.rules.direct_routing
            || self.is_trusted(from, server / 2);
        let at_itself = sent.destination == got.destination && is_open && !same_network(from, to);
        !self.is_internal(to) && (by_host_port || at_itself)
    }

    /// Whether who sent may be seen so: as itself without masquerading, else as `usual` or as its network's own choice.
    fn may_be_seen(&self, from: Origin, sent: &FrameSpec, got: &FrameSpec, usual: IpAddr) -> bool {
        if !self.has(from, EndpointFlags::MASQUERADE) {
            return got.source == sent.source;
        }
        let family = if sent.source.is_ipv4() { Family::V4 } else { Family::V6 };
        let chosen = Self::network(from).is_some_and(|network| self.rules.snat[network]);
        got.source == if chosen { World::gateway(2, family) } else { usual }
    }

    /// Whether a network trusts where somebody comes from: the uplink, or the segment that the network is on.
    const fn is_trusted(&self, from: Origin, network: usize) -> bool {
        match from {
            Origin::Sandbox(_) => false,
            Origin::Outside => self.rules.trusted[network] || self.rules.plugged && network == 0,
            Origin::Machine => self.rules.plugged && network == 0,
        }
    }

    /// Whether a container's own address and port may be reached from outside its network.
    fn is_open(&self, from: Origin, to: Origin, sent: &FrameSpec, number: u8) -> bool {
        let Some(network) = Self::network(to) else { return false };
        let trusted = self.is_trusted(from, network);
        let (routed, unprotected) =
            (self.has(to, EndpointFlags::ROUTED), self.has(to, EndpointFlags::UNPROTECTED));
        let port = sent.segment.ports().1;
        let is_open = |entry: &Published| {
            let own = entry.to..=entry.to + (entry.ports.1 - entry.ports.0);
            to == Origin::Sandbox(entry.sandbox) && entry.protocol == number && own.contains(&port)
        };
        let is_published = self.rules.published && PUBLISHED.iter().any(is_open);
        let is_ping = matches!(number, protocol::ICMP | protocol::ICMPV6);
        unprotected
            || routed && (is_ping || is_published)
            || (trusted || self.rules.direct_routing) && is_published
    }
}

fn same_network(one: Origin, other: Origin) -> bool {
    let network = Oracle::network(one);
    network.is_some() && network == Oracle::network(other)
}

fn is_host(address: IpAddr, family: Family) -> bool {
    address == World::host(family)
        || address == World::gateway(0, family)
        || address == World::gateway(2, family)
}

/// Who answers for a port of a host address.
fn published(at: IpAddr, family: Family, number: u8, port: u16) -> Option<(usize, u16)> {
    let holds = |entry: &&Published| {
        let address = (entry.at)(family);
        entry.protocol == number
            && (entry.ports.0..=entry.ports.1).contains(&port)
            && (address == at || address.is_unspecified())
    };
    PUBLISHED.iter().find(holds).map(|entry| (entry.sandbox, entry.to + (port - entry.ports.0)))
}

fn talk(spec: &FrameSpec) -> Talk {
    let (source, destination) = spec.ends();
    let query = matches!(spec.segment, Segment::Icmp { kind: 8 | 13 | 128, .. });
    (source, destination, spec.segment.protocol(spec.destination), query)
}

/// The talk of what answers; of an ICMP query a reply.
const fn mirrored((source, destination, number, query): Talk) -> Talk {
    let is_icmp = matches!(number, protocol::ICMP | protocol::ICMPV6);
    (destination, source, number, is_icmp && !query)
}

const fn is_error(spec: &FrameSpec) -> bool {
    let Segment::Icmp { kind, .. } = spec.segment else { return false };
    if spec.source.is_ipv4() { matches!(kind, 3 | 11 | 12) } else { kind < 128 }
}

/// The talk of the packet that an ICMP error quotes.
fn quoted(error: &FrameSpec) -> Option<Talk> {
    FrameSpec::read_quoted(&error.payload).map(|quoted| talk(&quoted))
}

/// To whom a packet goes; an ICMP identifier is its sender's business.
const fn goal(spec: &FrameSpec) -> End {
    if matches!(spec.segment, Segment::Icmp { .. }) { (spec.destination, 0) } else { spec.ends().1 }
}

const fn rough(at: Origin, (source, destination, number, _): Talk) -> Way {
    (at, source.0, destination.0, number)
}

fn way(at: Origin, spec: &FrameSpec) -> Way {
    (at, spec.source, spec.destination, spec.segment.protocol(spec.destination))
}

const fn turned((at, source, destination, number): Way) -> Way {
    (at, destination, source, number)
}
