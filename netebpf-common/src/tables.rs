//! The pipeline's view of the maps, the routing table and the host's sockets.

use crate::abi::{
    Address, Endpoint, Flow, FlowState, LinkKey, LocalAddress, PublishKey, PublishTarget, Tuple, Uplink,
    WayOut,
};

/// Every lookup and update that the pipeline may make.
///
/// Values are copies. What must not be lost between two CPUs (`observe_flow`, `insert_flow`) is one operation.
pub trait Tables {
    /// The endpoint behind a host-side link.
    fn endpoint_on_link(&self, link: LinkKey) -> Option<Endpoint>;

    /// The endpoint with an address.
    fn endpoint(&self, address: Address) -> Option<Endpoint>;

    /// The host's own address, if it is one.
    fn local(&self, address: Address) -> Option<LocalAddress>;

    /// The host device's masquerade address.
    fn uplink(&self, link: LinkKey) -> Option<Uplink>;

    /// The endpoint behind a host port, without wildcard matching.
    fn published(&self, key: &PublishKey) -> Option<PublishTarget>;

    /// Where the host's routing table sends a packet that came in by `ingress`.
    fn route(&self, ingress: u32, source: Address, destination: Address) -> Option<Route>;

    /// Whether a socket of the host receives packets with this tuple.
    fn host_socket(&self, tuple: &Tuple) -> bool;

    /// Looks a flow up, notes that a packet of `length` bytes passed at `now`, and returns the entry as it was before.
    fn observe_flow(&mut self, tuple: &Tuple, now: u64, length: u32) -> Option<Flow>;

    /// Looks a flow up without leaving a trace.
    fn flow(&self, tuple: &Tuple) -> Option<Flow>;

    /// Adds a flow's entry. This is the arbiter between CPUs: of two that add the same tuple, one gets `Exists`.
    fn insert_flow(&mut self, tuple: &Tuple, flow: &Flow) -> Insert;

    /// Writes a flow's entry, replacing what was there; false when the table is full.
    fn replace_flow(&mut self, tuple: &Tuple, flow: &Flow) -> bool;

    /// Sets how far a flow has come, in one of its entries.
    fn set_flow_state(&mut self, tuple: &Tuple, state: FlowState);

    /// Confirms a flow's decision under a new epoch, in one of its entries.
    fn renew_flow(&mut self, tuple: &Tuple, way_out: &WayOut, epoch: u32);

    /// Removes a flow's entry.
    fn remove_flow(&mut self, tuple: &Tuple);
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
}
