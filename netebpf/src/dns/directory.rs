//! Who asks, and what each is told: replaced as a whole whenever names change.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use super::{
    Counts, Upstream,
    allowance::{Allowance, Pool},
    counters::Counters,
};
use crate::{
    compile::names::{Names, View},
    model::{NetworkId, SandboxId},
};

/// An endpoint that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its sandbox, whose names it is told.
    pub sandbox: SandboxId,
    /// Its network, where it is counted.
    pub network: NetworkId,
    /// Who is asked for names of elsewhere, in this order.
    pub upstreams: Vec<Upstream>,
    /// Whether a name of one part is for the networks alone.
    pub keeps_single_labels: bool,
}

/// A client with what is kept of it from one directory to the next.
#[derive(Debug)]
pub(super) struct Resident {
    pub(super) client: Client,
    pub(super) allowance: Arc<Allowance>,
    pub(super) counters: Arc<Counters>,
}

/// All clients and what they are told.
#[derive(Debug, Default)]
pub(super) struct Directory {
    names: Names,
    /// By the address that they ask from.
    residents: HashMap<IpAddr, Arc<Resident>>,
    counters: BTreeMap<NetworkId, Arc<Counters>>,
}

impl Directory {
    /// Another one with other names and clients, in which counts go on and what is busy stays so.
    pub(super) fn followed_by(
        &self,
        names: Names,
        clients: impl IntoIterator<Item = (IpAddr, Client)>,
        pool: &Arc<Pool>,
    ) -> Self {
        let known = self.residents.values();
        let mut allowances: HashMap<_, _> =
            known.map(|resident| (resident.client.sandbox, Arc::clone(&resident.allowance))).collect();
        let mut counters: BTreeMap<_, _> =
            names.networks().map(|network| (network, self.counters_of(network))).collect();
        let residents = clients.into_iter().map(|(address, client)| {
            let allowance =
                allowances.entry(client.sandbox).or_insert_with(|| Arc::new(Allowance::new(pool)));
            let counters = counters.entry(client.network).or_insert_with(|| self.counters_of(client.network));
            let (allowance, counters) = (Arc::clone(allowance), Arc::clone(counters));
            (address, Arc::new(Resident { client, allowance, counters }))
        });
        Self { residents: residents.collect(), names, counters }
    }

    /// Who asks from an address.
    pub(super) fn resident(&self, address: IpAddr) -> Option<&Arc<Resident>> {
        self.residents.get(&address.to_canonical())
    }

    /// One of the clients of a sandbox.
    pub(super) fn client_of(&self, sandbox: SandboxId) -> Option<&Client> {
        self.residents.values().map(|resident| &resident.client).find(|client| client.sandbox == sandbox)
    }

    /// What a sandbox's networks know.
    pub(super) fn view(&self, sandbox: SandboxId) -> Option<&View> {
        self.names.view(sandbox)
    }

    pub(super) fn counts(&self) -> BTreeMap<NetworkId, Counts> {
        self.counters.iter().map(|(network, counters)| (*network, counters.read())).collect()
    }

    fn counters_of(&self, network: NetworkId) -> Arc<Counters> {
        self.counters.get(&network).cloned().unwrap_or_default()
    }
}
