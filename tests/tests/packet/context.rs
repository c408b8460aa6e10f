//! What a test run tells a program about where its packet came in.

use netebpf_common::run::Arrival;

/// The fields of `struct __sk_buff` up to `ifindex`, which is as much as a test run takes from us.
const CONTEXT_WORDS: usize = 11;
const INGRESS_IFINDEX: usize = 9;
const IFINDEX: usize = 10;

/// The beginning of a packet's `struct __sk_buff`.
pub(crate) fn context(arrival: &Arrival) -> [u8; CONTEXT_WORDS * 4] {
    let mut context = [0; CONTEXT_WORDS * 4];
    for (word, value) in [(INGRESS_IFINDEX, arrival.ingress), (IFINDEX, arrival.ifindex)] {
        context[word * 4..word * 4 + 4].copy_from_slice(&value.to_ne_bytes());
    }
    context
}
