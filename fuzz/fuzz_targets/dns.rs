//! Bytes are what a sandbox sends to the name server; the player says when the answer is one that must not be.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use netebpf::dns::{Resolver, play};

static RESOLVER: LazyLock<Resolver> = LazyLock::new(play::resolver);

fuzz_target!(|bytes: &[u8]| play::play(&RESOLVER, bytes));
