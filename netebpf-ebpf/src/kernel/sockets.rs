//! The host's sockets, as they would receive a packet.

use aya_ebpf::{
    bindings::{
        bpf_sock, bpf_sock_tuple, bpf_sock_tuple__bindgen_ty_1__bindgen_ty_1 as TupleV4,
        bpf_sock_tuple__bindgen_ty_1__bindgen_ty_2 as TupleV6,
    },
    helpers::{bpf_sk_lookup_tcp, bpf_sk_lookup_udp, bpf_sk_release},
    programs::TcContext,
};
use netebpf_common::abi::{Family, Tuple, protocol};

const TUPLE_V4_LENGTH: u32 = 12;
const TUPLE_V6_LENGTH: u32 = 36;
const CURRENT_NETNS: u64 = u64::MAX;
const TCP: u32 = protocol::TCP as u32;
const UDP: u32 = protocol::UDP as u32;

/// Whether a socket of the host, connected or listening, receives packets with this tuple (Linux 4.20).
#[cfg_attr(target_arch = "bpf", inline(never))]
pub(crate) fn receives(context: &TcContext, tuple: &Tuple) -> bool {
    // SAFETY: the structure holds plain numbers, for which all zeroes is a value.
    let mut query: bpf_sock_tuple = unsafe { core::mem::zeroed() };
    let (sport, dport) = (tuple.source_port.wire(), tuple.destination_port.wire());
    let length = match tuple.source.family() {
        Family::V4 => {
            let (saddr, daddr) = (tuple.source.v4_wire(), tuple.destination.v4_wire());
            query.__bindgen_anon_1.ipv4 = TupleV4 { saddr, daddr, sport, dport };
            TUPLE_V4_LENGTH
        }
        Family::V6 => {
            let (saddr, daddr) = (tuple.source.words(), tuple.destination.words());
            query.__bindgen_anon_1.ipv6 = TupleV6 { saddr, daddr, sport, dport };
            TUPLE_V6_LENGTH
        }
    };
    let skb = context.skb.skb.cast();
    // SAFETY: the pointer is to a local at least as long as the length that is passed.
    let socket = unsafe {
        match tuple.protocol {
            TCP => bpf_sk_lookup_tcp(skb, &raw mut query, length, CURRENT_NETNS, 0),
            UDP => bpf_sk_lookup_udp(skb, &raw mut query, length, CURRENT_NETNS, 0),
            _ => return false,
        }
    };
    release(socket)
}

/// Gives a looked-up socket back; false if there was none.
#[inline(always)]
fn release(socket: *mut bpf_sock) -> bool {
    if socket.is_null() {
        return false;
    }
    // SAFETY: the socket comes from a lookup of this run and is released once.
    unsafe { bpf_sk_release(socket.cast()) };
    true
}
