//! Verdict → TC action and counter: the only place that knows TC's codes.

use aya_ebpf::{
    bindings::{TC_ACT_OK, TC_ACT_SHOT},
    programs::TcContext,
};
use netebpf_common::{
    abi::Hook,
    event::Sighting,
    packet::Packet as _,
    pipeline,
    run::{Arrival, Mark, Run, Workspace},
    verdict::{Outcome, Verdict},
};

use crate::kernel::{
    clock, counters, events,
    maps::{self, Maps},
    redirect,
    skb::Skb,
};

/// Runs one hook's part of the pipeline on a packet and carries its verdict out; `bare` says that the device's packets have
/// no Ethernet header.
#[inline(always)]
pub(crate) fn classify(context: &TcContext, hook: Hook, bare: bool) -> i32 {
    let Some((config, workspace)) = maps::settings() else { return TC_ACT_SHOT };
    let mut skb = Skb::new(context);
    let arrival = Arrival {
        ifindex: skb.ifindex(),
        ingress: skb.ingress_ifindex(),
        mark: skb.mark(),
        bare,
        now: clock::monotonic(),
    };
    let mut tables = Maps::new(context);
    let mut run = Run { packet: &mut skb, tables: &mut tables, config, workspace, arrival };
    // The verdict is read again from the workspace: the verifier would follow what comes after for each of its values.
    let _: Verdict = pipeline::decide(hook, &mut run);
    carry_out(context, hook, workspace)
}

#[inline(never)]
fn carry_out(context: &TcContext, hook: Hook, workspace: &Workspace) -> i32 {
    const PASS: u8 = Outcome::Passed.code();
    const TO_STACK: u8 = Outcome::ToStack.code();
    const TO_SANDBOX: u8 = Outcome::ToSandbox.code();
    const TO_UPLINK: u8 = Outcome::ToUplink.code();
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
