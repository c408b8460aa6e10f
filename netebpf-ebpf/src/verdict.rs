//! Verdict → TC action and counter: the only place that knows TC's codes.

use aya_ebpf::{
    bindings::{TC_ACT_OK, TC_ACT_SHOT},
    programs::TcContext,
};
use netebpf_common::{
    abi::Hook,
    event::Sighting,
    packet::Packet as _,
    pipeline::{self, Step},
    run::{Arrival, Mark, Run, Workspace},
    verdict::Outcome,
};

use crate::kernel::{
    clock, counters, events,
    maps::{self, Maps},
    redirect,
    skb::Skb,
};

/// Runs the hook with this number on a packet and carries its verdict out; `BARE` says that the device's packets have no
/// Ethernet header.
#[inline(always)]
pub(crate) fn classify<const HOOK: usize, const BARE: bool>(context: &TcContext) -> i32 {
    let mut step = begin::<HOOK, BARE>(context);
    if HOOK == Hook::FromContainer as usize && step == Step::Ask as u8 {
        step = ask(context);
    }
    if step == Step::Admit as u8 {
        step = admit::<HOOK>(context);
    }
    if step == Step::Forward as u8 {
        forward::<HOOK, BARE>(context);
    }
    carry_out(context, Hook::ALL[HOOK])
}

#[inline(never)]
fn begin<const HOOK: usize, const BARE: bool>(context: &TcContext) -> u8 {
    let skb = Skb::new(context);
    let arrival = Arrival {
        ifindex: skb.ifindex(),
        ingress: skb.ingress_ifindex(),
        mark: skb.mark(),
        bare: BARE,
        now: clock::monotonic(),
    };
    take_step(context, |_| arrival, |run| pipeline::begin(Hook::ALL[HOOK], run)) as u8
}

#[inline(never)]
#[expect(clippy::redundant_closure, reason = "the function itself is for one lifetime, not for all")]
fn ask(context: &TcContext) -> u8 {
    take_step(context, Workspace::arrival, |run| pipeline::ask(run)) as u8
}

#[inline(never)]
fn admit<const HOOK: usize>(context: &TcContext) -> u8 {
    take_step(context, Workspace::arrival, |run| pipeline::admit(Hook::ALL[HOOK], run)) as u8
}

#[inline(never)]
fn forward<const HOOK: usize, const BARE: bool>(context: &TcContext) {
    let arrival = |workspace: &Workspace| Arrival { bare: BARE, ..workspace.arrival() };
    let forward = |run: &mut Run<'_, Skb<'_>, Maps<'_>>| {
        pipeline::forward(Hook::ALL[HOOK], run);
        Step::Done
    };
    let _: u8 = take_step(context, arrival, forward) as u8;
}

/// Takes one step of the pipeline; without settings there is none to take.
#[inline(always)]
fn take_step(
    context: &TcContext,
    arrival: impl FnOnce(&Workspace) -> Arrival,
    step: impl FnOnce(&mut Run<'_, Skb<'_>, Maps<'_>>) -> Step,
) -> Step {
    let Some((config, workspace)) = maps::settings() else { return Step::Done };
    let arrival = arrival(workspace);
    let (mut packet, mut tables) = (Skb::new(context), Maps::new(context));
    step(&mut Run { packet: &mut packet, tables: &mut tables, config, workspace, arrival })
}

#[inline(never)]
fn carry_out(context: &TcContext, hook: Hook) -> i32 {
    const PASS: u8 = Outcome::Passed.code();
    const TO_STACK: u8 = Outcome::ToStack.code();
    const TO_SANDBOX: u8 = Outcome::ToSandbox.code();
    const TO_UPLINK: u8 = Outcome::ToUplink.code();
    const ANSWERED: u8 = Outcome::Answered.code();
    const RESOLVED: u8 = Outcome::Resolved.code();
    const TO_RESOLVER: u8 = Outcome::ToResolver.code();
    let Some((_, workspace)) = maps::settings() else { return TC_ACT_SHOT };
    let (skb, note) = (Skb::new(context), &workspace.outcome);
    counters::count(hook, note.outcome_code());
    if note.is_drop() || workspace.turn().is_some() {
        report(&skb, hook, workspace);
    }
    match note.outcome_code() {
        PASS => {
            skb.set_mark(Mark::passed(hook, skb.mark()));
            TC_ACT_OK
        }
        TO_STACK => {
            skb.set_mark(Mark::Decided);
            TC_ACT_OK
        }
        TO_SANDBOX => redirect::to_sandbox(note.ifindex),
        ANSWERED | RESOLVED | TO_RESOLVER => {
            skb.set_host();
            redirect::to_sandbox(note.ifindex)
        }
        TO_UPLINK => {
            skb.set_mark(Mark::Decided);
            redirect::to_uplink(note.ifindex, note.next_hop)
        }
        _ => TC_ACT_SHOT,
    }
}

/// Tells of packets that were dropped, or began or ended their flow.
#[inline(never)]
fn report(skb: &Skb<'_>, hook: Hook, workspace: &Workspace) {
    let Workspace { tuple, frame, transport, outcome, .. } = workspace;
    let sighting = Sighting {
        hook,
        outcome: outcome.outcome_code(),
        ifindex: skb.ifindex(),
        length: skb.length(),
        now: clock::monotonic(),
        tuple,
        source_mac: &frame.source_mac,
        destination_mac: &frame.destination_mac,
        ethertype: frame.ethertype,
        tcp_flags: transport.tcp_flags,
    };
    match workspace.turn() {
        _ if outcome.is_drop() => events::dropped(&sighting),
        Some(kind) => events::flow(kind, &sighting),
        None => {}
    }
}
