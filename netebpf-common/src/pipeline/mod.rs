//! The whole path of a packet, hook by hook.
//!
//! What must never leak is enforced at the choke points (`from_bridge`, `to_bridge`, `from_netdev`, `to_netdev`), which
//! exist before any sandbox does. The hooks on an endpoint's veth take the fast way and add what only they can see.
//!
//! Two ways lead through the host. The fast one goes around its stack. What that cannot do (packets that are too long for
//! the uplink, whose hops have run out, or that a device without Ethernet header carries) takes the slow one: the stack
//! routes, fragments and reports errors, and the hooks translate where the packet enters or leaves the host.
//!
//! Three steps lead to a verdict: [`begin`] finds the packet's flow, [`admit`] decides about it if that has not been done
//! yet, [`forward`] sends the packet on. What goes to the name server takes [`ask`] instead of the second. In the kernel they
//! are functions that are called one after the other, so that the stack of one is free for the next, and the verifier walks
//! through each of them about once.

mod arp;
mod bridge;
mod container;
mod flow;
mod netdev;
mod resolver;
mod source;

pub use resolver::RESOLVER_MAC;

use crate::{
    abi::Hook,
    admission::{self, Origin},
    packet::Packet,
    run::{Note, Run},
    tables::Tables,
    verdict::{DropReason, Exit, Verdict},
};

/// What is to be done with a packet next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[must_use]
pub enum Step {
    /// Nothing: the workspace holds the verdict.
    Done = 0,
    /// Its flow is to be decided about.
    Admit = 1,
    /// It goes on as the flow in the workspace says.
    Forward = 2,
    /// It goes to the name server, or is answered: see [`ask`].
    Ask = 3,
}

/// Decides what becomes of a packet at a hook, and rewrites it where that is part of the decision.
#[inline(always)]
pub fn decide(hook: Hook, run: &mut Run<'_, impl Packet, impl Tables>) -> Verdict {
    let mut step = begin(hook, run);
    if matches!(step, Step::Ask) {
        step = ask(run);
    }
    if matches!(step, Step::Admit) {
        step = admit(hook, run);
    }
    if matches!(step, Step::Forward) {
        forward(hook, run);
    }
    run.workspace.outcome.verdict()
}

/// Looks at the packet, and finds its flow if it needs one.
#[inline(always)]
pub fn begin(hook: Hook, run: &mut Run<'_, impl Packet, impl Tables>) -> Step {
    run.workspace.begin();
    run.workspace.put_arrival(&run.arrival);
    let step = match hook {
        Hook::FromContainer => container::from_container(run),
        Hook::ToContainer => container::to_container(run),
        Hook::FromBridge => bridge::from_bridge(run),
        Hook::ToBridge => bridge::to_bridge(run),
        Hook::FromNetdev => netdev::from_netdev(run),
        Hook::ToNetdev => netdev::to_netdev(run),
        Hook::FromResolver => resolver::from_resolver(run),
        Hook::Socket => Err(Exit::Pass),
    };
    step.unwrap_or_else(|exit| conclude(run, exit.into()))
}

/// Answers a query for a name, or finds its way to the name server.
#[inline(always)]
pub fn ask(run: &mut Run<'_, impl Packet, impl Tables>) -> Step {
    resolver::ask(run).unwrap_or_else(|reason| conclude(run, Verdict::Drop(reason)))
}

/// Decides about the packet's flow.
#[inline(always)]
pub fn admit(hook: Hook, run: &mut Run<'_, impl Packet, impl Tables>) -> Step {
    let leaves = matches!(hook, Hook::ToNetdev);
    match admission::admit(run, leaves) {
        Ok(()) => Step::Forward,
        // What leaves a host device has passed all that could have made it the host's own business.
        Err(Exit::Pass) if leaves && matches!(run.workspace.origin(), Origin::Sandbox) => {
            conclude(run, Verdict::Drop(DropReason::Untranslated))
        }
        Err(exit) => conclude(run, exit.into()),
    }
}

/// Translates the packet as the flow in the workspace says.
#[inline(always)]
pub fn forward<T>(hook: Hook, run: &mut Run<'_, impl Packet, T>) {
    let verdict = match hook {
        Hook::FromContainer | Hook::FromBridge => flow::around_stack(run),
        Hook::FromNetdev => netdev::inwards(run),
        Hook::ToNetdev => netdev::outwards(run),
        Hook::ToBridge => flow::through_stack(run),
        Hook::FromResolver => resolver::inwards(run),
        Hook::ToContainer | Hook::Socket => Err(Exit::Pass),
    };
    run.workspace.outcome = Note::of(verdict.unwrap_or_else(Verdict::from));
}

/// Leaves the verdict in the workspace.
#[inline(always)]
const fn conclude<P, T>(run: &mut Run<'_, P, T>, verdict: Verdict) -> Step {
    run.workspace.outcome = Note::of(verdict);
    Step::Done
}

#[cfg(test)]
mod tests;
