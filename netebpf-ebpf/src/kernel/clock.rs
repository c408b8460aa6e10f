//! The clock that flows live by.

use aya_ebpf::helpers::generated::bpf_ktime_get_coarse_ns;

/// Nanoseconds of `CLOCK_MONOTONIC` as of the last tick (Linux 5.11).
///
/// Idle times are counted in seconds, and reading the exact time is a sixth of what a packet costs between neighbours.
#[inline(always)]
pub(crate) fn monotonic() -> u64 {
    // SAFETY: the helper has no arguments and no preconditions.
    unsafe { bpf_ktime_get_coarse_ns() }
}
