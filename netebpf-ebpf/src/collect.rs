//! The collector's program: no packet runs it, the daemon does.

use aya_ebpf::{bindings::TC_ACT_OK, programs::TcContext};
use netebpf_common::collect;

use crate::kernel::{
    clock,
    maps::{self, Maps},
    skb::Skb,
};

/// Removes those of the flows named in the packet that are over; see [`collect`].
#[inline(always)]
pub(crate) fn run(context: &TcContext) -> i32 {
    if let Some((config, _)) = maps::settings() {
        collect::collect(&mut Skb::new(context), &mut Maps::new(context), config, clock::monotonic());
    }
    TC_ACT_OK
}
