//! Ports of transport protocols, one or many in a row.

use std::{fmt, str::FromStr};

use netebpf_common::abi;

/// A transport protocol whose ports can be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// Text that is no protocol, with Docker's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid proto: {0}, it must be tcp, udp or sctp")]
pub struct ProtocolError(String);

/// Ports in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Ports that a sandbox offers to those linked to it (`--expose`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExposedPorts {
    /// The ports in the sandbox.
    pub ports: PortRange,
    /// Their protocol.
    pub protocol: Protocol,
}

/// Text that exposes no port, with Docker's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid range format for --expose: {0}, write it as PORT[-PORT][/tcp|udp|sctp]")]
pub struct ExposeError(String);

impl Protocol {
    /// The protocol's name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }

    /// The IP protocol number (IANA).
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => abi::protocol::TCP,
            Self::Udp => abi::protocol::UDP,
            Self::Sctp => abi::protocol::SCTP,
        }
    }

    /// The protocol with an IP protocol number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Tcp, Self::Udp, Self::Sctp].into_iter().find(|protocol| protocol.number() == number)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            _ => Err(ProtocolError(text.to_owned())),
        }
    }
}

impl PortRange {
    /// The ports from the first to the last; `None` if the last comes before the first.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first <= last { Some(Self { first, last }) } else { None }
    }

    /// One port.
    #[must_use]
    pub const fn single(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// As many ports as another range has, from `first` on; `None` if there are no more than that.
    #[must_use]
    pub fn alike(self, first: u16) -> Option<Self> {
        Some(Self { first, last: first.checked_add(self.last - self.first)? })
    }

    /// The range with one more port at its end; `None` if that port is not the next one.
    #[must_use]
    pub fn followed_by(self, port: u16) -> Option<Self> {
        (self.last.checked_add(1) == Some(port)).then_some(Self { last: port, ..self })
    }

    /// Reads `80` or `80-90`; zero is a port here.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('-') {
            Some((first, last)) => Self::new(parse_number(first)?, parse_number(last)?),
            None => parse_number(text).map(Self::single),
        }
    }

    /// The first port.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The last port.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// Whether it is one port only.
    #[must_use]
    pub const fn is_single(self) -> bool {
        self.first == self.last
    }

    /// Whether both have a port in common.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// The ports, one by one.
    pub fn iter(self) -> impl Iterator<Item = u16> {
        self.first..=self.last
    }
}

/// `80` or `80-90`.
impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        if self.is_single() { Ok(()) } else { write!(f, "-{}", self.last) }
    }
}

/// `80/tcp` or `80-90/tcp`.
impl fmt::Display for ExposedPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ports, self.protocol)
    }
}

impl FromStr for ExposedPorts {
    type Err = ExposeError;

    fn from_str(text: &str) -> Result<Self, ExposeError> {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let ports = PortRange::parse(ports).filter(|ports| ports.first() != 0);
        match (ports, protocol.parse()) {
            (Some(ports), Ok(protocol)) => Ok(Self { ports, protocol }),
            (None, _) | (_, Err(_)) => Err(ExposeError(text.to_owned())),
        }
    }
}

/// Digits only: the standard library would take a sign too.
fn parse_number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_exposed_alone_or_in_a_row() {
        for (text, shown) in
            [("80", "80/tcp"), ("80/UDP", "80/udp"), ("80-90/sctp", "80-90/sctp"), ("7-7", "7/tcp")]
        {
            assert_eq!(text.parse::<ExposedPorts>().map(|ports| ports.to_string()).as_deref(), Ok(shown));
        }
        for text in ["", "0", "90-80", "80-", "x", "80/", "80/icmp", "70000", "+80"] {
            let error = text.parse::<ExposedPorts>().expect_err(text).to_string();
            assert!(error.starts_with(&format!("invalid range format for --expose: {text}")), "{error}");
        }
    }

    #[test]
    fn ranges_overlap_where_they_share_a_port() {
        let range = |first, last| PortRange::new(first, last).expect("the test gives ranges");
        assert!(range(1, 5).overlaps(range(5, 9)) && range(1, 9).overlaps(range(3, 4)));
        assert!(!range(1, 4).overlaps(range(5, 9)));
        assert_eq!(range(8000, 8010).alike(80), Some(range(80, 90)));
        assert_eq!(range(1, 2).alike(u16::MAX), None);
    }
}
