//! The host's routing table.

use aya_ebpf::{
    EbpfContext as _,
    bindings::{BPF_FIB_LKUP_RET_NO_NEIGH, BPF_FIB_LKUP_RET_SUCCESS, bpf_fib_lookup as FibLookup},
    helpers::bpf_fib_lookup,
    macros::map,
    maps::PerCpuArray,
    programs::TcContext,
};
use netebpf_common::{abi::Address, tables::Route};

const AF_INET: u8 = 2;

/// Length of the query, as the helper wants it.
const QUERY_LENGTH: i32 = 64;
const _: () = assert!(size_of::<FibLookup>() == 64);

/// The question that is put to the kernel and its answer. On the stack they would cost 64 bytes there is no room for, and
/// the verifier would follow each possible answer separately.
#[map]
static ROUTE_QUERY: PerCpuArray<FibLookup> = PerCpuArray::with_max_entries(1, 0);

/// Where the host forwards a packet that came in by `ingress` (Linux 4.18); `None` if it would not.
#[inline(always)]
pub(crate) fn lookup(
    context: &TcContext,
    ingress: u32,
    source: Address,
    destination: Address,
) -> Option<Route> {
    let slot = ROUTE_QUERY.get_ptr_mut(0)?;
    // SAFETY: the slot is this CPU's own, programs run one at a time on a CPU, and the structure holds plain numbers, for
    // which all zeroes is a value.
    let query = unsafe {
        slot.write_bytes(0, 1);
        &mut *slot
    };
    query.family = AF_INET;
    query.ifindex = ingress;
    query.__bindgen_anon_3.ipv4_src = source.v4_wire();
    query.__bindgen_anon_4.ipv4_dst = destination.v4_wire();
    // SAFETY: the pointer is to a map value of the size that is passed.
    let answer = unsafe { bpf_fib_lookup(context.as_ptr(), &raw mut *query, QUERY_LENGTH, 0) };
    let answer = u32::try_from(answer).ok()?;
    if answer != BPF_FIB_LKUP_RET_SUCCESS && answer != BPF_FIB_LKUP_RET_NO_NEIGH {
        return None;
    }
    // SAFETY: every bit pattern is a valid word; the helper leaves the gateway here, or the destination as it was.
    let next_hop = Address::v4_from_wire(unsafe { query.__bindgen_anon_4.ipv4_dst });
    Some(Route { ifindex: query.ifindex, next_hop })
}
