//! What the daemon and the BPF programs share: one file per map, key and value side by side.
//!
//! Every type is `repr(C)`, without padding and without an invalid bit pattern; zerocopy's derives prove it.
//! Addresses and ports are kept in network byte order, so packet bytes compare directly with map keys.

mod address;
mod askers;
mod config;
mod counters;
mod endpoints;
mod events;
mod flows;
mod fragments;
mod locals;
mod names;
mod networks;
mod published;
mod sockets;
mod uplinks;

pub use address::{Address, Mac, Port};
pub use askers::{Asker, QueryLimit};
pub use config::{Config, ConfigFlags, Resolver, Timeouts};
pub use counters::{COUNTERS_LENGTH, COUNTERS_PER_HOOK, Hook, counter_index};
pub use endpoints::{Endpoint, EndpointFlags, Family, LinkKey};
pub use events::{DropKey, Event, EventFilter, EventKind};
pub use flows::{Direction, Flow, FlowState, Translation, Tuple, Way, WayOut};
pub use fragments::{FragmentKey, FragmentPorts};
pub use locals::LocalAddress;
pub use names::{NAME_LENGTH, Name, NameKey, View};
pub use networks::{AllowKey, Network, TrustKey};
pub use published::{PublishBlock, PublishKey, PublishTarget};
pub use sockets::{Netns, PeerKey, SocketAddress};
pub use uplinks::Uplink;

/// Version of everything in this module; pinned maps of another version are refused, never reinterpreted.
pub const ABI_VERSION: u32 = 3;

/// IP protocol numbers (IANA) that the pipeline knows.
pub mod protocol {
    /// ICMP for IPv4 (RFC 792).
    pub const ICMP: u8 = 1;
    /// TCP (RFC 9293).
    pub const TCP: u8 = 6;
    /// UDP (RFC 768).
    pub const UDP: u8 = 17;
    /// ICMP for IPv6 (RFC 4443).
    pub const ICMPV6: u8 = 58;
    /// SCTP (RFC 9260).
    pub const SCTP: u8 = 132;
}

/// Names of the BPF maps, as pinned in the bpffs directory.
pub mod map_name {
    /// One [`super::Config`] at index 0.
    pub const CONFIG: &str = "CONFIG";
    /// [`super::Address`] → [`super::Endpoint`]: every endpoint by its address.
    pub const ENDPOINTS: &str = "ENDPOINTS";
    /// [`super::LinkKey`] → [`super::Endpoint`]: every endpoint by its host-side link.
    pub const ENDPOINT_LINKS: &str = "ENDPOINT_LINKS";
    /// [`super::Address`] → [`super::LocalAddress`]: every address of the host's namespace.
    pub const LOCALS: &str = "LOCALS";
    /// [`super::LinkKey`] → [`super::Uplink`]: the host devices that masquerade.
    pub const UPLINKS: &str = "UPLINKS";
    /// [`super::LinkKey`] of a bridge → [`super::Network`].
    pub const NETWORKS: &str = "NETWORKS";
    /// [`super::TrustKey`] → `u32`, by its presence: devices that may reach endpoints directly.
    pub const TRUSTED: &str = "TRUSTED";
    /// [`super::AllowKey`] → `u32`, by its presence: ports opened by links where ICC is off.
    pub const ALLOWED: &str = "ALLOWED";
    /// [`super::PublishBlock`] → [`super::PublishTarget`], a longest-prefix trie: published ports.
    pub const PUBLISHED: &str = "PUBLISHED";
    /// [`super::Tuple`] → [`super::Flow`]: conntrack of flows whose both ends are proved, one entry for each direction.
    pub const FLOWS: &str = "FLOWS";
    /// The same for flows that are not yet; a flood of them displaces only one another.
    pub const PENDING: &str = "PENDING";
    /// Nanoseconds of `CLOCK_MONOTONIC` at index 0, `u64`: until then a flow of the host's own may have been given another port.
    pub const HOST_FLOWS: &str = "HOST_FLOWS";
    /// [`super::FragmentKey`] → [`super::FragmentPorts`].
    pub const FRAGMENTS: &str = "FRAGMENTS";
    /// [`super::Netns`] → `u32`, by its presence: sandboxes that ask our resolver at 127.0.0.11.
    pub const RESOLVING: &str = "RESOLVING";
    /// [`super::PeerKey`] → [`super::SocketAddress`]: what a translated host socket believes its peer to be.
    pub const SOCKET_PEERS: &str = "SOCKET_PEERS";
    /// [`super::NameKey`] → [`super::Name`]: names that the kernel answers.
    pub const NAMES: &str = "NAMES";
    /// Index of a host-side link, `u32` → [`super::View`]: the endpoints that may ask for names.
    pub const VIEWS: &str = "VIEWS";
    /// Index of a host-side link, `u32` → [`super::Asker`].
    pub const ASKERS: &str = "ASKERS";
    /// `u64` per CPU, indexed by [`super::counter_index`].
    pub const COUNTERS: &str = "COUNTERS";
    /// [`super::DropKey`] → `u64` per CPU.
    pub const DROPS: &str = "DROPS";
    /// One [`super::EventFilter`] at index 0.
    pub const EVENT_FILTER: &str = "EVENT_FILTER";
    /// Ring buffer of [`super::Event`]s.
    pub const EVENTS: &str = "EVENTS";
    /// One `u64` per CPU at index 0: events that did not fit into the ring buffer.
    pub const EVENTS_LOST: &str = "EVENTS_LOST";
}
