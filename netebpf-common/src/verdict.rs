//! What becomes of a packet, and why.

use crate::abi::Address;

/// The pipeline's answer for one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Verdict {
    /// The kernel goes on as if we were not there: bridge or host stack.
    Pass,
    /// Translated and decided: the host stack carries it on as it is.
    ToStack,
    /// The packet ends here.
    Drop(DropReason),
    /// Straight into the sandbox behind this host-side veth (`bpf_redirect_peer`, Linux 5.10).
    ToSandbox {
        /// Index of the host-side veth.
        ifindex: u32,
    },
    /// Straight out of this host device (`bpf_redirect_neigh`, Linux 5.10).
    ToUplink {
        /// Index of the device.
        ifindex: u32,
        /// Whom to send to on that link.
        next_hop: Address,
    },
    /// A query that became its answer: back into the sandbox behind this host-side veth.
    Answered {
        /// Index of the host-side veth.
        ifindex: u32,
    },
    /// A question for the name server's MAC that became its answer: back into the sandbox as well.
    Resolved {
        /// Index of the host-side veth.
        ifindex: u32,
    },
    /// To the name server, by the device that leads to it (`bpf_redirect_peer`).
    ToResolver {
        /// Index of the device.
        ifindex: u32,
    },
}

/// Why a packet's way through the pipeline ends before it is forwarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The host stack is to have it, as it is.
    Pass,
    /// It is dropped.
    Drop(DropReason),
}

impl From<DropReason> for Exit {
    #[inline(always)]
    fn from(reason: DropReason) -> Self {
        Self::Drop(reason)
    }
}

impl From<Exit> for Verdict {
    #[inline(always)]
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Pass => Self::Pass,
            Exit::Drop(reason) => Self::Drop(reason),
        }
    }
}

impl Verdict {
    /// The outcome under which the packet is counted.
    #[inline(always)]
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Pass => Outcome::Passed,
            Self::ToStack => Outcome::ToStack,
            Self::Drop(reason) => Outcome::Dropped(reason),
            Self::ToSandbox { .. } => Outcome::ToSandbox,
            Self::ToUplink { .. } => Outcome::ToUplink,
            Self::Answered { .. } => Outcome::Answered,
            Self::Resolved { .. } => Outcome::Resolved,
            Self::ToResolver { .. } => Outcome::ToResolver,
        }
    }
}

/// What counters and events tell of a verdict.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// Left to bridge or host stack.
    Passed,
    /// Redirected into a sandbox.
    ToSandbox,
    /// Redirected out of the host.
    ToUplink,
    /// A host socket's address was translated.
    Translated,
    /// Translated, and left to the host stack.
    ToStack,
    /// A query for a name, answered at once.
    Answered,
    /// A question for the name server's MAC, answered at once.
    Resolved,
    /// Redirected to the name server.
    ToResolver,
    /// Dropped.
    Dropped(DropReason),
}

/// The code of the first drop reason; smaller ones are no drops.
pub const FIRST_REASON: u8 = 16;

impl Outcome {
    /// The outcome's stable number, below [`crate::abi::COUNTERS_PER_HOOK`].
    #[inline(always)]
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::ToSandbox => 1,
            Self::ToUplink => 2,
            Self::Translated => 3,
            Self::ToStack => 4,
            Self::Answered => 5,
            Self::ToResolver => 6,
            Self::Resolved => 7,
            Self::Dropped(reason) => FIRST_REASON + reason as u8,
        }
    }

    /// The outcome with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Passed),
            1 => Some(Self::ToSandbox),
            2 => Some(Self::ToUplink),
            3 => Some(Self::Translated),
            4 => Some(Self::ToStack),
            5 => Some(Self::Answered),
            6 => Some(Self::ToResolver),
            7 => Some(Self::Resolved),
            _ => {
                DropReason::ALL.get(usize::from(code.checked_sub(FIRST_REASON)?)).copied().map(Self::Dropped)
            }
        }
    }

    /// The outcome's name in counters and events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::ToSandbox => "to_sandbox",
            Self::ToUplink => "to_uplink",
            Self::Translated => "translated",
            Self::ToStack => "to_stack",
            Self::Answered => "answered",
            Self::Resolved => "resolved",
            Self::ToResolver => "to_resolver",
            Self::Dropped(reason) => reason.as_str(),
        }
    }
}

macro_rules! drop_reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal => $name:literal,)+) => {
        /// Why a packet was dropped. Numbers are stable: counters, events and tests use them.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum DropReason { $($(#[doc = $doc])+ $variant = $code,)+ }

        impl DropReason {
            /// All reasons, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The reason's name in counters and events.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the reason means, in one sentence.
            #[must_use]
            pub const fn explain(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

drop_reasons! {
    /// The packet is shorter than its headers say, or a header contradicts itself.
    Malformed = 0 => "malformed",
    /// A sandbox sent with a MAC or an address that is not its own.
    Spoofed = 1 => "spoofed",
    /// The link has programs but no endpoint: it is being added or removed.
    UnknownEndpoint = 2 => "unknown_endpoint",
    /// The packet goes to a container of another network.
    Isolated = 3 => "isolated",
    /// Containers of this network may not talk to each other.
    IccDisabled = 4 => "icc_disabled",
    /// The network is internal: nothing leaves it.
    Internal = 5 => "internal",
    /// A packet from outside goes to a container's own address.
    DirectAccess = 6 => "direct_access",
    /// An address was seen where it cannot come from: loopback on a wire, or a container outside.
    Martian = 7 => "martian",
    /// A fragment that came before its packet's first one, or after it was forgotten.
    Fragment = 8 => "fragment",
    /// A protocol or header that cannot be translated.
    UnsupportedProtocol = 9 => "unsupported_protocol",
    /// IPv6 on a network that has none.
    Ipv6Disabled = 10 => "ipv6_disabled",
    /// There is no route to the destination, or none that leads out of a known host device.
    NoRoute = 11 => "no_route",
    /// The host device has no address to masquerade with.
    NoUplinkAddress = 12 => "no_uplink_address",
    /// No source port is left towards this destination.
    NatPortsExhausted = 13 => "nat_ports_exhausted",
    /// The flow table took no new entry.
    FlowTableFull = 14 => "flow_table_full",
    /// The packet's time to live ran out.
    TtlExceeded = 15 => "ttl_exceeded",
    /// A container's packet reached a host device without translation.
    Untranslated = 16 => "untranslated",
    /// The kernel refused to change the packet.
    RewriteFailed = 17 => "rewrite_failed",
    /// The programs run without settings: the daemon has not finished its start.
    NotConfigured = 18 => "not_configured",
    /// A packet that only answers, resets or reports belongs to no known flow.
    UnknownFlow = 19 => "unknown_flow",
    /// IPv4 on a network that has none.
    Ipv4Disabled = 20 => "ipv4_disabled",
    /// A packet to a container's own address, which may be reached, but at a port that is not published.
    Unpublished = 21 => "unpublished",
    /// An older flow with these addresses and ports was just being removed; the next packet finds its place free.
    FlowEnding = 22 => "flow_ending",
    /// A packet to or from the name server's address that is no DNS: another protocol or port, or a fragment.
    NotDns = 23 => "not_dns",
    /// There is no name server for the sandbox: it is on no network with names, or the daemon has not finished its start.
    NoResolver = 24 => "no_resolver",
    /// The sandbox sends the name server more than it may.
    QueriesLimited = 25 => "queries_limited",
}

#[cfg(test)]
mod tests {
    use super::{DropReason, FIRST_REASON, Outcome};
    use crate::abi::COUNTERS_PER_HOOK;

    #[test]
    fn numbers_are_dense_unique_and_fit_the_counters() {
        for (number, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, number);
            let outcome = Outcome::Dropped(*reason);
            assert_eq!(Outcome::from_code(outcome.code()), Some(outcome));
            assert!(u32::from(outcome.code()) < COUNTERS_PER_HOOK);
            assert!(reason.explain().ends_with('.'), "{reason:?} is explained in a sentence");
        }
        assert_eq!(Outcome::from_code(FIRST_REASON - 1), None);
    }
}
