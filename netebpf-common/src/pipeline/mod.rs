//! The whole path of a packet, hook by hook.
//!
//! What must never leak is enforced at the choke points (`from_bridge`, `to_bridge`, `from_netdev`, `to_netdev`), which
//! exist before any sandbox does. The hooks on an endpoint's veth take the fast way and add what only they can see.
//!
//! Two ways lead through the host. The fast one goes around its stack. What that cannot do (packets that are too long for
//! the uplink, whose hops have run out, or that a device without Ethernet header carries) takes the slow one: the stack
//! routes, fragments and reports errors, and the hooks translate where the packet enters or leaves the host.

mod bridge;
mod container;
mod flow;
mod netdev;
mod source;

use crate::{
    abi::Hook,
    packet::Packet,
    run::{Note, Run},
    tables::Tables,
    verdict::{Exit, Verdict},
};

/// Decides what becomes of a packet at a hook, and rewrites it where that is part of the decision.
#[inline(always)]
pub fn decide(hook: Hook, run: &mut Run<'_, impl Packet, impl Tables>) -> Verdict {
    run.workspace.begin();
    let verdict = match hook {
        Hook::FromContainer => container::from_container(run),
        Hook::ToContainer => container::to_container(run),
        Hook::FromBridge => bridge::from_bridge(run),
        Hook::ToBridge => bridge::to_bridge(run),
        Hook::FromNetdev => netdev::from_netdev(run),
        Hook::ToNetdev => netdev::to_netdev(run),
        Hook::Socket => Err(Exit::Pass),
    };
    let verdict = verdict.unwrap_or_else(Verdict::from);
    run.workspace.outcome = Note::of(verdict);
    verdict
}

#[cfg(test)]
mod tests;
