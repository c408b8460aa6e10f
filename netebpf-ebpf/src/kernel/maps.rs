//! The maps, as the pipeline's tables. Every value is copied out; what must not be lost is done in place.

use core::ptr;

use aya_ebpf::{
    bindings::{BPF_ANY, BPF_F_NO_PREALLOC, BPF_NOEXIST},
    macros::map,
    maps::{
        Array, HashMap, LruHashMap, PerCpuArray,
        lpm_trie::{Key, LpmTrie},
    },
    programs::TcContext,
};
use netebpf_common::{
    abi::{
        Address, AllowKey, Asker, Config, Endpoint, Flow, FlowState, FragmentKey, FragmentPorts, LinkKey,
        LocalAddress, Name, NameKey, Netns, Network, PeerKey, PublishBlock, PublishKey, PublishTarget,
        SocketAddress, TrustKey, Tuple, Uplink, View, WayOut,
    },
    run::Workspace,
    socket::SocketTables,
    tables::{Insert, Route, Tables, Tier},
};

use super::{collector, routes, sockets};

const EEXIST: i32 = -17;

#[map]
static CONFIG: Array<Config> = Array::pinned(1, 0);
#[map]
static ENDPOINTS: HashMap<Address, Endpoint> = HashMap::pinned(65_536, BPF_F_NO_PREALLOC);
#[map]
static ENDPOINT_LINKS: HashMap<LinkKey, Endpoint> = HashMap::pinned(65_536, BPF_F_NO_PREALLOC);
#[map]
static LOCALS: HashMap<Address, LocalAddress> = HashMap::pinned(65_536, BPF_F_NO_PREALLOC);
#[map]
static UPLINKS: HashMap<LinkKey, Uplink> = HashMap::pinned(4_096, BPF_F_NO_PREALLOC);
#[map]
static NETWORKS: HashMap<LinkKey, Network> = HashMap::pinned(4_096, BPF_F_NO_PREALLOC);
#[map]
static TRUSTED: HashMap<TrustKey, u32> = HashMap::pinned(4_096, BPF_F_NO_PREALLOC);
#[map]
static ALLOWED: HashMap<AllowKey, u32> = HashMap::pinned(65_536, BPF_F_NO_PREALLOC);
#[map]
static PUBLISHED: LpmTrie<PublishKey, PublishTarget> = LpmTrie::pinned(262_144, BPF_F_NO_PREALLOC);
#[map]
static FLOWS: HashMap<Tuple, Flow> = HashMap::pinned(262_144, 0);
#[map]
static PENDING: LruHashMap<Tuple, Flow> = LruHashMap::pinned(65_536, 0);
#[map]
static HOST_FLOWS: Array<u64> = Array::pinned(1, 0);
#[map]
static FRAGMENTS: LruHashMap<FragmentKey, FragmentPorts> = LruHashMap::pinned(16_384, 0);
#[map]
static NAMES: HashMap<NameKey, Name> = HashMap::pinned(131_072, BPF_F_NO_PREALLOC);
#[map]
static VIEWS: HashMap<u32, View> = HashMap::pinned(65_536, BPF_F_NO_PREALLOC);
#[map]
static ASKERS: LruHashMap<u32, Asker> = LruHashMap::pinned(16_384, 0);
#[map]
static WORKSPACE: PerCpuArray<Workspace> = PerCpuArray::with_max_entries(1, 0);
#[map]
static RESOLVING: HashMap<Netns, u32> = HashMap::pinned(65_536, BPF_F_NO_PREALLOC);
#[map]
static SOCKET_PEERS: LruHashMap<PeerKey, SocketAddress> = LruHashMap::pinned(65_536, 0);

/// The maps, seen from a TC program.
pub(crate) struct Maps<'a> {
    context: &'a TcContext,
}

impl<'a> Maps<'a> {
    #[inline(always)]
    pub(crate) const fn new(context: &'a TcContext) -> Self {
        Self { context }
    }
}

/// Looks a value up in a hash map.
macro_rules! value_of {
    ($map:ident, $key:expr) => {
        // SAFETY: the value outlives the program's run, and every bit pattern is valid, so a write meanwhile harms nothing.
        unsafe { $map.get($key) }
    };
}

/// The range of published ports that a port belongs to.
#[inline(always)]
fn find_published<'a>(key: &PublishKey) -> Option<&'a PublishTarget> {
    PUBLISHED.get(Key::new(PublishBlock::single(*key).bits(), *key))
}

/// Makes the entry of an endpoint that asks for the first time; another CPU may have made it just now.
#[inline(always)]
#[expect(clippy::let_underscore_must_use, reason = "what counts is whether there is an entry afterwards")]
fn new_asker(ifindex: u32) -> Option<*mut Asker> {
    let _ = ASKERS.insert(ifindex, Asker::default(), u64::from(BPF_NOEXIST));
    ASKERS.get_ptr_mut(ifindex)
}

/// Calls a method of the map of a tier.
macro_rules! in_tier {
    ($tier:expr, $method:ident($($argument:expr),*)) => {
        match $tier {
            Tier::Assured => FLOWS.$method($($argument),*),
            Tier::Pending => PENDING.$method($($argument),*),
        }
    };
}

/// The engine's settings and this CPU's workspace; `None` only if the kernel made the arrays too small.
#[inline(always)]
pub(crate) fn settings<'a>() -> Option<(&'a Config, &'a mut Workspace)> {
    let config = CONFIG.get(0)?;
    let workspace = WORKSPACE.get_ptr_mut(0)?;
    // SAFETY: the slot is this CPU's own, TC programs run with softirqs off and one at a time on a CPU, and every bit
    // pattern is a valid workspace.
    Some((config, unsafe { &mut *workspace }))
}

impl Tables for Maps<'_> {
    #[inline(always)]
    fn endpoint_on_link(&self, link: LinkKey) -> Option<&Endpoint> {
        value_of!(ENDPOINT_LINKS, &link)
    }

    #[inline(always)]
    fn endpoint(&self, address: &Address) -> Option<&Endpoint> {
        value_of!(ENDPOINTS, address)
    }

    #[inline(always)]
    fn local(&self, address: &Address) -> Option<&LocalAddress> {
        value_of!(LOCALS, address)
    }

    #[inline(always)]
    fn uplink(&self, link: LinkKey) -> Option<&Uplink> {
        value_of!(UPLINKS, &link)
    }

    #[inline(always)]
    fn network(&self, bridge: LinkKey) -> Option<&Network> {
        value_of!(NETWORKS, &bridge)
    }

    #[inline(always)]
    fn trusted(&self, key: &TrustKey) -> bool {
        TRUSTED.get_ptr(key).is_some()
    }

    #[inline(always)]
    fn allowed(&self, key: &AllowKey) -> bool {
        ALLOWED.get_ptr(key).is_some()
    }

    #[inline(always)]
    fn fragment(&self, key: &FragmentKey) -> Option<&FragmentPorts> {
        value_of!(FRAGMENTS, key)
    }

    #[inline(always)]
    fn remember_fragment(&mut self, key: &FragmentKey, ports: &FragmentPorts) -> bool {
        FRAGMENTS.insert(key, ports, u64::from(BPF_ANY)).is_ok()
    }

    #[inline(always)]
    fn published(&self, key: &PublishKey) -> Option<&PublishTarget> {
        find_published(key)
    }

    #[inline(always)]
    fn route(&self, ingress: u32, source: &Address, destination: &Address) -> Option<Route> {
        routes::lookup(self.context, ingress, source, destination)
    }

    #[inline(always)]
    fn host_socket(&self, tuple: &Tuple) -> bool {
        sockets::receives(self.context, tuple)
    }

    #[inline(always)]
    fn observe_flow(&mut self, tier: Tier, tuple: &Tuple, now: u64, length: u32, found: &mut Flow) -> bool {
        let Some(flow) = in_tier!(tier, get_ptr_mut(tuple)) else { return false };
        // SAFETY: the pointer is valid for the program's run, and no entry lies in `found`; two CPUs may lose a count, never
        // an entry.
        unsafe {
            ptr::copy_nonoverlapping(flow, found, 1);
            (*flow).last_seen = now;
            (*flow).packets = found.packets.wrapping_add(1);
            (*flow).bytes = found.bytes.wrapping_add(u64::from(length));
        }
        true
    }

    #[inline(always)]
    fn flow(&self, tier: Tier, tuple: &Tuple) -> Option<&Flow> {
        // SAFETY: as in `value_of`.
        unsafe { in_tier!(tier, get(tuple)) }
    }

    #[inline(always)]
    fn read_flow(&self, tier: Tier, tuple: &Tuple, found: &mut Flow) -> bool {
        let Some(flow) = in_tier!(tier, get_ptr(tuple)) else { return false };
        // SAFETY: the pointer is valid for the program's run, and no entry lies in `found`.
        unsafe { ptr::copy_nonoverlapping(flow, found, 1) };
        true
    }

    #[inline(always)]
    fn insert_flow(&mut self, tier: Tier, tuple: &Tuple, flow: &Flow) -> Insert {
        match in_tier!(tier, insert(tuple, flow, u64::from(BPF_NOEXIST))) {
            Ok(()) => Insert::Done,
            Err(EEXIST) => Insert::Exists,
            Err(_) => Insert::Full,
        }
    }

    #[inline(always)]
    fn replace_flow(&mut self, tier: Tier, tuple: &Tuple, flow: &Flow) -> bool {
        in_tier!(tier, insert(tuple, flow, u64::from(BPF_ANY))).is_ok()
    }

    #[inline(always)]
    fn set_flow_state(&mut self, tier: Tier, tuple: &Tuple, state: FlowState) {
        if let Some(flow) = in_tier!(tier, get_ptr_mut(tuple)) {
            // SAFETY: the pointer is valid for the program's run and this writes one byte.
            unsafe { (*flow).set_state(state) };
        }
    }

    #[inline(always)]
    fn renew_flow(&mut self, tier: Tier, tuple: &Tuple, way_out: &WayOut, epoch: u32) -> bool {
        let Some(flow) = in_tier!(tier, get_ptr_mut(tuple)) else { return false };
        // SAFETY: the pointer is valid for the program's run; CPUs that race here write the same.
        unsafe {
            (*flow).way_out = *way_out;
            (*flow).epoch = epoch;
        }
        true
    }

    #[inline(always)]
    fn host_flows_until(&self) -> u64 {
        HOST_FLOWS.get(0).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn set_host_flows_until(&mut self, until: u64) {
        if let Some(slot) = HOST_FLOWS.get_ptr_mut(0) {
            // SAFETY: the pointer is valid for the program's run; CPUs that race here write nearly the same.
            unsafe { *slot = until };
        }
    }

    #[inline(always)]
    fn is_collecting(&self, original: &Tuple, reply: &Tuple) -> bool {
        collector::is_collecting(original, reply)
    }

    #[inline(always)]
    fn view(&self, ifindex: u32) -> Option<&View> {
        value_of!(VIEWS, &ifindex)
    }

    #[inline(always)]
    fn name(&self, key: &NameKey) -> Option<&Name> {
        value_of!(NAMES, key)
    }

    #[inline(always)]
    fn asker(&mut self, ifindex: u32) -> Option<&mut Asker> {
        let asker = ASKERS.get_ptr_mut(ifindex).or_else(|| new_asker(ifindex))?;
        // SAFETY: the pointer is valid for the program's run; two CPUs may lose a count, and every bit pattern is valid.
        Some(unsafe { &mut *asker })
    }

    #[inline(always)]
    #[expect(clippy::let_underscore_must_use, reason = "an entry that is gone already is as good as removed")]
    fn remove_flow(&mut self, tier: Tier, tuple: &Tuple) {
        let _ = in_tier!(tier, remove(tuple));
    }
}

/// The maps, seen from a socket hook.
pub(crate) struct SocketMaps;

impl SocketTables for SocketMaps {
    #[inline(always)]
    fn config(&self) -> Option<Config> {
        CONFIG.get(0).copied()
    }

    #[inline(always)]
    fn local(&self, address: Address) -> Option<LocalAddress> {
        value_of!(LOCALS, &address).copied()
    }

    #[inline(always)]
    fn published(&self, key: &PublishKey) -> Option<PublishTarget> {
        find_published(key).copied()
    }

    #[inline(always)]
    fn is_resolving(&self, netns: Netns) -> bool {
        value_of!(RESOLVING, &netns).is_some()
    }

    #[inline(always)]
    fn peer(&self, key: &PeerKey) -> Option<SocketAddress> {
        value_of!(SOCKET_PEERS, key).copied()
    }

    #[inline(always)]
    fn remember_peer(&mut self, key: &PeerKey, believed: &SocketAddress) -> bool {
        SOCKET_PEERS.insert(key, believed, u64::from(BPF_ANY)).is_ok()
    }
}
