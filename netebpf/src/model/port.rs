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
#[error("invalid proto: {0}")]
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
#[error("invalid range format for --expose: {0}")]
pub struct ExposeError(RangeError);

/// Text that is no range of ports, with Docker's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum RangeError {
    #[error("invalid port range: value is empty")]
    Empty,
    #[error("invalid {end} port '{text}': {problem}")]
    Number { end: &'static str, text: String, problem: &'static str },
    #[error("invalid port range: {0}")]
    Order(String),
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
}

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

    /// Reads a protocol; nothing stands for TCP.
    pub(super) fn or_tcp(text: &str) -> Result<Self, ProtocolError> {
        if text.is_empty() { Ok(Self::Tcp) } else { text.parse() }
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
        exposed(text).map_err(ExposeError)
    }
}

fn exposed(text: &str) -> Result<ExposedPorts, RangeError> {
    if text.is_empty() {
        return Err(RangeError::Empty);
    }
    let (ports, protocol) = text.split_once('/').unwrap_or((text, ""));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let range = PortRange::new(exposed_number("start", first)?, exposed_number("end", last)?);
    let ports = range.ok_or_else(|| RangeError::Order(text.to_owned()))?;
    Ok(ExposedPorts { ports, protocol: Protocol::or_tcp(protocol)? })
}

/// There is no port 0 to listen on, though Docker takes it.
fn exposed_number(end: &'static str, text: &str) -> Result<u16, RangeError> {
    let problem = match parse_number(text) {
        Some(number @ 1..) => return Ok(number),
        Some(0) => "value out of range",
        None if text.is_empty() => "value is empty",
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => "value out of range",
        None => "invalid syntax",
    };
    Err(RangeError::Number { end, text: text.to_owned(), problem })
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
            [("80", "80/tcp"), ("80/UDP", "80/udp"), ("80-90/sctp", "80-90/sctp"), ("7-7/", "7/tcp")]
        {
            assert_eq!(text.parse::<ExposedPorts>().map(|ports| ports.to_string()).as_deref(), Ok(shown));
        }
        for (text, problem) in [
            ("", "invalid port range: value is empty"),
            ("0", "invalid start port '0': value out of range"),
            ("90-80/udp", "invalid port range: 90-80/udp"),
            ("80-", "invalid end port '': value is empty"),
            ("x", "invalid start port 'x': invalid syntax"),
            ("+80", "invalid start port '+80': invalid syntax"),
            ("70000", "invalid start port '70000': value out of range"),
            ("80/icmp", "invalid proto: icmp"),
        ] {
            let error = text.parse::<ExposedPorts>().expect_err(text).to_string();
            assert_eq!(error, format!("invalid range format for --expose: {problem}"));
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
