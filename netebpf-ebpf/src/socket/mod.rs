//! The socket hooks: `connect` and `sendmsg` are translated, `recvmsg` and `getpeername` tell what was asked for.

mod address;

use aya_ebpf::programs::SockAddrContext;
use aya_log_ebpf::debug;
use netebpf_common::{
    abi::{Hook, SocketAddress},
    socket::{self, Call, Socket},
    verdict::Outcome,
};

use address::SocketFamily;
pub(crate) use address::{V4, V6};

use crate::kernel::{cookies, counters, maps::SocketMaps, refusal};

/// What a socket hook returns to let the call go on.
const PROCEED: i32 = 1;
/// What it returns to make the call fail.
const FAIL: i32 = 0;
/// As if nobody listened: programs try their next address then.
const ECONNREFUSED: i32 = 111;

/// Turns the address of a published port into the endpoint's.
#[inline(always)]
pub(crate) fn translate<F: SocketFamily>(context: &SockAddrContext, call: Call) -> i32 {
    let socket = cookies::describe(context);
    let wanted = F::read(context);
    match socket::translate(&socket, call, wanted, &mut SocketMaps) {
        Ok(None) => PROCEED,
        Ok(Some(backend)) => {
            F::write(context, backend);
            counters::count(Hook::Socket, Outcome::Translated.code());
            log(context, &socket, wanted, backend);
            PROCEED
        }
        Err(reason) => {
            counters::count(Hook::Socket, Outcome::Dropped(reason).code());
            refusal::set_error(ECONNREFUSED);
            FAIL
        }
    }
}

/// Turns an endpoint's address into the one that the program asked for.
#[inline(always)]
pub(crate) fn restore<F: SocketFamily>(context: &SockAddrContext) -> i32 {
    let backend = F::read(context);
    if let Some(believed) = socket::believed_peer(&cookies::describe(context), backend, &SocketMaps) {
        F::write(context, believed);
    }
    PROCEED
}

/// Tells whoever debugs a translation. The loader sets the level as a constant, so the verifier removes this from programs
/// that are not to log; packets are never logged, they are counted.
#[inline(always)]
fn log(context: &SockAddrContext, socket: &Socket, wanted: SocketAddress, backend: SocketAddress) {
    let host = |address: SocketAddress| (u32::from_be(address.address.v4_wire()), address.port.number());
    let ((to, port), (really, real_port)) = (host(wanted), host(backend));
    debug!(context, "socket {} asks for {:i}:{}, gets {:i}:{}", socket.cookie, to, port, really, real_port);
}
