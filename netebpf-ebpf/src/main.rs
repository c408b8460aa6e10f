//! The BPF programs. Each is one call: the decision is `netebpf_common::pipeline`'s, the effect is `verdict`'s.

#![no_std]
#![no_main]

mod collect;
mod kernel;
mod socket;
mod verdict;

use aya_ebpf::{
    bindings::TC_ACT_OK,
    macros::{cgroup_sock_addr, classifier},
    programs::{SockAddrContext, TcContext},
};
use netebpf_common::{abi::Hook, socket::Call};

#[classifier]
fn from_container(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::FromContainer as usize }, false>(&context)
}

#[classifier]
fn to_container(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::ToContainer as usize }, false>(&context)
}

#[classifier]
fn from_bridge(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::FromBridge as usize }, false>(&context)
}

#[classifier]
fn to_bridge(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::ToBridge as usize }, false>(&context)
}

#[classifier]
fn from_netdev(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::FromNetdev as usize }, false>(&context)
}

#[classifier]
fn to_netdev(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::ToNetdev as usize }, false>(&context)
}

#[classifier]
fn from_resolver(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::FromResolver as usize }, false>(&context)
}

/// As `from_netdev`, for devices whose packets have no Ethernet header (tun, WireGuard).
#[classifier]
fn from_netdev_bare(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::FromNetdev as usize }, true>(&context)
}

/// As `to_netdev`, for devices whose packets have no Ethernet header.
#[classifier]
fn to_netdev_bare(context: TcContext) -> i32 {
    verdict::classify::<{ Hook::ToNetdev as usize }, true>(&context)
}

/// Removes flows that are over; the daemon runs it with the candidates as a packet.
#[classifier]
fn collect(context: TcContext) -> i32 {
    collect::run(&context)
}

/// Does nothing: what a program costs at least, for the budgets of the packet tests.
#[classifier]
fn baseline(_context: TcContext) -> i32 {
    TC_ACT_OK
}

#[cgroup_sock_addr(connect4)]
fn connect4(context: SockAddrContext) -> i32 {
    socket::translate::<socket::V4>(&context, Call::Connect)
}

#[cgroup_sock_addr(connect6)]
fn connect6(context: SockAddrContext) -> i32 {
    socket::translate::<socket::V6>(&context, Call::Connect)
}

#[cgroup_sock_addr(sendmsg4)]
fn sendmsg4(context: SockAddrContext) -> i32 {
    socket::translate::<socket::V4>(&context, Call::Send)
}

#[cgroup_sock_addr(sendmsg6)]
fn sendmsg6(context: SockAddrContext) -> i32 {
    socket::translate::<socket::V6>(&context, Call::Send)
}

#[cgroup_sock_addr(recvmsg4)]
fn recvmsg4(context: SockAddrContext) -> i32 {
    socket::restore::<socket::V4>(&context)
}

#[cgroup_sock_addr(recvmsg6)]
fn recvmsg6(context: SockAddrContext) -> i32 {
    socket::restore::<socket::V6>(&context)
}

#[cgroup_sock_addr(getpeername4)]
fn getpeername4(context: SockAddrContext) -> i32 {
    socket::restore::<socket::V4>(&context)
}

#[cgroup_sock_addr(getpeername6)]
fn getpeername6(context: SockAddrContext) -> i32 {
    socket::restore::<socket::V6>(&context)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // No panic is reachable: the verifier refuses a program from which this endless loop can be entered.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
