//! The ways around bridge and host stack.

use aya_ebpf::{
    bindings::bpf_redir_neigh,
    helpers::{bpf_redirect_neigh, bpf_redirect_peer},
};
use netebpf_common::abi::{Address, Family};

const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;

/// Length of the neighbour structure, as the helper wants it.
const NEIGHBOUR_LENGTH: i32 = 20;
const _: () = assert!(size_of::<bpf_redir_neigh>() == 20);

/// Sends the packet into the sandbox behind a host-side veth (Linux 5.10); the kernel drops it if the link is down.
#[inline(always)]
pub(crate) fn to_sandbox(ifindex: u32) -> i32 {
    // SAFETY: the helper takes plain numbers.
    action(unsafe { bpf_redirect_peer(ifindex, 0) })
}

/// Sends the packet out of a device to a neighbour, whose MAC the kernel finds (Linux 5.10).
#[inline(always)]
pub(crate) fn to_uplink(ifindex: u32, next_hop: Address) -> i32 {
    // SAFETY: the structure holds plain numbers, for which all zeroes is a value.
    let mut neighbour: bpf_redir_neigh = unsafe { core::mem::zeroed() };
    match next_hop.family() {
        Family::V4 => {
            neighbour.nh_family = AF_INET;
            neighbour.__bindgen_anon_1.ipv4_nh = next_hop.v4_wire();
        }
        Family::V6 => {
            neighbour.nh_family = AF_INET6;
            neighbour.__bindgen_anon_1.ipv6_nh = next_hop.words();
        }
    }
    // SAFETY: the pointer is to a local of the size that is passed.
    action(unsafe { bpf_redirect_neigh(ifindex, &raw mut neighbour, NEIGHBOUR_LENGTH, 0) })
}

/// The TC action that a helper returned.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "TC actions are small numbers; BPF registers have 64 bits"
)]
const fn action(returned: i64) -> i32 {
    returned as i32
}
