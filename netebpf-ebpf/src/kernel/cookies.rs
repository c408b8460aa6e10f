//! Who calls: a socket and its network namespace, by cookies that are never given twice.

use aya_ebpf::{
    helpers::{bpf_get_netns_cookie, bpf_get_socket_cookie},
    programs::SockAddrContext,
};
use netebpf_common::socket::Socket;

/// The socket of a call (namespace cookies: Linux 5.7).
#[inline(always)]
pub(crate) fn describe(context: &SockAddrContext) -> Socket {
    let raw = context.sock_addr;
    // SAFETY: the context is valid for the program's run; the helpers take nothing else.
    let (cookie, netns_cookie, [protocol, ..]) = unsafe {
        let protocol = (*raw).protocol.to_le_bytes();
        (bpf_get_socket_cookie(raw.cast()), bpf_get_netns_cookie(raw.cast()), protocol)
    };
    Socket { cookie, netns_cookie, protocol }
}
