//! Which of the observed links is the bridge of which network and the veth of which endpoint.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    kernel::{Link, LinkRole, Observed, Owner},
    model::{Endpoint, EndpointId, Network, NetworkId, SandboxId, Spec},
};

/// The links of the spec's networks and active endpoints.
#[derive(Debug)]
pub struct Links<'a> {
    /// Bridges: those that were made for their network, and those of somebody else that the user named for it.
    pub bridges: BTreeMap<NetworkId, Claimed<'a>>,
    /// Host sides of veths whose other side is in its sandbox.
    pub veths: BTreeMap<EndpointId, Claimed<'a>>,
    /// The device that leads to the name server.
    pub resolver: Option<Claimed<'a>>,
}

/// A link that belongs to a network or endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Claimed<'a> {
    /// Index.
    pub ifindex: u32,
    /// The link.
    pub link: &'a Link,
    /// Whether its alias is written; an unfinished link is known by its name alone.
    pub is_finished: bool,
}

impl<'a> Links<'a> {
    /// Finds the links; where several claim the same owner, one with its alias comes first, then the oldest.
    #[must_use]
    pub fn of(spec: &Spec, observed: &'a Observed) -> Self {
        let (mut bridges, mut veths, mut unfinished) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut resolver = None;
        for (&ifindex, link) in &observed.links {
            let claimed = |is_finished| Claimed { ifindex, link, is_finished };
            match link.role {
                LinkRole::Bridge(Owner::Known(network)) => {
                    bridges.entry(network).or_insert(claimed(true));
                }
                LinkRole::Veth(Owner::Known(endpoint)) => {
                    veths.entry(endpoint).or_insert(claimed(true));
                }
                LinkRole::Bridge(Owner::Unfinished) | LinkRole::Veth(Owner::Unfinished) => {
                    unfinished.insert(link.name.as_str(), claimed(false));
                }
                LinkRole::Resolver => {
                    resolver.get_or_insert(claimed(true));
                }
                LinkRole::Loopback | LinkRole::Netdev | LinkRole::Other => {}
            }
        }
        let bridge = |network: &Network| {
            let ours = bridges.get(&network.id).or_else(|| unfinished.get(network.bridge_name().as_str()));
            ours.copied().or_else(|| adopted(network, observed))
        };
        let veth = |endpoint: &Endpoint| {
            let ours = veths.get(&endpoint.id).or_else(|| unfinished.get(endpoint.link_name().as_str()));
            ours.copied()
        };
        Self {
            bridges: spec
                .networks
                .values()
                .filter_map(|network| Some((network.id, bridge(network)?)))
                .collect(),
            veths: spec
                .active_endpoints()
                .filter(|(sandbox, endpoint, _)| is_inside(observed, sandbox.id, endpoint))
                .filter_map(|(_, endpoint, _)| Some((endpoint.id, veth(endpoint)?)))
                .collect(),
            resolver,
        }
    }

    /// Host devices that belong to nobody here, and that so lead outside.
    pub fn netdevs<'b>(&'b self, observed: &'b Observed) -> impl Iterator<Item = (u32, &'b Link)> {
        let adopted: BTreeSet<_> = self.bridges.values().map(|bridge| bridge.ifindex).collect();
        let netdevs = observed.links.iter().filter(|(_, link)| link.role == LinkRole::Netdev);
        netdevs.filter_map(move |(ifindex, link)| (!adopted.contains(ifindex)).then_some((*ifindex, link)))
    }

    /// All these links.
    pub fn ours(&self) -> impl Iterator<Item = &Claimed<'a>> {
        self.bridges.values().chain(self.veths.values()).chain(&self.resolver)
    }

    /// The indices of all these links.
    #[must_use]
    pub fn indices(&self) -> BTreeSet<u32> {
        self.ours().map(|claimed| claimed.ifindex).collect()
    }
}

/// The bridge of somebody else that the user named for a network.
fn adopted<'a>(network: &Network, observed: &'a Observed) -> Option<Claimed<'a>> {
    let name = network.bridge.device.as_ref().filter(|_| network.has_bridge())?;
    let mut free = observed.links.iter().filter(|(_, link)| link.role == LinkRole::Netdev && link.bridge);
    let (&ifindex, link) = free.find(|(_, link)| link.name == *name)?;
    Some(Claimed { ifindex, link, is_finished: true })
}

/// Whether the endpoint's interface is in the sandbox; another endpoint's of the same name does not count.
fn is_inside(observed: &Observed, sandbox: SandboxId, endpoint: &Endpoint) -> bool {
    let namespace = observed.sandboxes.get(&sandbox);
    let interface = namespace.and_then(|inside| inside.interfaces.get(&endpoint.interface));
    interface.is_some_and(|interface| interface.mac == endpoint.mac)
}
