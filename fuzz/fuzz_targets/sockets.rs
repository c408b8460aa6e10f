//! Bytes tell which sockets connect, send and ask, and how ports come and go.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netebpf_common::model::play_sockets;

fuzz_target!(|bytes: &[u8]| play_sockets(bytes));
