//! Prints as Docker's client does: lists and their formats, details, published ports, filters.
//!
//! Pure: what to print comes in as plain data, what was printed goes out as text. The expectations of the tests were
//! recorded from Docker's client (`tests/recorded.json`).

mod columns;
mod container;
mod data;
mod error;
mod filter;
mod inspect;
mod list;
mod natural;
mod network;
mod ports;
mod quote;
mod template;
#[cfg(test)]
mod tests;
mod timestamp;
mod width;

use crate::frontend::human_duration;
pub(in crate::cli) use columns::{OF_PROCESSES, align};
pub(in crate::cli) use container::ContainerRow;
pub(in crate::cli) use error::Error;
pub(in crate::cli) use filter::Filters;
pub(in crate::cli) use inspect::Inspection;
pub(in crate::cli) use list::List;
#[cfg(test)]
use list::Row;
pub(in crate::cli) use natural::compare_naturally;
pub(in crate::cli) use network::NetworkRow;
pub(in crate::cli) use ports::{Binding, PortMapping, port_lines};

/// The digits of an id that are shown.
const SHORT_ID: usize = 12;

/// The first 12 digits of an id, or all of it.
fn shown_id(id: &str, is_short: bool) -> String {
    if is_short { id.chars().take(SHORT_ID).collect() } else { id.to_owned() }
}

/// `a=1,b=2`.
fn joined_labels(labels: &std::collections::BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}
