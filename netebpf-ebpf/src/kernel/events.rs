//! What happened to single packets: drops are counted always, the rest is told when somebody asks.
//!
//! While nobody follows, a drop costs its count and one look at the filter, and no other packet costs anything.

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    helpers::bpf_get_prandom_u32,
    macros::map,
    maps::{Array, LruPerCpuHashMap, PerCpuArray, RingBuf},
};
use netebpf_common::{
    abi::{DropKey, Event, EventFilter, EventKind, Tuple},
    event::{self, Sighting},
};

use super::clock;

/// The ring buffer's size in bytes: some 2,900 events.
const RING: u32 = 256 * 1024;

#[map]
static DROPS: LruPerCpuHashMap<DropKey, u64> = LruPerCpuHashMap::pinned(16_384, 0);
#[map]
static EVENT_FILTER: Array<EventFilter> = Array::pinned(1, 0);
#[map]
static EVENTS: RingBuf = RingBuf::pinned(RING, 0);
#[map]
static EVENTS_LOST: PerCpuArray<u64> = PerCpuArray::pinned(1, 0);

/// The event while it is made. On the stack it would cost 80 bytes there is no room for.
#[map]
static EVENT: PerCpuArray<Event> = PerCpuArray::with_max_entries(1, 0);

/// A packet was dropped: counts it, and tells of it if somebody asks.
#[inline(always)]
pub(crate) fn dropped(sighting: &Sighting<'_>) {
    count(&DropKey::new(sighting.ifindex, sighting.hook, sighting.outcome));
    tell(EventKind::Drop, sighting);
}

/// A flow began or ended with a packet: tells of it if somebody asks.
#[inline(always)]
pub(crate) fn flow(kind: EventKind, sighting: &Sighting<'_>) {
    tell(kind, sighting);
}

/// A flow ended without a packet: tells of it if somebody asks.
///
/// Unlike packets this may be interrupted by a packet on the same CPU, so it makes its event in the ring buffer itself.
#[inline(always)]
pub(crate) fn timed_out(original: &Tuple) {
    let Some(filter) = EVENT_FILTER.get(0) else { return };
    if event::interval(filter, EventKind::FlowEnd) == 0 {
        return;
    }
    let Some(mut entry) = EVENTS.reserve::<Event>(0) else { return count_lost() };
    let event = entry.write(Event::timed_out(clock::monotonic(), *original));
    if event::select(filter, event, random()) { entry.submit(0) } else { entry.discard(0) }
}

#[inline(always)]
fn count(key: &DropKey) {
    if increment(key) {
        return;
    }
    if DROPS.insert(key, 1, u64::from(BPF_NOEXIST)).is_err() {
        // Another CPU has made the entry just now.
        increment(key);
    }
}

#[inline(always)]
fn increment(key: &DropKey) -> bool {
    let Some(counter) = DROPS.get_ptr_mut(key) else { return false };
    // SAFETY: the slot is this CPU's own, and TC programs run one at a time on a CPU.
    unsafe { *counter += 1 };
    true
}

#[inline(always)]
fn tell(kind: EventKind, sighting: &Sighting<'_>) {
    let Some(filter) = EVENT_FILTER.get(0) else { return };
    if event::interval(filter, kind) == 0 {
        return;
    }
    let Some(slot) = EVENT.get_ptr_mut(0) else { return };
    // SAFETY: the slot is this CPU's own, TC programs run one at a time on a CPU, and every bit pattern is an event.
    let event = unsafe { &mut *slot };
    sighting.fill(event, kind);
    if event::select(filter, event, random()) && EVENTS.output::<Event>(&*event, 0).is_err() {
        count_lost();
    }
}

#[inline(always)]
fn random() -> u32 {
    // SAFETY: the helper has no arguments and no preconditions.
    unsafe { bpf_get_prandom_u32() }
}

#[inline(always)]
fn count_lost() {
    if let Some(counter) = EVENTS_LOST.get_ptr_mut(0) {
        // SAFETY: as in `increment`.
        unsafe { *counter += 1 };
    }
}
