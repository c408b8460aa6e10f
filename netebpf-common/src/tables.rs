//! The pipeline's view of the maps, the routing table and the host's sockets.

use crate::abi::{
    Address, AllowKey, Asker, Endpoint, Flow, FlowState, FragmentKey, FragmentPorts, LinkKey, LocalAddress,
    Name, NameKey, Network, PublishKey, PublishTarget, TrustKey, Tuple, Uplink, View, WayOut,
};

/// Which of the two flow tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    /// Flows whose both ends are proved: the one that began has answered the answer. Nothing displaces them.
    Assured = 1,
    /// Flows that might be one side's invention; the least used give way to new ones.
    Pending = 0,
}

/// Every lookup and update that the pipeline may make.
///
/// A reference to a value is read at once and only as far as it is needed: somebody may be writing a new one. What must not
/// be lost between two CPUs (`observe_flow`, `insert_flow`) is one operation.
pub trait Tables {
    /// The endpoint behind a host-side link.
    fn endpoint_on_link(&self, link: LinkKey) -> Option<&Endpoint>;

    /// The endpoint with an address.
    fn endpoint(&self, address: &Address) -> Option<&Endpoint>;

    /// The host's own address, if it is one.
    fn local(&self, address: &Address) -> Option<&LocalAddress>;

    /// The host device's masquerade address.
    fn uplink(&self, link: LinkKey) -> Option<&Uplink>;

    /// A network's settings, by its bridge.
    fn network(&self, bridge: LinkKey) -> Option<&Network>;

    /// Whether packets that come in by a device may go to the endpoints of a network directly.
    fn trusted(&self, key: &TrustKey) -> bool;

    /// Whether a link opens this port though the network has ICC off.
    fn allowed(&self, key: &AllowKey) -> bool;

    /// The ports that the first fragment of a packet carried.
    fn fragment(&self, key: &FragmentKey) -> Option<&FragmentPorts>;

    /// Notes the ports that the first fragment of a packet carries; false when the table is full.
    fn remember_fragment(&mut self, key: &FragmentKey, ports: &FragmentPorts) -> bool;

    /// The range of published ports that a port belongs to, without wildcard matching of the address.
    fn published(&self, key: &PublishKey) -> Option<&PublishTarget>;

    /// Where the host's routing table sends a packet that came in by `ingress`.
    fn route(&self, ingress: u32, source: &Address, destination: &Address) -> Option<Route>;

    /// Whether a socket of the host receives packets with this tuple.
    fn host_socket(&self, tuple: &Tuple) -> bool;

    /// Looks a flow up, leaves the entry as it was in `found`, and notes that a packet of `length` bytes passed at `now`.
    fn observe_flow(&mut self, tier: Tier, tuple: &Tuple, now: u64, length: u32, found: &mut Flow) -> bool;

    /// Looks a flow up without leaving a trace.
    fn flow(&self, tier: Tier, tuple: &Tuple) -> Option<&Flow>;

    /// The same, leaving the entry in `found`.
    fn read_flow(&self, tier: Tier, tuple: &Tuple, found: &mut Flow) -> bool;

    /// Adds a flow's entry. This is the arbiter between CPUs: of two that add the same tuple, one gets `Exists`.
    fn insert_flow(&mut self, tier: Tier, tuple: &Tuple, flow: &Flow) -> Insert;

    /// Writes a flow's entry, replacing what was there; false when the table is full.
    fn replace_flow(&mut self, tier: Tier, tuple: &Tuple, flow: &Flow) -> bool;

    /// Sets how far a flow has come, in one of its entries.
    fn set_flow_state(&mut self, tier: Tier, tuple: &Tuple, state: FlowState);

    /// Confirms a flow's decision under a new epoch, in one of its entries; false if that is not there.
    fn renew_flow(&mut self, tier: Tier, tuple: &Tuple, way_out: &WayOut, epoch: u32) -> bool;

    /// Whether the collector is just removing a flow with one of these tuples (see [`crate::collect`]).
    fn is_collecting(&self, original: &Tuple, reply: &Tuple) -> bool;

    /// Until when there may be flows of the host's own, in nanoseconds of `CLOCK_MONOTONIC`.
    fn host_flows_until(&self) -> u64;

    /// Notes that there is a flow of the host's own.
    fn set_host_flows_until(&mut self, until: u64);

    /// Whose names the endpoint behind a host-side link is told; `None` if it may not ask.
    fn view(&self, ifindex: u32) -> Option<&View>;

    /// What a name means.
    fn name(&self, key: &NameKey) -> Option<&Name>;

    /// What the endpoint behind a host-side link has asked; `None` when the table is full.
    fn asker(&mut self, ifindex: u32) -> Option<&mut Asker>;

    /// Removes a flow's entry.
    fn remove_flow(&mut self, tier: Tier, tuple: &Tuple);
}

/// What became of an insertion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Insert {
    /// The entry is there now and was not before.
    Done,
    /// An entry with this tuple was there already.
    Exists,
    /// The table took no new entry.
    Full,
}

/// A route's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// The device to send from.
    pub ifindex: u32,
    /// The neighbour to send to: the gateway, or the destination itself.
    pub next_hop: Address,
    /// The longest packet that the route takes, in bytes; zero if the kernel does not say.
    pub mtu: u32,
    /// The address that the host itself would send from; the wildcard if the kernel does not say.
    pub source: Address,
}
