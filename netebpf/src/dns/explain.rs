//! Why a sandbox is told what it is told about a name.

use std::{fmt, net::IpAddr, str::FromStr};

use hickory_server::proto::rr::RecordType;
use netebpf_common::abi::Family;

use super::{
    Upstream,
    decide::{Decision, decide},
    directory::Client,
};
use crate::{
    compile::names::{Found, View},
    model::NetworkId,
};

/// What is asked about a name: the type of a DNS record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(RecordType);

/// Text that is no type of a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid record type {0:?}: A, AAAA, PTR, MX and the like are known")]
pub struct KindError(String);

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explanation {
    /// A network of the sandbox knows the name.
    Network {
        /// The network.
        network: NetworkId,
        /// What the network calls it, if the sandbox asked by the name of a link.
        linked: Option<String>,
        /// Its addresses, of the IP version asked for; none if it has none, or if something else was asked for.
        addresses: Vec<IpAddr>,
    },
    /// A sandbox on a network has the address.
    Pointer {
        /// The network.
        network: NetworkId,
        /// The name of the sandbox, with that of the network behind it.
        name: String,
    },
    /// No network knows the name, which has one part only and is not forwarded because the sandbox's `ndots` is set.
    SingleLabel,
    /// These servers are asked, in this order.
    Forwarded(Vec<Upstream>),
    /// There is nobody to ask: the sandbox has no servers, or its networks lead nowhere.
    Nobody,
}

impl Explanation {
    pub(super) fn new(view: Option<&View>, client: &Client, name: &str, kind: Kind) -> Self {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let found = |found: Found<'_>, addresses| Self::Network {
            network: found.zone.network,
            linked: found.linked.map(str::to_owned),
            addresses,
        };
        match decide(view, client, Some(&name), Some(kind.0)) {
            Decision::Addresses(known, Family::V4) => {
                found(known, known.addresses.v4.iter().copied().map(IpAddr::V4).collect())
            }
            Decision::Addresses(known, Family::V6) => {
                found(known, known.addresses.v6.iter().copied().map(IpAddr::V6).collect())
            }
            Decision::Nothing(known) => found(known, Vec::new()),
            Decision::Pointer(name, zone) => {
                Self::Pointer { network: zone.network, name: format!("{name}.{}", zone.name) }
            }
            Decision::SingleLabel => Self::SingleLabel,
            Decision::Elsewhere if client.upstreams.is_empty() => Self::Nobody,
            Decision::Elsewhere => Self::Forwarded(client.upstreams.clone()),
        }
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_ascii_uppercase().parse().map(Self).map_err(|_| KindError(text.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
