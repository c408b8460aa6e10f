//! Rows of the state file: JSON types of their own, so that the model may change while files stay readable.

mod attachment;
mod network;
mod sandbox;

use serde::Serialize;

pub(super) use network::{read_network, write_network};
pub(super) use sandbox::{read_sandbox, write_sandbox};

fn to_json(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("records have string keys and no failing serializer")
}
