//! The clock that flows live by.

use aya_ebpf::{
    Global,
    helpers::generated::{bpf_ktime_get_coarse_ns, bpf_ktime_get_ns},
};

/// 1 where the kernel has the coarse clock (Linux 5.11), else 0. The loader sets it, and the verifier removes the other
/// branch before it would meet a helper that it does not know.
#[unsafe(no_mangle)]
static COARSE_CLOCK: Global<u8> = Global::new(1);

/// Nanoseconds of `CLOCK_MONOTONIC`, as of the last tick where the kernel has that.
///
/// Idle times are counted in seconds, and reading the exact time is a sixth of what a packet costs between neighbours.
#[inline(always)]
pub(crate) fn monotonic() -> u64 {
    // SAFETY: the helpers have no arguments and no preconditions.
    unsafe { if COARSE_CLOCK.load() == 0 { bpf_ktime_get_ns() } else { bpf_ktime_get_coarse_ns() } }
}
