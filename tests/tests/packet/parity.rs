//! The same packets through the pipeline on the host and through the programs in the kernel.
//!
//! Compared after every packet: verdict, TC action, bytes. After every case: each entry of the flow table but for its
//! time stamp. At the end: every counter. Not compared, because a test run cannot show it: what `tc_index` says.

use std::collections::BTreeMap;

use anyhow::Result;
use netebpf_common::{
    abi::{COUNTERS_PER_HOOK, EndpointFlags, Flow, Hook, Tuple, counter_index},
    model::{BytePacket, World},
    packet::{ChecksumChange, Packet},
    run::Note,
    verdict::{Outcome, Verdict},
};
use nix::time::{ClockId, clock_gettime};

use crate::{
    dice::Dice,
    frames::{Shot, answer, random},
    kernel::{Effect, Kernel, with_kernel},
};

const PACKETS: u32 = 100_000;
const PACKETS_PER_CASE: u32 = 25;
const SECOND: u64 = 1_000_000_000;

/// Ages of flows, none near a time-out or a sum of them: the kernel's coarse clock lags behind ours by up to a tick.
const AGES: [u64; 3] = [61 * SECOND, 3_607 * SECOND, 540_000 * SECOND];

#[test]
fn a_hundred_thousand_random_packets_fare_the_same_on_the_host_and_in_the_kernel() {
    for (flags, share) in
        [(EndpointFlags::ICC, 4), (EndpointFlags::default(), 1), (EndpointFlags::INTERNAL, 1)]
    {
        let report = compare(flags, PACKETS * share / 5, BytePacket);
        assert_eq!(report.mismatches, Vec::<String>::new(), "seed {}", report.seed);
        assert!(
            report.compared >= PACKETS * share / 6,
            "only {} packets were taken by the kernel",
            report.compared
        );
        if flags == EndpointFlags::ICC {
            report.assert_every_way_was_taken();
        }
    }
}

#[test]
fn a_wrong_bit_planted_in_the_hosts_checksums_is_found() {
    let report = compare(EndpointFlags::ICC, 2_000, |bytes| Planted(BytePacket(bytes)));
    assert!(!report.mismatches.is_empty(), "the comparison would miss a real fault too");
}

/// A packet whose checksums come out one bit wrong.
struct Planted(BytePacket);

impl Packet for Planted {
    fn length(&self) -> u32 {
        self.0.length()
    }

    fn read(&self, offset: u32, buffer: &mut [u8]) -> bool {
        self.0.read(offset, buffer)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> bool {
        self.0.write(offset, bytes)
    }

    fn adjust_checksum(&mut self, offset: u32, change: ChecksumChange) -> bool {
        self.0.adjust_checksum(offset, ChecksumChange { delta: change.delta ^ 0x10, ..change })
    }
}

impl From<Planted> for Vec<u8> {
    fn from(packet: Planted) -> Self {
        packet.0.0
    }
}

/// What a comparison found.
struct Report {
    seed: u64,
    compared: u32,
    tally: BTreeMap<(Hook, Outcome), u64>,
    mismatches: Vec<String>,
}

impl Report {
    /// Random packets prove nothing about ways that none of them took.
    fn assert_every_way_was_taken(&self) {
        use Outcome::{Passed, ToSandbox, ToUplink};
        let ways = [
            (Hook::FromContainer, ToSandbox),
            (Hook::FromContainer, ToUplink),
            (Hook::FromContainer, Passed),
            (Hook::FromBridge, ToUplink),
            (Hook::FromNetdev, ToSandbox),
            (Hook::FromNetdev, Passed),
            (Hook::ToBridge, Passed),
            (Hook::ToContainer, Passed),
            (Hook::ToNetdev, Passed),
        ];
        for way in ways {
            assert!(
                self.tally.get(&way).is_some_and(|count| *count > 20),
                "{way:?} was hardly tried: {:?}",
                self.tally
            );
        }
        let reasons = self.tally.keys().filter(|(_, outcome)| matches!(outcome, Outcome::Dropped(_))).count();
        assert!(reasons >= 15, "only {reasons} kinds of drops: {:?}", self.tally);
    }
}

fn compare<P: Packet + Into<Vec<u8>>>(
    flags: EndpointFlags,
    packets: u32,
    host_packet: fn(Vec<u8>) -> P,
) -> Report {
    with_kernel(flags, |mut kernel, world| {
        let seed = Dice::seed();
        let mut dice = Dice::new(seed);
        let mut report = Report { seed, compared: 0, tally: BTreeMap::new(), mismatches: Vec::new() };
        for _ in 0..packets / PACKETS_PER_CASE {
            case(&mut kernel, world.clone(), &mut dice, &mut report, host_packet)?;
            if report.mismatches.len() > 3 {
                break;
            }
        }
        compare_counters(&kernel, &mut report)?;
        Ok(report)
    })
}

/// One sequence of packets from an empty flow table on.
fn case<P: Packet + Into<Vec<u8>>>(
    kernel: &mut Kernel,
    mut world: World,
    dice: &mut Dice,
    report: &mut Report,
    host_packet: fn(Vec<u8>) -> P,
) -> Result<()> {
    kernel.set_rules(&world)?;
    kernel.set_flows(&BTreeMap::new())?;
    let mut sent: Vec<(Vec<u8>, u32)> = Vec::new();
    let mut history = Vec::new();
    for _ in 0..PACKETS_PER_CASE {
        disturb(kernel, &mut world, dice)?;
        let answered = if dice.one_in(3) && !sent.is_empty() { Some(dice.pick(&sent)) } else { None };
        let answered = answered.and_then(|(bytes, ifindex)| answer(dice, &world.links, &bytes, ifindex));
        let shot = answered.unwrap_or_else(|| random(dice, &world.links));
        let arrival = shot.arrival(monotonic()?);
        let Some(in_kernel) = kernel.run(shot.hook, &arrival, &shot.frame)? else { continue };
        let mut packet = host_packet(shot.frame.clone());
        let verdict = world.run(shot.hook, arrival, &mut packet);
        let on_host = Effect { action: action(verdict), note: Note::of(verdict), bytes: packet.into() };
        report.compared += 1;
        *report.tally.entry((shot.hook, verdict.outcome())).or_default() += 1;
        if matches!(verdict, Verdict::ToSandbox { .. } | Verdict::ToUplink { .. }) {
            sent.push((on_host.bytes.clone(), on_host.note.ifindex));
        }
        history.push(shot);
        if in_kernel != on_host {
            report.mismatches.push(describe(&history, &on_host, &in_kernel));
            return Ok(());
        }
    }
    let (on_host, in_kernel) = (timeless(world.tables.flows), timeless(kernel.flows()?));
    if on_host != in_kernel {
        report
            .mismatches
            .push(format!("flow tables differ\nhost {on_host:#?}\nkernel {in_kernel:#?}\n{history:#?}"));
    }
    Ok(())
}

/// Between packets: time passes, rules change.
fn disturb(kernel: &mut Kernel, world: &mut World, dice: &mut Dice) -> Result<()> {
    match dice.below(40) {
        0 => {
            let age = dice.pick(&AGES);
            for flow in world.tables.flows.values_mut() {
                flow.last_seen = flow.last_seen.saturating_sub(age);
            }
            kernel.set_flows(&world.tables.flows)
        }
        1 => {
            world.config.epoch += 1;
            kernel.set_rules(world)
        }
        2 => {
            world.config.epoch += 1;
            let keys: Vec<_> = world.tables.published.keys().copied().collect();
            if !keys.is_empty() {
                world.tables.published.remove(&dice.pick(&keys));
            }
            kernel.set_rules(world)
        }
        _ => Ok(()),
    }
}

fn compare_counters(kernel: &Kernel, report: &mut Report) -> Result<()> {
    let counters = kernel.counters()?;
    for hook in Hook::ALL {
        for code in 0..u8::try_from(COUNTERS_PER_HOOK)? {
            let counted = counters[counter_index(hook, code) as usize];
            let outcome = Outcome::from_code(code);
            let expected =
                outcome.and_then(|outcome| report.tally.get(&(hook, outcome))).copied().unwrap_or(0);
            if counted != expected {
                report
                    .mismatches
                    .push(format!("{hook:?} {outcome:?}: counted {counted}, host says {expected}"));
            }
        }
    }
    Ok(())
}

fn action(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Drop(_) => 2,
        Verdict::ToSandbox { .. } | Verdict::ToUplink { .. } => 7,
    }
}

/// The two clocks are read at different moments; everything else of an entry is compared.
fn timeless(flows: BTreeMap<Tuple, Flow>) -> BTreeMap<Tuple, Flow> {
    let timeless = |mut flow: Flow| {
        flow.last_seen = 0;
        flow
    };
    flows.into_iter().map(|(tuple, flow)| (tuple, timeless(flow))).collect()
}

fn monotonic() -> Result<u64> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    Ok(u64::try_from(now.tv_sec())? * 1_000_000_000 + u64::try_from(now.tv_nsec())?)
}

fn describe(history: &[Shot], on_host: &Effect, in_kernel: &Effect) -> String {
    format!("after {history:#?}\nhost   {on_host:?}\nkernel {in_kernel:?}")
}
