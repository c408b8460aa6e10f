//! The flow tables as the collector sees them, and its announcements to traffic.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap},
};
use netebpf_common::{
    abi::{Flow, Tuple},
    collect::{Collector, is_announced},
    tables::{Tables, Tier},
};

use super::{events, maps::Maps};

/// The flow that is being removed; zeroes for none.
#[map]
static COLLECTING: Array<[Tuple; 2]> = Array::with_max_entries(1, 0);
#[map]
static FENCE: HashMap<u32, u32> = HashMap::with_max_entries(1, 0);

impl Collector for Maps<'_> {
    #[inline(always)]
    fn flow(&self, tier: Tier, tuple: &Tuple) -> Option<Flow> {
        Tables::flow(self, tier, tuple).copied()
    }

    #[inline(always)]
    fn announce(&mut self, pair: &[Tuple; 2]) {
        if let Some(announced) = COLLECTING.get_ptr_mut(0) {
            // SAFETY: the pointer is valid for the program's run, and the daemon runs one collector at a time. Whoever reads
            // half of what is written here has come before the fence, and is seen by the look behind it.
            unsafe { *announced = *pair };
            fence();
        }
    }

    #[inline(always)]
    fn remove(&mut self, tier: Tier, tuple: &Tuple) {
        self.remove_flow(tier, tuple);
    }

    #[inline(always)]
    fn tell(&mut self, original: &Tuple) {
        events::timed_out(original);
    }
}

/// Whether a flow with one of these tuples is just being removed.
#[inline(always)]
pub(super) fn is_collecting(original: &Tuple, reply: &Tuple) -> bool {
    COLLECTING.get(0).is_some_and(|announced| is_announced(announced, original, reply))
}

/// Lets no later read come before an earlier write.
///
/// Removing an entry that is never there takes and gives back the map's lock, and does nothing else. Kernels before 5.12
/// have no instruction that orders memory, and no helper has it for its purpose.
#[inline(always)]
#[expect(clippy::let_underscore_must_use, reason = "there is nothing to remove")]
fn fence() {
    let _ = FENCE.remove(0);
}
