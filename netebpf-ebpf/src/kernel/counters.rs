//! One counter per hook and outcome, per CPU.

use aya_ebpf::{macros::map, maps::PerCpuArray};
use netebpf_common::abi::{COUNTERS_LENGTH, Hook, counter_index};

#[map]
static COUNTERS: PerCpuArray<u64> = PerCpuArray::pinned(COUNTERS_LENGTH, 0);

/// Counts one packet or socket call; `outcome` is the code of an [`Outcome`](netebpf_common::verdict::Outcome).
#[inline(always)]
pub(crate) fn count(hook: Hook, outcome: u8) {
    if let Some(counter) = COUNTERS.get_ptr_mut(counter_index(hook, outcome)) {
        // SAFETY: the slot is this CPU's own, and BPF programs are not preempted by one another on a CPU here.
        unsafe { *counter += 1 };
    }
}
