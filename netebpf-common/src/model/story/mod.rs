//! Long sequences of packets, changes of rules and time, decided by bytes: for properties, parity and fuzzing.

mod choices;
mod fresh;
mod names;
mod player;
mod sequel;
mod sockets;
#[cfg(test)]
mod tests;

pub use choices::Choices;
pub use player::Player;
pub use sockets::play_sockets;

use core::{fmt, net::IpAddr};
use std::vec::Vec;

use super::{FrameSpec, Origin, Rules, World};
use crate::{
    abi::{Address, Family, Hook, Mac},
    dns,
    run::{Arrival, Mark},
    verdict::Verdict,
};

/// What happens next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A packet meets a hook.
    Packet(Shot),
    /// Other rules are in force from now on.
    Rules(Rules),
    /// So many seconds pass.
    Wait(u64),
    /// A pending entry is displaced: the one at this place, counted round.
    Lose(usize),
}

/// A packet at a hook.
#[derive(Clone, PartialEq, Eq)]
pub struct Shot {
    /// The hook.
    pub hook: Hook,
    /// The device of the hook.
    pub ifindex: u32,
    /// The device by which the packet came; zero for the host's own.
    pub ingress: u32,
    /// What an earlier hook left.
    pub mark: Mark,
    /// The device has no Ethernet header.
    pub bare: bool,
    /// The packet's bytes, without the Ethernet header for a bare device.
    pub bytes: Vec<u8>,
}

impl Shot {
    /// The shot's arrival at a time.
    #[must_use]
    pub const fn arrival(&self, now: u64) -> Arrival {
        Arrival { ifindex: self.ifindex, ingress: self.ingress, mark: self.mark, bare: self.bare, now }
    }

    /// Reads the packet.
    #[must_use]
    pub fn read(&self, bytes: &[u8]) -> Option<FrameSpec> {
        if self.bare { FrameSpec::read_packet(bytes) } else { FrameSpec::read(bytes) }
    }
}

impl fmt::Debug for Shot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, ifindex, ingress, mark, bare, bytes } = self;
        write!(f, "{hook:?} on {ifindex} from {ingress}, {mark:?}{}: ", if *bare { ", bare" } else { "" })?;
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        self.read(bytes)
            .map_or(Ok(()), |spec| write!(f, " {:?} {:?} ttl {}", spec.ends(), spec.segment, spec.ttl))
    }
}

/// A packet that was forwarded.
#[derive(Clone, Debug)]
pub struct Past {
    /// Where it came from.
    pub from: Origin,
    /// How it was sent.
    pub sent: FrameSpec,
    /// Where it went.
    pub to: Origin,
    /// How it arrived there.
    pub got: FrameSpec,
}

impl Past {
    /// What a hook made of a packet; `None` if it did not come from somebody and go to somebody.
    #[must_use]
    pub fn of(world: &World, shot: &Shot, verdict: Verdict, bytes: &[u8]) -> Option<Self> {
        let (sent, got) = (shot.read(&shot.bytes)?, shot.read(bytes)?);
        let from = Self::origin(world, shot, &sent)?;
        let to = Self::goal(world, shot, verdict, &got)?;
        Some(Self { from, sent, to, got })
    }

    /// Who sent the packet at a hook; `None` for the host.
    fn origin(world: &World, shot: &Shot, sent: &FrameSpec) -> Option<Origin> {
        match shot.hook {
            Hook::FromContainer => {
                world.links.veths.iter().position(|veth| *veth == shot.ifindex).map(Origin::Sandbox)
            }
            Hook::FromNetdev => Some(Origin::Outside),
            Hook::ToNetdev if shot.ingress == 0 => None,
            // A router on the segment carries what comes from outside.
            Hook::FromBridge => sandbox_at(sent.source).or(Some(beside(sent.source))),
            Hook::FromResolver => None,
            Hook::ToNetdev | Hook::ToBridge | Hook::ToContainer | Hook::Socket => sandbox_at(sent.source),
        }
    }

    /// Where it goes.
    fn goal(world: &World, shot: &Shot, verdict: Verdict, got: &FrameSpec) -> Option<Origin> {
        match (verdict, shot.hook) {
            (Verdict::ToStack, Hook::ToNetdev) => Some(Origin::Outside),
            (Verdict::ToStack, _) => sandbox_at(got.destination),
            _ => world.goal(verdict),
        }
    }
}

/// The sandbox with an address.
fn sandbox_at(address: IpAddr) -> Option<Origin> {
    let has =
        |sandbox: &usize| World::FAMILIES.iter().any(|family| World::address(*sandbox, *family) == address);
    (0..4).find(has).map(Origin::Sandbox)
}

/// Who sends from an address that is no sandbox's by front's bridge.
fn beside(address: IpAddr) -> Origin {
    let on_segment = World::FAMILIES.iter().any(|family| {
        Address::from(address).matches(World::gateway(0, *family).into(), World::mask(*family))
    });
    if on_segment { Origin::Machine } else { Origin::Outside }
}

/// The next step of a story in which these packets were forwarded.
pub fn next(choices: &mut Choices<'_>, world: &World, past: &[Past]) -> Step {
    match choices.below(32) {
        31 => Step::Rules(Rules::numbered(choices.word())),
        30 => Step::Wait(choices.pick(&[61, 3_607, 540_000])),
        29 => Step::Lose(choices.below(64)),
        number => {
            let sequel = if number % 2 == 1 { sequel::sequel(choices, past) } else { None };
            let (origin, frame) = sequel.unwrap_or_else(|| {
                let (origin, spec) = fresh::fresh(choices, world);
                (origin, fresh::shape(choices, &spec))
            });
            Step::Packet(aim(choices, world, origin, frame))
        }
    }
}

/// Chooses the hook that a packet meets.
fn aim(choices: &mut Choices<'_>, world: &World, origin: Origin, mut bytes: Vec<u8>) -> Shot {
    fresh::damage(choices, &mut bytes);
    let links = &world.links;
    let all =
        [0, links.uplink, links.port, links.bridges[0], links.bridges[1], links.veths[0], links.veths[2]];
    let side = choices.below(24);
    let mark = if choices.one_in(12) { choices.pick(&[Mark::Checked, Mark::Decided]) } else { Mark::None };
    let (hook, ifindex, ingress, mark) = match (origin, side) {
        (_, 21) => (Hook::ToContainer, links.veths[choices.below(4)], choices.pick(&all), mark),
        (_, 22) => (Hook::ToBridge, links.bridges[choices.below(2)], choices.pick(&all), mark),
        (Origin::Sandbox(sandbox), 18..=20) => {
            (Hook::ToNetdev, links.uplink, links.bridges[sandbox / 2], mark)
        }
        (Origin::Sandbox(sandbox), 15..=17) => {
            let bridge = links.bridges[sandbox / 2];
            (Hook::FromBridge, bridge, bridge, mark)
        }
        (Origin::Sandbox(sandbox), _) => {
            (Hook::FromContainer, links.veths[sandbox], links.veths[sandbox], Mark::None)
        }
        (Origin::Machine, 18..=20) => (Hook::ToContainer, links.veths[side % 2], links.port, mark),
        (Origin::Machine, _) => (Hook::FromBridge, links.bridges[0], links.bridges[0], mark),
        (Origin::Outside, 20) => (Hook::ToNetdev, links.uplink, 0, Mark::None),
        (Origin::Outside, _) if comes_from_resolver(&bytes) => {
            (Hook::FromResolver, links.resolver, links.resolver, mark)
        }
        (Origin::Outside, _) => (Hook::FromNetdev, links.uplink, links.uplink, Mark::None),
    };
    let spec = FrameSpec::read(&bytes);
    let is_host = |address: IpAddr| world.tables.locals.contains_key(&address.into());
    // The host sends as itself only, and routes nothing out that is for itself or for a link of its own.
    let as_host = spec.as_ref().is_some_and(|spec| is_host(spec.source));
    let stays = |address| is_host(address) || beside(address) == Origin::Machine;
    let stays = spec.as_ref().is_some_and(|spec| stays(spec.destination));
    let (hook, ifindex, ingress) = match (hook, ingress) {
        (Hook::ToNetdev, 0) if !as_host => (Hook::FromNetdev, links.uplink, links.uplink),
        (Hook::ToNetdev, bridge) if stays && bridge != 0 => (Hook::FromBridge, bridge, bridge),
        (hook, 0) if !as_host => (hook, ifindex, links.uplink),
        (hook, ingress) => (hook, ifindex, ingress),
    };
    let bare = matches!(hook, Hook::FromNetdev | Hook::ToNetdev) && choices.one_in(8) && bytes.len() > 14;
    if bare {
        bytes.drain(..14);
    }
    Shot { hook, ifindex, ingress, mark, bare, bytes }
}

fn comes_from_resolver(bytes: &[u8]) -> bool {
    FrameSpec::read(bytes).is_some_and(|spec| spec.source == dns::RESOLVER)
}

/// An address that may mean something; none that only a kernel's routing table knows.
fn any_address(choices: &mut Choices<'_>, family: Family) -> IpAddr {
    let sandbox = choices.below(4);
    match choices.below(12) {
        0..=4 => World::outside(family, 9 + choices.byte() % 3),
        5 | 6 => World::address(sandbox, family),
        7 => World::gateway(sandbox, family),
        8 | 9 => World::host(family),
        10 => choices.pick(&strangers(family)),
        _ => World::inside(choices.below(2), family, 77),
    }
}

fn strangers(family: Family) -> [IpAddr; 5] {
    let texts = match family {
        Family::V4 => ["203.0.113.7", "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.251"],
        Family::V6 => ["2001:db8:77::7", "::1", "::", "fe80::77", "ff02::fb"],
    };
    texts.map(|text| text.parse().unwrap_or_else(|_| World::any(family)))
}

/// MACs of a frame that goes to many.
const GROUPS: [Mac; 2] = [Mac([0xff; 6]), Mac([0x33, 0x33, 0, 0, 0, 1])];
