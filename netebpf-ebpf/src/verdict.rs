//! Verdict → TC action and counter: the only place that knows TC's codes.

use aya_ebpf::{
    bindings::{TC_ACT_OK, TC_ACT_SHOT},
    programs::TcContext,
};
use netebpf_common::{
    abi::Hook,
    pipeline,
    run::{Arrival, Mark, Run},
    verdict::Verdict,
};

use crate::kernel::{
    clock, counters,
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
    let verdict = pipeline::decide(
        hook,
        &mut Run { packet: &mut skb, tables: &mut tables, config, workspace, arrival },
    );
    counters::count(hook, verdict.outcome());
    match verdict {
        Verdict::Pass => {
            skb.set_mark(if matches!(hook, Hook::FromContainer) { Mark::Checked } else { Mark::None });
            TC_ACT_OK
        }
        Verdict::ToStack => {
            skb.set_mark(Mark::Decided);
            TC_ACT_OK
        }
        Verdict::Drop(_) => TC_ACT_SHOT,
        Verdict::ToSandbox { ifindex } => redirect::to_sandbox(ifindex),
        Verdict::ToUplink { ifindex, next_hop } => {
            skb.set_mark(Mark::Decided);
            redirect::to_uplink(ifindex, next_hop)
        }
    }
}
