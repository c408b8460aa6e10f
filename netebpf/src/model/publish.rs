//! Published ports: host ports that lead to ports of a sandbox.

use std::{fmt, net::IpAddr};

use netebpf_common::abi::{self, Family};

use super::{PortRange, Protocol, family_of};

/// Host ports that lead to as many ports of a sandbox, in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortMapping {
    /// Host address; the unspecified one stands for every address of the host of its IP version.
    pub host_address: IpAddr,
    /// Host ports.
    pub host_ports: PortRange,
    /// Ports in the sandbox, as many.
    pub ports: PortRange,
    /// Protocol.
    pub protocol: Protocol,
}

impl PortMapping {
    /// Whether both claim a port of some host address, so that only one of them can be had.
    #[must_use]
    pub fn conflicts_with(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && self.host_ports.overlaps(other.host_ports)
            && self.family() == other.family()
            && (self.host_address == other.host_address
                || self.host_address.is_unspecified()
                || other.host_address.is_unspecified())
    }

    /// The IP version of the host address.
    #[must_use]
    pub const fn family(&self) -> Family {
        family_of(self.host_address)
    }

    /// The key of the first host port in the table of published ports.
    #[must_use]
    pub fn key(&self) -> abi::PublishKey {
        self.key_of(self.host_ports.first())
    }

    /// The keys of all host ports, one by one.
    pub fn keys(&self) -> impl Iterator<Item = abi::PublishKey> {
        self.host_ports.iter().map(|port| self.key_of(port))
    }

    fn key_of(&self, port: u16) -> abi::PublishKey {
        abi::PublishKey::new(self.host_address.into(), abi::Port::new(port), self.protocol.number())
    }
}

/// As `docker ps` shows it: `0.0.0.0:8080->80/tcp`, `[::]:8000-8010->80-90/tcp`.
impl fmt::Display for PortMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host_address, host_ports, ports, protocol } = self;
        write!(f, "{}:{host_ports}->{ports}/{protocol}", bracketed(*host_address))
    }
}

/// An address as it stands before a port: IPv6 in brackets (RFC 3986, 3.2.2).
pub(super) fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(address: &str, host: &str, protocol: Protocol) -> PortMapping {
        let host_ports = PortRange::parse(host).expect("the test gives ports");
        PortMapping {
            host_address: address.parse().expect("the test gives an address"),
            host_ports,
            ports: host_ports.alike(80).expect("the test gives few ports"),
            protocol,
        }
    }

    #[test]
    fn a_wildcard_conflicts_with_every_address_of_the_same_port() {
        let any = mapping("0.0.0.0", "8080", Protocol::Tcp);
        let one = mapping("192.0.2.1", "8080", Protocol::Tcp);
        assert!(any.conflicts_with(&one) && one.conflicts_with(&any) && one.conflicts_with(&one));
        assert!(!one.conflicts_with(&mapping("192.0.2.2", "8080", Protocol::Tcp)));
        assert!(!any.conflicts_with(&mapping("0.0.0.0", "8081", Protocol::Tcp)));
        assert!(!any.conflicts_with(&mapping("0.0.0.0", "8080", Protocol::Udp)));
        assert!(!any.conflicts_with(&mapping("::", "8080", Protocol::Tcp)), "IPv6 sockets are IPv6 only");
        assert!(any.conflicts_with(&mapping("127.0.0.1", "8000-8100", Protocol::Tcp)));
    }

    #[test]
    fn mappings_read_as_dockers_do() {
        assert_eq!(mapping("0.0.0.0", "8080", Protocol::Tcp).to_string(), "0.0.0.0:8080->80/tcp");
        let range = mapping("::", "8000-8010", Protocol::Sctp);
        assert_eq!(range.to_string(), "[::]:8000-8010->80-90/sctp");
        assert_eq!(range.keys().count(), 11);
        assert_eq!(range.keys().next(), Some(range.key()));
    }
}
