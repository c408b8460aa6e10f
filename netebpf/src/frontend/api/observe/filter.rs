//! What a client wants to see.

use std::net::IpAddr;

use netebpf_common::{
    abi::{Address, EventFilter, Port, Tuple, protocol},
    verdict::{DropReason, Outcome},
};
use serde::Deserialize;

use super::{super::error::Error, convert::protocol_name, wire};
use crate::{change, model::Spec};

/// Parameters of `GET /netebpf/drops`.
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct DropParameters {
    sandbox: Option<String>,
    reason: Option<String>,
}

/// Parameters of `GET /netebpf/flows`.
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct FlowParameters {
    sandbox: Option<String>,
    address: Option<IpAddr>,
    port: Option<u16>,
    protocol: Option<String>,
}

/// Parameters of `GET /netebpf/events`.
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct EventParameters {
    /// One dropped packet in this many.
    #[serde(default)]
    drops: u32,
    /// One new or ended flow in this many.
    #[serde(default)]
    flows: u32,
    sandbox: Option<String>,
    reason: Option<String>,
    address: Option<IpAddr>,
    port: Option<u16>,
    protocol: Option<String>,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    filter: EventFilter,
    sandbox: Option<String>,
}

impl DropParameters {
    /// Refuses names that nothing has.
    pub(super) fn check(self, spec: &Spec) -> Result<Wanted, Error> {
        let Self { sandbox, reason } = self;
        EventParameters { sandbox, reason, ..EventParameters::default() }.check(spec)
    }
}

impl FlowParameters {
    /// Refuses names that nothing has.
    pub(super) fn check(self, spec: &Spec) -> Result<Wanted, Error> {
        let Self { sandbox, address, port, protocol } = self;
        EventParameters { sandbox, address, port, protocol, ..EventParameters::default() }.check(spec)
    }
}

impl EventParameters {
    /// Refuses names that nothing has.
    pub(super) fn check(self, spec: &Spec) -> Result<Wanted, Error> {
        let sandbox = self.sandbox.map(|name| change::find_sandbox(spec, &name)).transpose()?;
        let mut filter = EventFilter::everything(self.drops, self.flows);
        if let Some(reason) = self.reason {
            filter.outcome = u32::from(Outcome::Dropped(reason_of(&reason)?).code());
        }
        if let Some(address) = self.address {
            filter.address = Address::from(address.to_canonical());
        }
        filter.port = Port::new(self.port.unwrap_or_default());
        filter.protocol = self.protocol.map_or(Ok(0), |name| number_of(&name))?;
        Ok(Wanted { filter, sandbox: sandbox.map(|sandbox| sandbox.name.to_string()) })
    }
}

impl Wanted {
    /// As the kernel takes it.
    pub(super) const fn filter(&self) -> EventFilter {
        self.filter
    }

    pub(super) fn has_drops(&self, drops: &wire::Drops) -> bool {
        let EventFilter { outcome, .. } = self.filter;
        let reason = u8::try_from(outcome).ok().and_then(Outcome::from_code).map(Outcome::as_str);
        reason.is_none_or(|reason| drops.reason == reason) && self.is_sandbox(drops.sandbox.as_ref())
    }

    pub(super) fn has_tuple(&self, tuple: &Tuple) -> bool {
        let EventFilter { address, port, protocol, .. } = self.filter;
        let any = address == Address::UNSPECIFIED_V6;
        (any || address == tuple.source || address == tuple.destination)
            && (port == Port::default() || port == tuple.source_port || port == tuple.destination_port)
            && (protocol == 0 || u32::from(protocol) == tuple.protocol)
    }

    pub(super) fn has_flow(&self, flow: &wire::Flow) -> bool {
        self.sandbox.is_none() || self.is_at(&flow.original) || self.is_at(&flow.translated)
    }

    pub(super) fn has_event(&self, event: &wire::Event) -> bool {
        self.is_sandbox(event.sandbox.as_ref()) || event.ends.as_ref().is_some_and(|ends| self.is_at(ends))
    }

    fn is_at(&self, ends: &wire::Ends) -> bool {
        [&ends.source, &ends.destination].iter().any(|end| self.is_sandbox(end.sandbox.as_ref()))
    }

    fn is_sandbox(&self, name: Option<&String>) -> bool {
        self.sandbox.is_none() || self.sandbox.as_ref() == name
    }
}

fn reason_of(name: &str) -> Result<DropReason, Error> {
    let found = DropReason::ALL.iter().find(|reason| reason.as_str() == name);
    found.copied().ok_or_else(|| Error::UnknownName {
        what: "reason",
        name: name.to_owned(),
        known: DropReason::ALL.iter().map(|reason| reason.as_str()).collect(),
    })
}

fn number_of(name: &str) -> Result<u8, Error> {
    const KNOWN: [u8; 5] = [protocol::TCP, protocol::UDP, protocol::ICMP, protocol::ICMPV6, protocol::SCTP];
    let found = KNOWN.into_iter().find(|number| protocol_name(u32::from(*number)) == name);
    found.or_else(|| name.parse().ok().filter(|number| *number != 0)).ok_or_else(|| Error::UnknownName {
        what: "protocol",
        name: name.to_owned(),
        known: vec!["tcp", "udp", "icmp", "icmpv6", "sctp", "numbers from 1 to 255"],
    })
}
