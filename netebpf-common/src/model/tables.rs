//! The tables as ordered maps, with a count of the lookups that the kernel would make.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    abi::{
        Address, AllowKey, Asker, Config, Endpoint, Flow, FlowState, FragmentKey, FragmentPorts, LinkKey,
        LocalAddress, Name, NameKey, Netns, Network, PeerKey, PublishBlock, PublishKey, PublishTarget,
        SocketAddress, TrustKey, Tuple, Uplink, View, WayOut,
    },
    collect,
    socket::SocketTables,
    tables::{Insert, Route, Tables, Tier},
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
    pub published: BTreeMap<PublishBlock, PublishTarget>,
    /// `NETWORKS`.
    pub networks: BTreeMap<LinkKey, Network>,
    /// `TRUSTED`.
    pub trusted: BTreeSet<TrustKey>,
    /// `ALLOWED`.
    pub allowed: BTreeSet<AllowKey>,
    /// `FLOWS`.
    pub flows: BTreeMap<Tuple, Flow>,
    /// `PENDING`.
    pub pending: BTreeMap<Tuple, Flow>,
    /// `FRAGMENTS`.
    pub fragments: BTreeMap<FragmentKey, FragmentPorts>,
    /// `RESOLVING`.
    pub resolving: BTreeSet<Netns>,
    /// `SOCKET_PEERS`.
    pub peers: BTreeMap<PeerKey, SocketAddress>,
    /// `NAMES`.
    pub names: BTreeMap<NameKey, Name>,
    /// `VIEWS`.
    pub views: BTreeMap<u32, View>,
    /// `ASKERS`.
    pub askers: BTreeMap<u32, Asker>,
    /// The routing table: an address in the subnet, its mask, the route; the first match wins. A wildcard next
    /// hop is the destination itself.
    pub routes: std::vec::Vec<(Address, Address, Route)>,
    /// Tuples that a host socket receives.
    pub host_sockets: BTreeSet<Tuple>,
    /// `HOST_FLOWS`.
    pub host_flows_until: u64,
    /// What the collector has announced.
    pub collecting: Option<[Tuple; 2]>,
    /// How many entries `flows` may have; zero for no limit.
    pub flow_limit: usize,
    /// How many entries `pending` may have before the least used gives way; zero for no limit.
    pub pending_limit: usize,
    /// Order in which entries of `pending` were used.
    uses: BTreeMap<Tuple, u64>,
    clock: u64,
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

    fn has_room(&mut self, tier: Tier) -> bool {
        match tier {
            Tier::Assured => self.flow_limit == 0 || self.flows.len() < self.flow_limit,
            Tier::Pending => {
                while self.pending_limit != 0 && self.pending.len() >= self.pending_limit {
                    let used = |tuple: &&Tuple| self.uses.get(*tuple).copied().unwrap_or(0);
                    let Some(oldest) = self.pending.keys().min_by_key(used).copied() else { break };
                    self.remove_flow(Tier::Pending, &oldest);
                }
                true
            }
        }
    }

    fn note_use(&mut self, tier: Tier, tuple: &Tuple) {
        if matches!(tier, Tier::Pending) {
            self.clock += 1;
            self.uses.insert(*tuple, self.clock);
        }
    }

    /// One of the two flow tables.
    #[must_use]
    pub const fn tier(&self, tier: Tier) -> &BTreeMap<Tuple, Flow> {
        match tier {
            Tier::Assured => &self.flows,
            Tier::Pending => &self.pending,
        }
    }

    /// The same, to change it.
    pub const fn tier_mut(&mut self, tier: Tier) -> &mut BTreeMap<Tuple, Flow> {
        match tier {
            Tier::Assured => &mut self.flows,
            Tier::Pending => &mut self.pending,
        }
    }

    /// The longest block that holds a port, as the kernel's trie finds it.
    fn find_published(&self, key: &PublishKey) -> Option<&PublishTarget> {
        let found = self.published.iter().filter(|(block, _)| block.contains(key));
        found.max_by_key(|(block, _)| block.bits()).map(|(_, target)| target)
    }
}

impl Tables for MapTables {
    fn endpoint_on_link(&self, link: LinkKey) -> Option<&Endpoint> {
        self.counted(self.endpoint_links.get(&link))
    }

    fn endpoint(&self, address: &Address) -> Option<&Endpoint> {
        self.counted(self.endpoints.get(address))
    }

    fn local(&self, address: &Address) -> Option<&LocalAddress> {
        self.counted(self.locals.get(address))
    }

    fn uplink(&self, link: LinkKey) -> Option<&Uplink> {
        self.counted(self.uplinks.get(&link))
    }

    fn published(&self, key: &PublishKey) -> Option<&PublishTarget> {
        self.counted(self.find_published(key))
    }

    fn route(&self, _ingress: u32, _source: &Address, destination: &Address) -> Option<Route> {
        if self.locals.contains_key(destination) {
            return None;
        }
        let (_, _, route) =
            self.routes.iter().find(|(subnet, mask, _)| destination.matches(*subnet, *mask))?;
        let on_link = route.next_hop.is_unspecified();
        Some(Route { next_hop: if on_link { *destination } else { route.next_hop }, ..*route })
    }

    fn host_socket(&self, tuple: &Tuple) -> bool {
        self.host_sockets.contains(tuple)
    }

    fn network(&self, bridge: LinkKey) -> Option<&Network> {
        self.counted(self.networks.get(&bridge))
    }

    fn trusted(&self, key: &TrustKey) -> bool {
        self.counted(self.trusted.contains(key))
    }

    fn allowed(&self, key: &AllowKey) -> bool {
        self.counted(self.allowed.contains(key))
    }

    fn fragment(&self, key: &FragmentKey) -> Option<&FragmentPorts> {
        self.counted(self.fragments.get(key))
    }

    fn remember_fragment(&mut self, key: &FragmentKey, ports: &FragmentPorts) -> bool {
        self.fragments.insert(*key, *ports);
        true
    }

    fn observe_flow(&mut self, tier: Tier, tuple: &Tuple, now: u64, length: u32, found: &mut Flow) -> bool {
        self.counted(());
        if !self.tier(tier).contains_key(tuple) {
            return false;
        }
        self.note_use(tier, tuple);
        let Some(flow) = self.tier_mut(tier).get_mut(tuple) else { return false };
        *found = *flow;
        flow.last_seen = now;
        flow.packets += 1;
        flow.bytes += u64::from(length);
        true
    }

    fn flow(&self, tier: Tier, tuple: &Tuple) -> Option<&Flow> {
        self.counted(self.tier(tier).get(tuple))
    }

    fn read_flow(&self, tier: Tier, tuple: &Tuple, found: &mut Flow) -> bool {
        self.flow(tier, tuple).map(|flow| *found = *flow).is_some()
    }

    fn insert_flow(&mut self, tier: Tier, tuple: &Tuple, flow: &Flow) -> Insert {
        if self.tier(tier).contains_key(tuple) {
            return Insert::Exists;
        }
        if !self.has_room(tier) {
            return Insert::Full;
        }
        self.note_use(tier, tuple);
        self.tier_mut(tier).insert(*tuple, *flow);
        Insert::Done
    }

    fn replace_flow(&mut self, tier: Tier, tuple: &Tuple, flow: &Flow) -> bool {
        let fits = self.tier(tier).contains_key(tuple) || self.has_room(tier);
        if fits {
            self.note_use(tier, tuple);
            self.tier_mut(tier).insert(*tuple, *flow);
        }
        fits
    }

    fn set_flow_state(&mut self, tier: Tier, tuple: &Tuple, state: FlowState) {
        if let Some(flow) = self.tier_mut(tier).get_mut(tuple) {
            flow.set_state(state);
        }
    }

    fn renew_flow(&mut self, tier: Tier, tuple: &Tuple, way_out: &WayOut, epoch: u32) -> bool {
        let Some(flow) = self.tier_mut(tier).get_mut(tuple) else { return false };
        flow.way_out = *way_out;
        flow.epoch = epoch;
        true
    }

    fn host_flows_until(&self) -> u64 {
        self.host_flows_until
    }

    fn set_host_flows_until(&mut self, until: u64) {
        self.host_flows_until = until;
    }

    fn is_collecting(&self, original: &Tuple, reply: &Tuple) -> bool {
        self.collecting.is_some_and(|pair| collect::is_announced(&pair, original, reply))
    }

    fn view(&self, ifindex: u32) -> Option<&View> {
        self.counted(self.views.get(&ifindex))
    }

    fn name(&self, key: &NameKey) -> Option<&Name> {
        self.counted(self.names.get(key))
    }

    fn asker(&mut self, ifindex: u32) -> Option<&mut Asker> {
        self.counted(());
        Some(self.askers.entry(ifindex).or_default())
    }

    fn remove_flow(&mut self, tier: Tier, tuple: &Tuple) {
        self.tier_mut(tier).remove(tuple);
        if matches!(tier, Tier::Pending) {
            self.uses.remove(tuple);
        }
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
        self.find_published(key).copied()
    }

    fn is_resolving(&self, netns: Netns) -> bool {
        self.resolving.contains(&netns)
    }

    fn peer(&self, key: &PeerKey) -> Option<SocketAddress> {
        self.peers.get(key).copied()
    }

    fn remember_peer(&mut self, key: &PeerKey, believed: &SocketAddress) -> bool {
        self.peers.insert(*key, *believed);
        true
    }
}
