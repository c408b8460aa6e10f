//! Bytes tell a story of packets, rules and time; the player says when something happens that must not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netebpf_common::model::Player;

fuzz_target!(|bytes: &[u8]| Player::play(bytes));
