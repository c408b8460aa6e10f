//! Random frames that are likely to meet a rule, a flow or an edge.

use std::{fmt, net::Ipv4Addr};

use netebpf_common::{
    abi::{Hook, Mac, protocol},
    model::{FrameSpec, Links, Segment, World},
    run::Arrival,
};

use crate::{dice::Dice, kernel::client};

/// A frame at a hook.
#[derive(Clone)]
pub(crate) struct Shot {
    pub(crate) hook: Hook,
    pub(crate) ifindex: u32,
    pub(crate) ingress: u32,
    pub(crate) frame: Vec<u8>,
}

impl Shot {
    /// The shot's arrival at a time.
    pub(crate) fn arrival(&self, now: u64) -> Arrival {
        Arrival { ifindex: self.ifindex, ingress: self.ingress, decided: false, now }
    }
}

impl fmt::Debug for Shot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, ifindex, ingress, frame } = self;
        write!(f, "{hook:?} on {ifindex} from {ingress}: {}", Hex(frame))
    }
}

/// Bytes as hexadecimal digits, which is how captures are read.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A frame out of nothing.
pub(crate) fn random(dice: &mut Dice, links: &Links) -> Shot {
    let sandbox = dice.below(4);
    let outside = dice.one_in(3);
    let mut frame = if outside { from_outside(dice) } else { from_sandbox(dice, sandbox) }.build();
    damage(dice, &mut frame);
    let (veth, bridge) = (links.veths[sandbox], links.bridges[sandbox / 2]);
    let (hook, ifindex, ingress) = match dice.below(12) {
        0 => (Hook::ToContainer, veth, any_ingress(dice, links)),
        1 => (Hook::ToBridge, bridge, any_ingress(dice, links)),
        2 => (Hook::ToNetdev, links.uplink, any_ingress(dice, links)),
        3 | 4 if !outside => (Hook::FromBridge, bridge, bridge),
        _ if outside => (Hook::FromNetdev, links.uplink, links.uplink),
        _ => (Hook::FromContainer, veth, veth),
    };
    Shot { hook, ifindex, ingress, frame }
}

fn any_ingress(dice: &mut Dice, links: &Links) -> u32 {
    let [a, b, ..] = links.veths;
    dice.pick(&[0, links.uplink, links.bridges[0], links.bridges[1], a, b])
}

fn from_sandbox(dice: &mut Dice, sandbox: usize) -> FrameSpec {
    let neighbour = sandbox ^ 1;
    let (destination_mac, destination) = match dice.below(10) {
        0 | 1 => (World::mac(neighbour), World::address(neighbour)),
        2 => (
            dice.pick(&[Mac([0xff; 6]), Mac([1, 0, 0x5e, 0, 0, 1]), World::mac(neighbour)]),
            any_address(dice),
        ),
        _ => (World::bridge_mac(sandbox), any_address(dice)),
    };
    let own = !dice.one_in(20);
    FrameSpec {
        source_mac: if own || dice.one_in(2) { World::mac(sandbox) } else { World::mac(neighbour) },
        destination_mac,
        source: if own { World::address(sandbox) } else { any_address(dice) },
        destination,
        ..any_packet(dice)
    }
}

fn from_outside(dice: &mut Dice) -> FrameSpec {
    let source = if dice.one_in(10) { any_address(dice) } else { client(9 + dice.byte() % 3) };
    let destination = if dice.one_in(3) { any_address(dice) } else { World::HOST };
    FrameSpec { source, destination, ..any_packet(dice) }
}

fn any_packet(dice: &mut Dice) -> FrameSpec {
    let length = dice.below(40);
    FrameSpec {
        source_mac: Mac([2, 0, 0, 0, 3, 9]),
        destination_mac: Mac([2, 0, 0, 0, 3, 1]),
        source: Ipv4Addr::UNSPECIFIED,
        destination: Ipv4Addr::UNSPECIFIED,
        ttl: if dice.one_in(20) { dice.byte() % 3 } else { 64 },
        option_words: if dice.one_in(5) { dice.byte() % 11 } else { 0 },
        fragment: if dice.one_in(20) { dice.pick(&[0x2000, 0x0010, 0x4000]) } else { 0 },
        segment: any_segment(dice),
        payload: (0..length).map(|_| dice.byte()).collect(),
    }
}

fn any_segment(dice: &mut Dice) -> Segment {
    let port = |dice: &mut Dice| dice.pick(&[80, 8080, 53, 5353, 90, 9090, 1000, 1001, 1002]);
    match dice.below(8) {
        0..=3 => {
            let (source, destination) = (port(dice), port(dice));
            Segment::Tcp { source, destination, flags: dice.pick(&[2, 2, 2, 18, 16, 17, 4, 20]) }
        }
        4 | 5 => {
            let (source, destination) = (port(dice), port(dice));
            Segment::Udp { source, destination, checksum: !dice.one_in(4) }
        }
        6 => Segment::Icmp { kind: dice.pick(&[8, 8, 8, 0, 3, 11]), identifier: u16::from(dice.byte() % 3) },
        _ => Segment::Other(dice.pick(&[47, 2, 132])),
    }
}

/// Any address that may mean something; not the broadcast of a real subnet, which only the kernel's table knows.
fn any_address(dice: &mut Dice) -> Ipv4Addr {
    let sandbox = dice.below(4);
    let choices = [
        World::address(sandbox),
        World::gateway(sandbox),
        World::HOST,
        client(9 + dice.byte() % 3),
        Ipv4Addr::new(203, 0, 113, 7),
        Ipv4Addr::new(127, 0, 0, dice.byte()),
        Ipv4Addr::new(10, 1, 0, 77),
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(224, 0, 0, 251),
    ];
    if dice.one_in(2) { client(9 + dice.byte() % 3) } else { dice.pick(&choices) }
}

/// Now and then: a few wrong bytes, or an end too soon.
fn damage(dice: &mut Dice, frame: &mut Vec<u8>) {
    if dice.one_in(15) {
        for _ in 0..=dice.below(2) {
            let place = dice.below(frame.len());
            frame[place] = wrong_byte(dice, place);
        }
    }
    if dice.one_in(30) {
        let length = dice.below(frame.len());
        frame.truncate(length);
    }
}

/// Anything, but no broadcast address of a real subnet, which only the kernel's routing table knows.
fn wrong_byte(dice: &mut Dice, place: usize) -> u8 {
    const LAST_OCTETS: [usize; 2] = [29, 33];
    match dice.byte() {
        0 | 255 if LAST_OCTETS.contains(&place) => 9,
        byte => byte,
    }
}

/// The answer to a frame that went out of the pipeline, arriving where answers arrive.
pub(crate) fn answer(dice: &mut Dice, links: &Links, sent: &[u8], ifindex: u32) -> Option<Shot> {
    let header = 14 + usize::from(sent.get(14)? & 0xf) * 4;
    let byte = |at: usize| sent.get(at).copied();
    let port = |at: usize| Some(u16::from_be_bytes([byte(at)?, byte(at + 1)?]));
    let address = |at: usize| Some(Ipv4Addr::new(byte(at)?, byte(at + 1)?, byte(at + 2)?, byte(at + 3)?));
    let segment = match byte(23)? {
        protocol::TCP => {
            let flags = dice.pick(&[18, 16, 16, 16, 17, 4]);
            Segment::Tcp { source: port(header + 2)?, destination: port(header)?, flags }
        }
        protocol::UDP => {
            Segment::Udp { source: port(header + 2)?, destination: port(header)?, checksum: true }
        }
        protocol::ICMP => Segment::Icmp { kind: byte(header)? ^ 8, identifier: port(header + 4)? },
        _ => return None,
    };
    let spec = FrameSpec { source: address(30)?, destination: address(26)?, segment, ..any_packet(dice) };
    let Some(sandbox) = links.veths.iter().position(|veth| *veth == ifindex) else {
        let (hook, ifindex) = (Hook::FromNetdev, links.uplink);
        return Some(Shot { hook, ifindex, ingress: ifindex, frame: spec.build() });
    };
    let frame =
        FrameSpec { source_mac: World::mac(sandbox), destination_mac: World::bridge_mac(sandbox), ..spec }
            .build();
    Some(Shot { hook: Hook::FromContainer, ifindex, ingress: ifindex, frame })
}
