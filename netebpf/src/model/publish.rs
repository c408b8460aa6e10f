//! Published ports: what `-p` asks for, and what becomes of it.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use netebpf_common::abi;

/// A host port that leads to a port of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortMapping {
    /// Host address; the unspecified one stands for every address of the host.
    pub host_address: IpAddr,
    /// Host port.
    pub host_port: u16,
    /// Port in the sandbox.
    pub port: u16,
    /// Protocol.
    pub protocol: Protocol,
}

/// A port to be published, as `-p [HOSTIP:][HOSTPORT:]PORT[/tcp|udp]` asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishRequest {
    /// Host address; the unspecified one stands for every address of the host.
    pub host_address: IpAddr,
    /// Host port; `None` for any free one.
    pub host_port: Option<u16>,
    /// Port in the sandbox.
    pub port: u16,
    /// Protocol.
    pub protocol: Protocol,
}

/// A transport protocol whose ports can be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Text that asks for no port, with Docker's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The sandbox's port is missing.
    #[error("no port specified: {0}<empty>")]
    NoPort(String),
    /// Neither TCP nor UDP.
    #[error("invalid proto: {0}, it must be tcp or udp")]
    Protocol(String),
    /// The host address is none.
    #[error("invalid IP address: {0}")]
    HostAddress(String),
    /// The sandbox's port is no port number.
    #[error("invalid containerPort: {0}, it must be one number from 1 to 65535")]
    Port(String),
    /// The host port is no port number.
    #[error("invalid hostPort: {0}, it must be one number from 0 to 65535")]
    HostPort(String),
}

impl Protocol {
    /// The protocol's name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// The IP protocol number (IANA).
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => abi::protocol::TCP,
            Self::Udp => abi::protocol::UDP,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = PublishError;

    fn from_str(text: &str) -> Result<Self, PublishError> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            _ => Err(PublishError::Protocol(text.to_owned())),
        }
    }
}

impl PortMapping {
    /// Whether both claim the same port of some host address, so that only one of them can be had.
    #[must_use]
    pub fn conflicts_with(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && self.host_port == other.host_port
            && self.host_address.is_ipv4() == other.host_address.is_ipv4()
            && (self.host_address == other.host_address
                || self.host_address.is_unspecified()
                || other.host_address.is_unspecified())
    }

    /// The mapping's key in the table of published ports.
    #[must_use]
    pub fn key(&self) -> abi::PublishKey {
        let port = abi::Port::new(self.host_port);
        abi::PublishKey::new(self.host_address.into(), port, self.protocol.number())
    }
}

/// As `docker ps` shows it: `0.0.0.0:8080->80/tcp`.
impl fmt::Display for PortMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host_address, host_port, port, protocol } = *self;
        write!(f, "{}->{port}/{protocol}", std::net::SocketAddr::new(host_address, host_port))
    }
}

impl FromStr for PublishRequest {
    type Err = PublishError;

    fn from_str(text: &str) -> Result<Self, PublishError> {
        let (ports, protocol) = match text.split_once('/') {
            Some((ports, protocol)) => (ports, protocol.parse()?),
            None => (text, Protocol::Tcp),
        };
        let (host, port) = match ports.rsplit_once(':') {
            Some((host, port)) => (Some(host), port),
            None => (None, ports),
        };
        let (host_address, host_port) = match host.map(|host| host.rsplit_once(':').unwrap_or(("", host))) {
            Some((address, port)) => (parse_host_address(address)?, parse_host_port(port)?),
            None => (Ipv4Addr::UNSPECIFIED.into(), None),
        };
        if port.is_empty() {
            return Err(PublishError::NoPort(ports.to_owned()));
        }
        let number = parse_number(port).filter(|&number| number != 0);
        let port = number.ok_or_else(|| PublishError::Port(port.to_owned()))?;
        Ok(Self { host_address, host_port, port, protocol })
    }
}

fn parse_host_address(text: &str) -> Result<IpAddr, PublishError> {
    let invalid = || PublishError::HostAddress(text.to_owned());
    match text.strip_prefix('[') {
        Some(rest) => {
            let inner = rest.strip_suffix(']').ok_or_else(invalid)?;
            inner.parse().map(IpAddr::V6).map_err(|_| invalid())
        }
        None if text.is_empty() => Ok(Ipv4Addr::UNSPECIFIED.into()),
        None => text.parse().map(IpAddr::V4).map_err(|_| invalid()),
    }
}

/// Zero asks for any free port, as with sockets.
fn parse_host_port(text: &str) -> Result<Option<u16>, PublishError> {
    if text.is_empty() {
        return Ok(None);
    }
    let port = parse_number(text).ok_or_else(|| PublishError::HostPort(text.to_owned()))?;
    Ok((port != 0).then_some(port))
}

/// Digits only: the standard library would take a sign too.
fn parse_number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, host: &str, host_port: Option<u16>, port: u16, protocol: Protocol) {
        let host_address = host.parse().expect("the test gives an address");
        assert_eq!(text.parse(), Ok(PublishRequest { host_address, host_port, port, protocol }), "{text}");
    }

    #[test]
    fn every_form_of_the_flag_is_understood() {
        check("80", "0.0.0.0", None, 80, Protocol::Tcp);
        check("8080:80", "0.0.0.0", Some(8080), 80, Protocol::Tcp);
        check("8080:80/udp", "0.0.0.0", Some(8080), 80, Protocol::Udp);
        check("127.0.0.1:8080:80/TCP", "127.0.0.1", Some(8080), 80, Protocol::Tcp);
        check("127.0.0.1::80", "127.0.0.1", None, 80, Protocol::Tcp);
        check(":80", "0.0.0.0", None, 80, Protocol::Tcp);
        check("0:80", "0.0.0.0", None, 80, Protocol::Tcp);
        check("[::1]:8080:80", "::1", Some(8080), 80, Protocol::Tcp);
    }

    #[test]
    fn nonsense_is_refused_with_dockers_text() {
        for (text, start) in [
            ("", "no port specified: <empty>"),
            ("8080:", "no port specified: 8080:<empty>"),
            ("8080:80/sctp", "invalid proto: sctp"),
            ("8080:80/", "invalid proto: "),
            ("host:8080:80", "invalid IP address: host"),
            ("::1:8080:80", "invalid IP address: ::1"),
            ("8080:70000", "invalid containerPort: 70000"),
            ("8080:0", "invalid containerPort: 0"),
            ("99999:80", "invalid hostPort: 99999"),
            ("8000-8001:80", "invalid hostPort: 8000-8001"),
            ("-1:80", "invalid hostPort: -1"),
            ("+1:80", "invalid hostPort: +1"),
        ] {
            let error = text.parse::<PublishRequest>().expect_err(text).to_string();
            assert!(error.starts_with(start), "{text:?} gave {error:?}");
        }
    }

    #[test]
    fn a_wildcard_conflicts_with_every_address_of_the_same_port() {
        let mapping = |address: &str, host_port, protocol| PortMapping {
            host_address: address.parse().expect("the test gives an address"),
            host_port,
            port: 80,
            protocol,
        };
        let any = mapping("0.0.0.0", 8080, Protocol::Tcp);
        let one = mapping("192.0.2.1", 8080, Protocol::Tcp);
        assert!(any.conflicts_with(&one) && one.conflicts_with(&any) && one.conflicts_with(&one));
        assert!(!one.conflicts_with(&mapping("192.0.2.2", 8080, Protocol::Tcp)));
        assert!(!any.conflicts_with(&mapping("0.0.0.0", 8081, Protocol::Tcp)));
        assert!(!any.conflicts_with(&mapping("0.0.0.0", 8080, Protocol::Udp)));
        assert_eq!(any.to_string(), "0.0.0.0:8080->80/tcp");
    }
}
