//! The tables as ordered maps, with a count of the lookups that the kernel would make.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    abi::{
        Address, Config, Endpoint, Flow, FlowState, LinkKey, LocalAddress, PeerKey, PublishKey,
        PublishTarget, SocketAddress, Tuple, Uplink, WayOut,
    },
    socket::SocketTables,
    tables::{Insert, Route, Tables},
};

/// The world of one test.
#[derive(Clone, Debug, Default)]
pub struct MapTables {
    /// `CONFIG`.
    pub config: Option<Config>,
    /// `ENDPOINTS`.
    pub endpoints: BTreeMap<Address, Endpoint>,
    /// `ENDPOINT_LINKS`.
    pub endpoint_links: BTreeMap<LinkKey, Endpoint>,
    /// `LOCALS`.
    pub locals: BTreeMap<Address, LocalAddress>,
    /// `UPLINKS`.
    pub uplinks: BTreeMap<LinkKey, Uplink>,
    /// `PUBLISHED`.
    pub published: BTreeMap<PublishKey, PublishTarget>,
    /// `FLOWS`.
    pub flows: BTreeMap<Tuple, Flow>,
    /// `SOCKET_PEERS`.
    pub peers: BTreeMap<PeerKey, SocketAddress>,
    /// The routing table: an address in the subnet, its mask, the route; the first match wins. A next hop of
    /// [`Address::UNSPECIFIED_V4`] is the destination itself.
    pub routes: std::vec::Vec<(Address, Address, Route)>,
    /// Tuples that a host socket receives.
    pub host_sockets: BTreeSet<Tuple>,
    /// How many entries `flows` may have; zero for no limit.
    pub flow_limit: usize,
    lookups: Cell<u32>,
}

impl MapTables {
    /// Hash map lookups since the last call; array reads, which the kernel inlines, are not counted.
    pub fn take_lookups(&self) -> u32 {
        self.lookups.take()
    }

    fn counted<T>(&self, found: T) -> T {
        self.lookups.set(self.lookups.get() + 1);
        found
    }

    fn has_room(&self) -> bool {
        self.flow_limit == 0 || self.flows.len() < self.flow_limit
    }
}

impl Tables for MapTables {
    fn endpoint_on_link(&self, link: LinkKey) -> Option<Endpoint> {
        self.counted(self.endpoint_links.get(&link).copied())
    }

    fn endpoint(&self, address: Address) -> Option<Endpoint> {
        self.counted(self.endpoints.get(&address).copied())
    }

    fn local(&self, address: Address) -> Option<LocalAddress> {
        self.counted(self.locals.get(&address).copied())
    }

    fn uplink(&self, link: LinkKey) -> Option<Uplink> {
        self.counted(self.uplinks.get(&link).copied())
    }

    fn published(&self, key: &PublishKey) -> Option<PublishTarget> {
        self.counted(self.published.get(key).copied())
    }

    fn route(&self, _ingress: u32, _source: Address, destination: Address) -> Option<Route> {
        if self.locals.contains_key(&destination) {
            return None;
        }
        let (_, _, route) =
            self.routes.iter().find(|(subnet, mask, _)| destination.matches(*subnet, *mask))?;
        let on_link = route.next_hop == Address::UNSPECIFIED_V4;
        Some(Route { ifindex: route.ifindex, next_hop: if on_link { destination } else { route.next_hop } })
    }

    fn host_socket(&self, tuple: &Tuple) -> bool {
        self.host_sockets.contains(tuple)
    }

    fn observe_flow(&mut self, tuple: &Tuple, now: u64, length: u32) -> Option<Flow> {
        self.counted(());
        let flow = self.flows.get_mut(tuple)?;
        let before = *flow;
        flow.last_seen = now;
        flow.packets += 1;
        flow.bytes += u64::from(length);
        Some(before)
    }

    fn flow(&self, tuple: &Tuple) -> Option<Flow> {
        self.counted(self.flows.get(tuple).copied())
    }

    fn insert_flow(&mut self, tuple: &Tuple, flow: &Flow) -> Insert {
        if self.flows.contains_key(tuple) {
            return Insert::Exists;
        }
        if !self.has_room() {
            return Insert::Full;
        }
        self.flows.insert(*tuple, *flow);
        Insert::Done
    }

    fn replace_flow(&mut self, tuple: &Tuple, flow: &Flow) -> bool {
        let fits = self.flows.contains_key(tuple) || self.has_room();
        if fits {
            self.flows.insert(*tuple, *flow);
        }
        fits
    }

    fn set_flow_state(&mut self, tuple: &Tuple, state: FlowState) {
        if let Some(flow) = self.flows.get_mut(tuple) {
            flow.set_state(state);
        }
    }

    fn renew_flow(&mut self, tuple: &Tuple, way_out: &WayOut, epoch: u32) {
        if let Some(flow) = self.flows.get_mut(tuple) {
            flow.way_out = *way_out;
            flow.epoch = epoch;
        }
    }

    fn remove_flow(&mut self, tuple: &Tuple) {
        self.flows.remove(tuple);
    }
}

impl SocketTables for MapTables {
    fn config(&self) -> Option<Config> {
        self.config
    }

    fn local(&self, address: Address) -> Option<LocalAddress> {
        self.locals.get(&address).copied()
    }

    fn published(&self, key: &PublishKey) -> Option<PublishTarget> {
        self.published.get(key).copied()
    }

    fn peer(&self, key: &PeerKey) -> Option<SocketAddress> {
        self.peers.get(key).copied()
    }

    fn remember_peer(&mut self, key: &PeerKey, believed: &SocketAddress) -> bool {
        self.peers.insert(*key, *believed);
        true
    }
}
