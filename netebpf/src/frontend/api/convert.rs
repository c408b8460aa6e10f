//! Between the wire's shapes and the model: the only place where one becomes the other.

mod container;
mod endpoint;
mod event;
mod network;
mod sandbox;

use std::str::FromStr;

use netebpf_common::{abi::Hook, verdict::Outcome};

use super::{
    error::Error,
    wire::{Counter, Feature, Program, Queries, Status, Table},
};
use crate::daemon::{self, FeatureStatus, ProgramStatus, TableSize};

pub(super) use container::{container, container_summary, is_exposed, is_published};
pub(super) use endpoint::endpoint_settings;
pub(super) use event::event;
pub(super) use network::{network, network_request, network_status, network_with_containers};
pub(super) use sandbox::{created_sandbox, sandbox_request, starter};

/// The data plane, and what was asked of the name server.
pub(super) fn status(status: &daemon::Status, queries: Vec<Queries>) -> Status {
    let data_plane = &status.data_plane;
    let program = |program: &ProgramStatus| Program {
        name: program.name.to_owned(),
        attached_to: program.attached.clone(),
        instructions: program.instructions,
    };
    let table = |table: &TableSize| Table {
        name: table.name.to_owned(),
        entries: table.entries,
        capacity: table.max,
    };
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        kernel: data_plane.kernel.clone(),
        attach_mode: data_plane.attach_mode.map(|mode| mode.to_string()).unwrap_or_default(),
        resolver: data_plane.resolver.map(|address| address.to_string()).unwrap_or_default(),
        features: data_plane.features.iter().map(feature).collect(),
        networks: status.networks,
        sandboxes: status.sandboxes,
        programs: data_plane.programs.iter().map(program).collect(),
        tables: data_plane.tables.iter().map(table).collect(),
        counters: data_plane.counters.iter().map(counter).collect(),
        queries,
        events_lost: data_plane.events_lost,
    }
}

fn feature(status: &FeatureStatus) -> Feature {
    Feature {
        name: status.name.to_owned(),
        available: status.available,
        needed_from: status.needed_from.to_owned(),
        meaning: status.meaning.to_owned(),
    }
}

fn counter(&(hook, code, packets): &(Hook, u8, u64)) -> Counter {
    let (outcome, meaning) = match Outcome::from_code(code) {
        Some(outcome) => (outcome.as_str().to_owned(), explain(outcome)),
        None => (code.to_string(), "An outcome that this version does not know."),
    };
    Counter { hook: hook.as_str().to_owned(), outcome, packets, meaning: meaning.to_owned() }
}

const fn explain(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "Left to the bridge or the host stack.",
        Outcome::ToSandbox => "Sent straight into a sandbox.",
        Outcome::ToUplink => "Sent straight out of the host.",
        Outcome::ToStack => "Translated, and left to the host stack.",
        Outcome::Translated => "A host socket's address was translated.",
        Outcome::Answered => "A query for a name, answered at once.",
        Outcome::Resolved => "A question for the name server's MAC, answered at once.",
        Outcome::ToResolver => "Sent to the name server.",
        Outcome::Dropped(reason) => reason.explain(),
    }
}

fn address<T: FromStr>(text: &str) -> Result<Option<T>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Error::Address(text.to_owned()))
}
