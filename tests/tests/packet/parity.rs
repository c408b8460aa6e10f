//! The same packets through the pipeline on the host and through the programs in the kernel.
//!
//! Compared after every packet: verdict, TC action, bytes. After every case: each entry of the tables of flows and fragments
//! but for its time stamp. At the end: every counter. Not compared, because a test run can neither set nor show it: what
//! `tc_index` says.

use std::collections::BTreeMap;

use anyhow::Result;
use netebpf_common::{
    abi::{COUNTERS_PER_HOOK, EndpointFlags, Hook, counter_index},
    model::{BytePacket, Choices, Links, Past, Rules, Shot, Step, World, next},
    packet::{ChecksumChange, Packet},
    run::{Mark, Note},
    verdict::{Outcome, Verdict},
};
use nix::time::{ClockId, clock_gettime};

use crate::{
    dice::Dice,
    kernel::{Effect, Kernel, Traces, with_kernel},
};

const PACKETS: u32 = 100_000;
const SECOND: u64 = 1_000_000_000;

/// Choices for one case; each packet takes a few dozen.
const BYTES_PER_CASE: usize = 2_000;

#[test]
fn a_hundred_thousand_random_packets_fare_the_same_on_the_host_and_in_the_kernel() {
    let report = compare(PACKETS, BytePacket::new);
    assert_eq!(report.mismatches, Vec::<String>::new(), "seed {}", report.seed);
    assert!(report.compared >= PACKETS * 3 / 4, "only {} packets were taken by the kernel", report.compared);
    report.assert_every_way_was_taken();
}

#[test]
fn a_wrong_bit_planted_in_the_hosts_checksums_is_found() {
    let report = compare(2_000, |bytes| Planted(BytePacket::new(bytes)));
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

    fn read_counted(&self, offset: u32, buffer: &mut [u8]) -> bool {
        self.0.read_counted(offset, buffer)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> bool {
        self.0.write(offset, bytes)
    }

    fn segment_size(&self) -> u32 {
        0
    }

    fn resize(&mut self, length: u32) -> bool {
        self.0.resize(length)
    }

    fn write_covered(&mut self, offset: u32, bytes: &[u8]) -> bool {
        self.0.write_covered(offset, bytes)
    }

    fn adjust_checksum(&mut self, offset: u32, change: ChecksumChange) -> bool {
        self.0.adjust_checksum(offset, ChecksumChange { delta: change.delta ^ 0x10, ..change })
    }
}

impl From<Planted> for Vec<u8> {
    fn from(packet: Planted) -> Self {
        packet.0.bytes
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
        use Outcome::{Answered, Passed, ToResolver, ToSandbox, ToStack, ToUplink};
        let ways = [
            (Hook::FromContainer, ToSandbox),
            (Hook::FromContainer, ToUplink),
            (Hook::FromContainer, Passed),
            (Hook::FromBridge, ToUplink),
            (Hook::FromNetdev, ToSandbox),
            (Hook::FromNetdev, ToStack),
            (Hook::FromNetdev, Passed),
            (Hook::ToNetdev, ToStack),
            (Hook::ToBridge, Passed),
            (Hook::ToContainer, Passed),
            (Hook::ToNetdev, Passed),
            (Hook::FromContainer, Answered),
            (Hook::FromContainer, ToResolver),
            (Hook::FromResolver, ToSandbox),
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

fn compare<P: Packet + Into<Vec<u8>>>(packets: u32, host_packet: fn(Vec<u8>) -> P) -> Report {
    with_kernel(EndpointFlags::ICC, |mut kernel, world| {
        let seed = Dice::seed();
        let mut dice = Dice::new(seed);
        let mut report = Report { seed, compared: 0, tally: BTreeMap::new(), mismatches: Vec::new() };
        while report.compared < packets && report.mismatches.len() < 3 {
            let bytes: Vec<u8> = (0..BYTES_PER_CASE).map(|_| dice.byte()).collect();
            Case::begin(&mut kernel, world.links, &bytes)?.play(&mut report, host_packet)?;
        }
        compare_counters(&kernel, &mut report)?;
        Ok(report)
    })
}

/// One sequence of packets, changes of rules and time, from empty tables on.
struct Case<'a> {
    kernel: &'a mut Kernel,
    world: World,
    choices: Choices<'a>,
    past: Vec<Past>,
    history: Vec<Step>,
}

impl<'a> Case<'a> {
    fn begin(kernel: &'a mut Kernel, links: Links, bytes: &'a [u8]) -> Result<Self> {
        let mut choices = Choices::new(bytes);
        let world = World::with_rules(links, &Rules::numbered(choices.word()));
        kernel.set_rules(&world)?;
        kernel.set_traces(&Traces::of(&world))?;
        Ok(Self { kernel, world, choices, past: Vec::new(), history: Vec::new() })
    }

    fn play<P: Packet + Into<Vec<u8>>>(
        mut self,
        report: &mut Report,
        host_packet: fn(Vec<u8>) -> P,
    ) -> Result<()> {
        while !self.choices.is_empty() {
            let mut step = next(&mut self.choices, &self.world, &self.past);
            if let Step::Packet(shot) = &mut step {
                // A test run takes no mark.
                shot.mark = Mark::None;
            }
            self.history.push(step.clone());
            let Step::Packet(shot) = &step else {
                self.disturb(&step)?;
                continue;
            };
            if !self.shoot(shot, report, host_packet)? {
                return Ok(());
            }
        }
        let (on_host, in_kernel) = (timeless(Traces::of(&self.world)), timeless(self.kernel.traces()?));
        if on_host != in_kernel {
            let history = self.history;
            let fault = format!("tables differ\nhost {on_host:#?}\nkernel {in_kernel:#?}\n{history:#?}");
            report.mismatches.push(fault);
        }
        Ok(())
    }

    /// Runs a packet on both; false if they disagree.
    fn shoot<P: Packet + Into<Vec<u8>>>(
        &mut self,
        shot: &Shot,
        report: &mut Report,
        host_packet: fn(Vec<u8>) -> P,
    ) -> Result<bool> {
        let arrival = shot.arrival(monotonic()?);
        let Some(in_kernel) = self.kernel.run(shot.hook, &arrival, &shot.bytes)? else { return Ok(true) };
        let mut packet = host_packet(shot.bytes.clone());
        let verdict = self.world.run(shot.hook, arrival, &mut packet);
        let on_host = Effect { action: action(verdict), note: Note::of(verdict), bytes: packet.into() };
        report.compared += 1;
        *report.tally.entry((shot.hook, verdict.outcome())).or_default() += 1;
        if in_kernel != on_host {
            let history = &self.history;
            report.mismatches.push(format!("after {history:#?}\nhost   {on_host:?}\nkernel {in_kernel:?}"));
            return Ok(false);
        }
        if let Some(past) = Past::of(&self.world, shot, verdict, &on_host.bytes) {
            self.past.push(past);
        }
        Ok(true)
    }

    /// Between packets: time passes, rules change, an entry is displaced.
    fn disturb(&mut self, step: &Step) -> Result<()> {
        let tables = &mut self.world.tables;
        match step {
            Step::Packet(_) => {}
            Step::Wait(seconds) => {
                let age = |time: u64| time.saturating_sub(seconds * SECOND);
                for flow in tables.flows.values_mut().chain(tables.pending.values_mut()) {
                    flow.last_seen = age(flow.last_seen);
                }
                for ports in tables.fragments.values_mut() {
                    ports.seen = age(ports.seen);
                }
                tables.host_flows_until = age(tables.host_flows_until);
                self.kernel.set_traces(&Traces::of(&self.world))?;
            }
            Step::Rules(rules) => {
                rules.apply(&mut self.world);
                self.kernel.set_rules(&self.world)?;
            }
            Step::Lose(place) => {
                let count = tables.pending.len().max(1);
                if let Some(tuple) = tables.pending.keys().nth(place % count).copied() {
                    tables.pending.remove(&tuple);
                    self.kernel.lose(&tuple)?;
                }
            }
        }
        Ok(())
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
        Verdict::Pass | Verdict::ToStack => 0,
        Verdict::Drop(_) => 2,
        Verdict::ToSandbox { .. }
        | Verdict::ToUplink { .. }
        | Verdict::Answered { .. }
        | Verdict::Resolved { .. }
        | Verdict::ToResolver { .. } => 7,
    }
}

/// The two clocks are read at different moments; everything else of an entry is compared.
fn timeless(mut traces: Traces) -> Traces {
    for flow in traces.flows.values_mut().chain(traces.pending.values_mut()) {
        flow.last_seen = 0;
    }
    for ports in traces.fragments.values_mut() {
        ports.seen = 0;
    }
    for asker in traces.askers.values_mut() {
        asker.busy_until = 0;
    }
    traces.host_flows_until = 0;
    traces
}

fn monotonic() -> Result<u64> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    Ok(u64::try_from(now.tv_sec())? * 1_000_000_000 + u64::try_from(now.tv_nsec())?)
}
