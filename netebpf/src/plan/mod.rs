//! What has to be done so that the kernel shows what the spec asks for.
//!
//! The order is part of the plan. What goes, goes first: a new owner may need its address or port. Then tables before
//! programs and programs before links go up, so that no packet meets a link without its rules. Some changes need the
//! index of a link that is only just being made; they are planned when it has been observed.

mod action;
mod display;
mod links;
mod ports;
mod programs;
mod sandboxes;
mod tables;
#[cfg(test)]
mod tests;

use crate::{
    compile::{Links, Wanted},
    kernel::Observed,
    model::Spec,
};

pub use action::{Action, Entry, InterfaceSetup, Key};

/// Returns the next changes, in the order in which they must be made; empty when there is nothing to do.
#[must_use]
pub fn plan(spec: &Spec, wanted: &Wanted, observed: &Observed, links: &Links<'_>) -> Vec<Action> {
    let tables = tables::compare(&wanted.tables, observed);
    let programs = programs::compare(observed, links);
    [
        tables.announce,
        // removal
        tables.unpublish,
        ports::release(wanted, observed),
        links::delete(observed, links),
        programs.detach,
        tables.delete,
        links::delete_addresses(spec, links),
        sandboxes::delete_routes(spec, observed),
        sandboxes::leave_resolver(spec, observed),
        sandboxes::delete_namespaces(spec, observed),
        // creation
        sandboxes::create_namespaces(spec, observed),
        links::create_bridges(spec, links),
        links::forward_ipv6(spec, observed),
        links::create_resolver(links),
        links::create_veths(spec, links),
        links::attach_to_bridges(spec, links),
        links::set_mtus(spec, links),
        ports::hold(wanted, observed),
        tables.put,
        tables.conclude,
        programs.attach,
        links::add_addresses(spec, links),
        links::set_up(links),
        links::add_forwarding_entries(spec, links),
        sandboxes::configure_interfaces(spec, observed, links),
        sandboxes::set_routes(spec, observed, links),
        sandboxes::reach_resolver(spec, observed, links),
    ]
    .concat()
}
