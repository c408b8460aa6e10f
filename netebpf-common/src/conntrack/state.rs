//! How far a flow has come, and when it is over.

use crate::{
    abi::{Direction, Flow, FlowState, Timeouts, protocol},
    parse::{TransportKind, tcp_flag},
};

pub(crate) const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// The flow's state after a packet of `direction`.
///
/// Coarser than RFC 9293 on purpose: sequence numbers are the endpoints' business, only life times depend on this.
#[inline(always)]
#[must_use]
pub const fn next_state(
    state: FlowState,
    direction: Direction,
    kind: TransportKind,
    tcp_flags: u8,
) -> FlowState {
    let state = match (state, direction) {
        (FlowState::Unreplied, Direction::Reply) => FlowState::Established,
        (state, _) => state,
    };
    match kind {
        TransportKind::Tcp if tcp_flags & tcp_flag::RST != 0 => FlowState::Reset,
        TransportKind::Tcp if tcp_flags & tcp_flag::FIN != 0 => closed_by(state, direction),
        // Whoever got a true RST is silent, or answers with another one.
        TransportKind::Tcp if matches!(state, FlowState::Reset) => FlowState::Established,
        TransportKind::Tcp
        | TransportKind::Udp
        | TransportKind::Sctp
        | TransportKind::EchoRequest
        | TransportKind::EchoReply
        | TransportKind::Error
        | TransportKind::Generic => state,
    }
}

#[inline(always)]
const fn closed_by(state: FlowState, direction: Direction) -> FlowState {
    match (state, direction) {
        (FlowState::ReplyClosed, Direction::Original) | (FlowState::OriginalClosed, Direction::Reply) => {
            FlowState::Closed
        }
        (FlowState::Closed | FlowState::Reset, _) => state,
        (_, Direction::Original) => FlowState::OriginalClosed,
        (_, Direction::Reply) => FlowState::ReplyClosed,
    }
}

/// Whether the flow has been idle for longer than its state allows; `now` in nanoseconds of `CLOCK_MONOTONIC`.
#[inline(always)]
#[must_use]
pub fn is_expired(flow: &Flow, timeouts: &Timeouts, protocol: u32, now: u64) -> bool {
    // One load at an index: with a field for each case the compiler would load all of them first, onto a full stack.
    let seconds: &[u32; 9] = zerocopy::transmute_ref!(timeouts);
    let seconds = seconds.get(class(flow.state(), protocol)).copied().unwrap_or(0);
    now.saturating_sub(flow.last_seen) > u64::from(seconds) * NANOS_PER_SECOND
}

/// Which field of [`Timeouts`] holds for a flow, counted from the first.
#[inline(always)]
const fn class(state: FlowState, protocol: u32) -> usize {
    const TCP: u32 = protocol::TCP as u32;
    const UDP: u32 = protocol::UDP as u32;
    const ICMP: u32 = protocol::ICMP as u32;
    const ICMPV6: u32 = protocol::ICMPV6 as u32;
    const SCTP: u32 = protocol::SCTP as u32;
    match (protocol, state) {
        (TCP, FlowState::Unreplied) => 0,
        (TCP, FlowState::Established) => 1,
        (TCP, FlowState::OriginalClosed | FlowState::ReplyClosed) => 2,
        (TCP, FlowState::Closed | FlowState::Reset) => 3,
        (UDP, FlowState::Unreplied) => 4,
        (UDP, _) => 5,
        (ICMP | ICMPV6, _) => 6,
        (SCTP, _) => 7,
        _ => 8,
    }
}
