//! Plays a story in a world, and says at once when something happens that must not.

use std::{format, string::String, vec::Vec};

use super::{Choices, Past, Shot, Step, beside, next};
use crate::{
    abi::{Flow, FlowState, Hook},
    conntrack::counterpart,
    dns::client_link,
    model::{
        BytePacket, FrameSpec, NOW, Oracle, Origin, Rules, World, checksums_are_right,
        packet_checksums_are_right,
    },
    nat,
    run::Workspace,
    verdict::{DropReason, Verdict},
};

/// How many packets of the past are remembered.
const MEMORY: usize = 32;

/// A world with a story going on in it.
#[derive(Clone, Debug)]
pub struct Player {
    /// The world.
    pub world: World,
    /// What was forwarded lately.
    pub past: Vec<Past>,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub now: u64,
    oracle: Oracle,
}

impl Player {
    /// A story that begins in a world with these rules.
    #[must_use]
    pub fn new(world: World, rules: Rules) -> Self {
        Self { world, past: Vec::new(), now: NOW, oracle: Oracle::new(rules) }
    }

    /// Plays the story that these bytes tell.
    ///
    /// # Panics
    ///
    /// When something happens that must not.
    pub fn play(bytes: &[u8]) {
        let mut choices = Choices::new(bytes);
        let rules = Rules::numbered(choices.word());
        let mut world = World::with_rules(crate::model::Links::default(), &rules);
        world.tables.pending_limit = [0, 12][choices.below(2)];
        world.tables.flow_limit = [0, 5][choices.below(2)];
        let mut story = Self::new(world, rules);
        let mut steps = Vec::new();
        while !choices.is_empty() {
            let step = next(&mut choices, &story.world, &story.past);
            let outcome = story.step(&step);
            steps.push(step);
            if let Err(fault) = outcome {
                panic!("{fault}\nafter {rules:?}, {steps:#?}");
            }
        }
    }

    /// Plays one step; an error says what must not have happened.
    pub fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Wait(seconds) => self.now += seconds * 1_000_000_000,
            Step::Rules(rules) => {
                rules.apply(&mut self.world);
                self.oracle.change(*rules);
            }
            Step::Lose(place) => {
                let count = self.world.tables.pending.len().max(1);
                if let Some(tuple) = self.world.tables.pending.keys().nth(place % count).copied() {
                    self.world.tables.pending.remove(&tuple);
                }
            }
            Step::Packet(shot) => self.shoot(shot)?,
        }
        self.check_tables()
    }

    fn shoot(&mut self, shot: &Shot) -> Result<(), String> {
        let mut fresh = self.world.clone();
        *fresh.workspace = Workspace::default();
        let (mut packet, mut other) =
            (BytePacket::new(shot.bytes.clone()), BytePacket::new(shot.bytes.clone()));
        let verdict = self.world.run(shot.hook, shot.arrival(self.now), &mut packet);
        if verdict != fresh.run(shot.hook, shot.arrival(self.now), &mut other) || packet != other {
            return Err(format!("what the packet before left behind matters: {shot:?}"));
        }
        match verdict {
            Verdict::Pass if packet.bytes == shot.bytes => self.passed(shot),
            Verdict::Drop(DropReason::TtlExceeded | DropReason::Fragment) if packet.bytes == shot.bytes => {
                self.ended(shot)
            }
            Verdict::Drop(_) if packet.bytes == shot.bytes => Ok(()),
            Verdict::Pass | Verdict::Drop(_) => Err(format!("{verdict:?} touched {shot:?}")),
            Verdict::ToStack | Verdict::ToSandbox { .. } | Verdict::ToUplink { .. } => {
                self.forwarded(shot, verdict, &packet.bytes)
            }
            Verdict::Answered { .. } | Verdict::ToResolver { .. } => check_dns(shot, verdict, &packet.bytes),
            // Not IP: its own tests know it byte by byte.
            Verdict::Resolved { .. } => Ok(()),
        }
    }

    /// What a sandbox sent and the host stack has now may leave by the uplink, where it is translated.
    fn passed(&mut self, shot: &Shot) -> Result<(), String> {
        let leaves = |spec: FrameSpec| beside(spec.destination) != Origin::Machine;
        if !matches!(shot.hook, Hook::FromContainer | Hook::FromBridge)
            || !shot.read(&shot.bytes).is_some_and(leaves)
        {
            return Ok(());
        }
        let mut later = self.world.clone();
        let ingress = self.world.links.bridges[usize::from(shot.ifindex >= self.world.links.bridges[1])];
        let out = Shot { hook: Hook::ToNetdev, ifindex: self.world.links.uplink, ingress, ..shot.clone() };
        let mut packet = BytePacket::new(out.bytes.clone());
        let verdict = later.run(out.hook, out.arrival(self.now), &mut packet);
        if verdict == Verdict::ToStack { self.forwarded(&out, verdict, &packet.bytes) } else { Ok(()) }
    }

    /// A packet on its last hop, or a part of one that only a whole one can be translated like, has begun the flow that a
    /// better one would have.
    fn ended(&mut self, shot: &Shot) -> Result<(), String> {
        let mut later = self.world.clone();
        let mut better = shot.clone();
        make_whole(&mut better.bytes, shot.bare);
        let mut packet = BytePacket::new(better.bytes.clone());
        let verdict = later.run(better.hook, better.arrival(self.now), &mut packet);
        match verdict {
            Verdict::ToSandbox { .. } | Verdict::ToUplink { .. } | Verdict::ToStack => {
                self.forwarded(&better, verdict, &packet.bytes)
            }
            Verdict::Answered { .. } | Verdict::ToResolver { .. } => {
                check_dns(&better, verdict, &packet.bytes)
            }
            Verdict::Pass | Verdict::Drop(_) | Verdict::Resolved { .. } => Ok(()),
        }
    }

    fn forwarded(&mut self, shot: &Shot, verdict: Verdict, bytes: &[u8]) -> Result<(), String> {
        let right = if shot.bare { packet_checksums_are_right } else { checksums_are_right };
        if right(&shot.bytes) && !right(bytes) {
            return Err(format!("{verdict:?} made a wrong checksum: {:?} of {shot:?}", shot.read(bytes)));
        }
        let Some(past) = Past::of(&self.world, shot, verdict, bytes) else { return Ok(()) };
        let Past { from, sent, to, got } = &past;
        let within = sent.ends() == got.ends()
            && matches!((from, to), (Origin::Sandbox(a), Origin::Sandbox(b)) if a / 2 == b / 2);
        let hops = u8::from(verdict != Verdict::ToStack && !within);
        if got.ttl + hops != sent.ttl {
            return Err(format!("{verdict:?} counted hops wrongly: {sent:?} became {got:?}"));
        }
        self.oracle.judge(*from, sent, *to, got)?;
        if self.past.len() == MEMORY {
            self.past.remove(0);
        }
        self.past.push(past);
        Ok(())
    }

    fn check_tables(&self) -> Result<(), String> {
        // Of a pending flow a half may be missing: its next packet restores it.
        for (tuple, flow) in &self.world.tables.flows {
            let other = counterpart(tuple, &flow.translation);
            let Some(partner) = self.world.tables.flows.get(&other) else {
                return Err(format!("{tuple:?} is assured without its other half {other:?}"));
            };
            if partner.translation != nat::translation(&other, &tuple.mirrored()) {
                return Err(format!("{tuple:?} and {other:?} do not undo each other"));
            }
        }
        for (tuple, pending) in &self.world.tables.pending {
            let Some(assured) = self.world.tables.flows.get(tuple) else { continue };
            if is_alive(pending) && is_alive(assured) && pending.translation != assured.translation {
                return Err(format!("two flows have the tuple {tuple:?}"));
            }
        }
        Ok(())
    }
}

/// What goes to the name server comes from the endpoint's number; what was answered goes back to where it came from.
fn check_dns(shot: &Shot, verdict: Verdict, bytes: &[u8]) -> Result<(), String> {
    if checksums_are_right(&shot.bytes) && !checksums_are_right(bytes) {
        return Err(format!("{verdict:?} made a wrong checksum: {:?} of {shot:?}", shot.read(bytes)));
    }
    let (Some(sent), Some(got)) = (shot.read(&shot.bytes), shot.read(bytes)) else {
        return Err(format!("{verdict:?} of {shot:?}"));
    };
    let (source, destination) = sent.ends();
    let right = match verdict {
        Verdict::Answered { ifindex } => got.ends() == (destination, source) && ifindex == shot.ifindex,
        Verdict::ToResolver { .. } => {
            got.ends().1 == destination && client_link(got.source.into()) == Some(shot.ifindex)
        }
        Verdict::Pass
        | Verdict::ToStack
        | Verdict::Drop(_)
        | Verdict::Resolved { .. }
        | Verdict::ToSandbox { .. }
        | Verdict::ToUplink { .. } => false,
    };
    if right { Ok(()) } else { Err(format!("{verdict:?} sent {sent:?} on as {got:?}")) }
}

/// Gives a packet hops enough, and makes the first part of one all of it.
fn make_whole(bytes: &mut [u8], bare: bool) {
    const V6_FRAGMENT: u8 = 44;
    let ip = if bare { 0 } else { 14 };
    let Some(packet) = bytes.get_mut(ip..) else { return };
    match packet {
        [0x40..=0x4f, _, _, _, _, _, fragment, _, hops, ..] => (*fragment, *hops) = (*fragment & 0x1f, 64),
        [0x60..=0x6f, _, _, _, _, _, number, hops, rest @ ..] => {
            *hops = 64;
            if let (V6_FRAGMENT, Some(flags)) = (*number, rest.get_mut(35)) {
                *flags &= !1;
            }
        }
        _ => {}
    }
}

fn is_alive(flow: &Flow) -> bool {
    !matches!(flow.state(), FlowState::Closed | FlowState::Reset)
}
