//! Which host ports a new sandbox gets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Error, HostView};
use crate::model::{PortMapping, PortRange, PublishRequest, Sandbox, SandboxConfig, Spec};

/// Where ports are taken from when the user names none: Linux' default range for outgoing connections.
const AUTOMATIC: (u16, u16) = (32_768, 60_999);

/// Gives every request its host ports; none of them is given twice. Ports that the user names come first, then those
/// to be chosen from a range, so that automatic ones avoid both.
///
/// The sandbox must have its endpoints.
pub(super) fn allocate(
    spec: &Spec,
    sandbox: &Sandbox,
    host: &HostView<'_>,
) -> Result<Vec<PortMapping>, Error> {
    let mut allocation =
        Allocation { spec, sandbox, host, taken: effective(spec, sandbox), given: Vec::new() };
    let mut requests = requests(&sandbox.config);
    requests.sort_by_key(|request| match request.host_ports {
        Some(host_ports) if host_ports.alike(request.ports.first()) == Some(request.ports) => 0,
        Some(_) => 1,
        None => 2,
    });
    for request in &requests {
        allocation.give(request)?;
    }
    allocation.given.sort_unstable();
    Ok(allocation.given)
}

/// What the user wants published; with `-P` also what is exposed and not mentioned.
fn requests(config: &SandboxConfig) -> Vec<PublishRequest> {
    let mut requests = config.publish.clone();
    if config.publish_all {
        for exposed in &config.exposed {
            let is_mentioned = |port| {
                let mut named = config.publish.iter().filter(|named| named.protocol == exposed.protocol);
                named.any(|named| named.ports.overlaps(PortRange::single(port)))
            };
            let unmentioned = exposed.ports.iter().filter(|port| !is_mentioned(*port));
            requests.extend(unmentioned.map(|port| PublishRequest {
                host_address: None,
                host_ports: None,
                ports: PortRange::single(port),
                protocol: exposed.protocol,
            }));
        }
    }
    requests
}

/// Refuses a sandbox whose ports would be those of another one.
pub(super) fn check(spec: &Spec, sandbox: &Sandbox) -> Result<(), Error> {
    let taken = effective(spec, sandbox);
    spec.translated(sandbox).copied().try_for_each(|mapping| refuse_conflict(&mapping, &taken))
}

/// The mappings of all other active sandboxes that claim host ports.
fn effective(spec: &Spec, except: &Sandbox) -> Vec<PortMapping> {
    let others = spec.active_sandboxes().filter(|other| other.id != except.id);
    others.flat_map(|other| spec.translated(other).copied()).collect()
}

fn refuse_conflict(mapping: &PortMapping, taken: &[PortMapping]) -> Result<(), Error> {
    let Some(other) = taken.iter().find(|other| other.conflicts_with(mapping)) else { return Ok(()) };
    let port = mapping.host_ports.first().max(other.host_ports.first());
    Err(Error::PortAllocated { address: other.host_address, port })
}

struct Allocation<'a> {
    spec: &'a Spec,
    sandbox: &'a Sandbox,
    host: &'a HostView<'a>,
    taken: Vec<PortMapping>,
    given: Vec<PortMapping>,
}

impl Allocation<'_> {
    fn give(&mut self, request: &PublishRequest) -> Result<(), Error> {
        let PublishRequest { host_ports, ports, .. } = *request;
        match host_ports {
            Some(host_ports) if host_ports.alike(ports.first()) == Some(ports) => {
                for mapping in self.mappings(request, host_ports, ports) {
                    if self.is_effective(&mapping) {
                        refuse_conflict(&mapping, &self.taken)?;
                    }
                    self.keep(mapping);
                }
                Ok(())
            }
            Some(host_ports) => self.give_free(request, (host_ports.first(), host_ports.last())),
            None => self.give_free(request, AUTOMATIC),
        }
    }

    /// Gives each port of the sandbox the next free one of a range, the same at all host addresses. Neighbours that
    /// got neighbours are one mapping.
    fn give_free(&mut self, request: &PublishRequest, (first, last): (u16, u16)) -> Result<(), Error> {
        let mut candidates = first..=last;
        let mut runs: Vec<(PortRange, PortRange)> = Vec::new();
        for port in request.ports.iter() {
            let is_free = |candidate: &u16| self.is_free(request, *candidate, port);
            let host_port = candidates.find(is_free).ok_or(Error::PortsExhausted)?;
            let longer = runs.last().and_then(|(host_ports, ports)| {
                Some((host_ports.followed_by(host_port)?, ports.followed_by(port)?))
            });
            if longer.is_some() {
                runs.pop();
            }
            runs.push(longer.unwrap_or((PortRange::single(host_port), PortRange::single(port))));
        }
        for (host_ports, ports) in runs {
            self.mappings(request, host_ports, ports).into_iter().for_each(|mapping| self.keep(mapping));
        }
        Ok(())
    }

    fn is_free(&self, request: &PublishRequest, host_port: u16, port: u16) -> bool {
        let mappings = self.mappings(request, PortRange::single(host_port), PortRange::single(port));
        mappings.iter().filter(|mapping| self.is_effective(mapping)).all(|mapping| {
            !self.taken.iter().any(|other| other.conflicts_with(mapping))
                && (self.host.is_free)(mapping.key())
        })
    }

    /// One mapping for each host address that the request stands for.
    fn mappings(
        &self,
        request: &PublishRequest,
        host_ports: PortRange,
        ports: PortRange,
    ) -> Vec<PortMapping> {
        let protocol = request.protocol;
        let mapping = |host_address| PortMapping { host_address, host_ports, ports, protocol };
        self.host_addresses(request).into_iter().map(mapping).collect()
    }

    /// Where nothing is said, the network decides; its default, the IPv4 wildcard, stands for both IP versions.
    fn host_addresses(&self, request: &PublishRequest) -> Vec<IpAddr> {
        if let Some(address) = request.host_address {
            return vec![address];
        }
        let leading_out = self.spec.leading_endpoint(self.sandbox);
        let binding = leading_out.map(|(_, network)| network.bridge.host_binding);
        let binding = binding.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        if binding == Ipv4Addr::UNSPECIFIED && self.host.has_ipv6 {
            return vec![binding, Ipv6Addr::UNSPECIFIED.into()];
        }
        vec![binding]
    }

    fn is_effective(&self, mapping: &PortMapping) -> bool {
        self.spec.translated_to(self.sandbox, mapping).is_some()
    }

    fn keep(&mut self, mapping: PortMapping) {
        if self.is_effective(&mapping) {
            self.taken.push(mapping);
        }
        self.given.push(mapping);
    }
}
