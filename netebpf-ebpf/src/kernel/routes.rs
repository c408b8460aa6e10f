//! The host's routing table.

use aya_ebpf::{
    EbpfContext as _,
    bindings::{BPF_FIB_LKUP_RET_NO_NEIGH, BPF_FIB_LKUP_RET_SUCCESS, bpf_fib_lookup as FibLookup},
    helpers::bpf_fib_lookup,
    macros::map,
    maps::PerCpuArray,
    programs::TcContext,
};
use netebpf_common::{
    abi::{Address, Family},
    tables::Route,
};

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Length of the query, as the helper wants it.
const QUERY_LENGTH: i32 = 64;
const _: () = assert!(size_of::<FibLookup>() == 64);

/// Tell the address that the host would send from (Linux 6.7).
const TELL_SOURCE: u32 = 16;

/// Do not ask for the neighbour's MAC (Linux 6.3); otherwise the MTU is only told when that is known.
const SKIP_NEIGHBOUR: u32 = 4;
const EINVAL: i64 = -22;

/// Any length makes the kernel tell the route's MTU in the same field (Linux 5.12).
const ASK_FOR_MTU: u16 = 1;

/// The question that is put to the kernel and its answer. On the stack they would cost 64 bytes there is no room for, and
/// the verifier would follow each possible answer separately.
#[map]
static ROUTE_QUERY: PerCpuArray<FibLookup> = PerCpuArray::with_max_entries(1, 0);

/// Where the host forwards a packet that came in by `ingress` (Linux 4.18); `None` if it would not.
#[inline(always)]
pub(crate) fn lookup(
    context: &TcContext,
    ingress: u32,
    source: &Address,
    destination: &Address,
) -> Option<Route> {
    let slot = ROUTE_QUERY.get_ptr_mut(0)?;
    // SAFETY: the slot is this CPU's own, programs run one at a time on a CPU, and the structure holds plain numbers, for
    // which all zeroes is a value.
    let query = unsafe {
        slot.write_bytes(0, 1);
        &mut *slot
    };
    query.ifindex = ingress;
    query.__bindgen_anon_1.tot_len = ASK_FOR_MTU;
    match destination.family() {
        Family::V4 => {
            query.family = AF_INET;
            query.__bindgen_anon_3.ipv4_src = source.v4_wire();
            query.__bindgen_anon_4.ipv4_dst = destination.v4_wire();
        }
        Family::V6 => {
            query.family = AF_INET6;
            query.__bindgen_anon_3.ipv6_src = source.words();
            query.__bindgen_anon_4.ipv6_dst = destination.words();
        }
    }
    let told_source = ask(context, query)?;
    // SAFETY: every bit pattern is a valid word; the helper leaves the gateway here, or the destination as it was, and
    // the gateway of an IPv4 route may be an IPv6 one (RFC 8950).
    let (next_hop, told) = unsafe {
        let next_hop = if query.family == AF_INET {
            Address::v4_from_wire(query.__bindgen_anon_4.ipv4_dst)
        } else {
            Address::from_words(query.__bindgen_anon_4.ipv6_dst)
        };
        (next_hop, query.__bindgen_anon_1.mtu_result)
    };
    let mtu = if told == ASK_FOR_MTU { 0 } else { u32::from(told) };
    let preferred = if told_source { source_of(query) } else { Address::unspecified(destination.family()) };
    Some(Route { ifindex: query.ifindex, next_hop, mtu, source: preferred })
}

/// Puts the question; `None` if there is no route that forwards, else whether the source was told.
///
/// A kernel that does not know a flag refuses the question and leaves it as it is.
#[inline(always)]
fn ask(context: &TcContext, query: &mut FibLookup) -> Option<bool> {
    // SAFETY: the pointer is to a map value of the size that is passed.
    let put = |query: &mut FibLookup, flags| unsafe {
        bpf_fib_lookup(context.as_ptr(), &raw mut *query, QUERY_LENGTH, flags)
    };
    let mut told_source = true;
    let mut answer = put(query, SKIP_NEIGHBOUR | TELL_SOURCE);
    if answer == EINVAL {
        told_source = false;
        answer = put(query, SKIP_NEIGHBOUR);
    }
    if answer == EINVAL {
        answer = put(query, 0);
    }
    let found =
        answer == i64::from(BPF_FIB_LKUP_RET_SUCCESS) || answer == i64::from(BPF_FIB_LKUP_RET_NO_NEIGH);
    found.then_some(told_source)
}

/// The source that the kernel has put in the place of ours.
#[inline(always)]
fn source_of(query: &FibLookup) -> Address {
    // SAFETY: every bit pattern is a valid word.
    unsafe {
        if query.family == AF_INET {
            Address::v4_from_wire(query.__bindgen_anon_3.ipv4_src)
        } else {
            Address::from_words(query.__bindgen_anon_3.ipv6_src)
        }
    }
}
