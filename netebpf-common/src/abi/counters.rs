//! Packet counters: one per hook and outcome, per CPU.

/// Where a packet met the pipeline, named by its movement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Hook {
    /// Ingress of an endpoint's host-side veth: the packet leaves a sandbox.
    FromContainer = 0,
    /// Egress of an endpoint's host-side veth: the packet enters a sandbox by the slow way.
    ToContainer = 1,
    /// Ingress of a network's bridge device: the packet reaches the host stack.
    FromBridge = 2,
    /// Egress of a network's bridge device: the host stack sends into the network.
    ToBridge = 3,
    /// Ingress of a host device that is not ours.
    FromNetdev = 4,
    /// Egress of a host device that is not ours.
    ToNetdev = 5,
    /// The socket hooks of the cgroup.
    Socket = 6,
    /// Ingress of the device that leads to the name server: its answers to sandboxes.
    FromResolver = 7,
}

impl Hook {
    /// All hooks, by number.
    pub const ALL: [Self; 8] = [
        Self::FromContainer,
        Self::ToContainer,
        Self::FromBridge,
        Self::ToBridge,
        Self::FromNetdev,
        Self::ToNetdev,
        Self::Socket,
        Self::FromResolver,
    ];

    /// The hook's name, as in the program's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FromContainer => "from_container",
            Self::ToContainer => "to_container",
            Self::FromBridge => "from_bridge",
            Self::ToBridge => "to_bridge",
            Self::FromNetdev => "from_netdev",
            Self::ToNetdev => "to_netdev",
            Self::Socket => "socket",
            Self::FromResolver => "from_resolver",
        }
    }
}

/// How many counters a hook has; more than there are outcomes, so that new ones need no new map.
pub const COUNTERS_PER_HOOK: u32 = 64;

/// How many counters there are.
pub const COUNTERS_LENGTH: u32 = (Hook::FromResolver as u32 + 1) * COUNTERS_PER_HOOK;

/// The index in `COUNTERS` of an outcome (see [`crate::verdict::Outcome::code`]) at a hook.
#[inline(always)]
#[must_use]
pub const fn counter_index(hook: Hook, outcome: u8) -> u32 {
    hook as u32 * COUNTERS_PER_HOOK + outcome as u32
}
