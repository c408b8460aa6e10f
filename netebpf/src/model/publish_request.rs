//! What `-p` asks for: `[[HOSTIP:][HOSTPORT[-HOSTPORT]]:]PORT[-PORT][/PROTOCOL]`.

use std::{fmt, net::IpAddr, str::FromStr};

use super::{PortRange, Protocol, ProtocolError, publish::bracketed};

/// Ports of a sandbox to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishRequest {
    /// Host address; `None` for the network's default.
    pub host_address: Option<IpAddr>,
    /// Host ports: as many as ports in the sandbox, or a range to choose the host port of a single one from; `None` for
    /// any free ones.
    pub host_ports: Option<PortRange>,
    /// Ports in the sandbox.
    pub ports: PortRange,
    /// Protocol.
    pub protocol: Protocol,
}

/// Text that asks for no port, with Docker's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The sandbox's port is missing.
    #[error("no port specified: {0}<empty>")]
    NoPort(String),
    /// The protocol is none that can be published.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The host address is none.
    #[error("invalid IP address: {0}")]
    HostAddress(String),
    /// The sandbox's ports are no port numbers.
    #[error("invalid containerPort: {0}")]
    Ports(String),
    /// The host ports are no port numbers.
    #[error("invalid hostPort: {0}")]
    HostPorts(String),
    /// Ranges of different lengths.
    #[error("invalid ranges specified for container and host Ports: {ports} and {host_ports}")]
    Lengths {
        /// Ports in the sandbox.
        ports: PortRange,
        /// Host ports.
        host_ports: PortRange,
    },
}

impl PublishRequest {
    /// Puts a request together; zero as host port asks for any free one, as with sockets.
    pub fn new(
        host_address: Option<IpAddr>,
        host_ports: Option<PortRange>,
        ports: PortRange,
        protocol: Protocol,
    ) -> Result<Self, PublishError> {
        if ports.first() == 0 {
            return Err(PublishError::Ports(ports.to_string()));
        }
        let host_ports = match host_ports {
            Some(host_ports) if host_ports == PortRange::single(0) => None,
            Some(host_ports) if host_ports.first() == 0 => {
                return Err(PublishError::HostPorts(host_ports.to_string()));
            }
            Some(host_ports) if !ports.is_single() && host_ports.alike(ports.first()) != Some(ports) => {
                return Err(PublishError::Lengths { ports, host_ports });
            }
            host_ports => host_ports,
        };
        Ok(Self { host_address, host_ports, ports, protocol })
    }
}

impl FromStr for PublishRequest {
    type Err = PublishError;

    fn from_str(text: &str) -> Result<Self, PublishError> {
        let (host, ports) = text.rsplit_once(':').unwrap_or(("", text));
        let (host_address, host_ports) = host.rsplit_once(':').unwrap_or(("", host));
        let (ports, protocol) = ports.split_once('/').unwrap_or((ports, ""));
        if ports.is_empty() {
            return Err(PublishError::NoPort(text.to_owned()));
        }
        let protocol = Protocol::or_tcp(protocol)?;
        let host_address = parse_host_address(host_address)?;
        let ports = PortRange::parse(ports).ok_or_else(|| PublishError::Ports(ports.to_owned()))?;
        Self::new(host_address, parse_host_ports(host_ports)?, ports, protocol)
    }
}

/// As the flag is typed.
impl fmt::Display for PublishRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.host_address {
            write!(f, "{}:", bracketed(address))?;
        }
        if let Some(host_ports) = self.host_ports {
            host_ports.fmt(f)?;
        }
        write!(f, ":{}/{}", self.ports, self.protocol)
    }
}

/// An IPv6 address may stand without its brackets, as for Docker.
fn parse_host_address(text: &str) -> Result<Option<IpAddr>, PublishError> {
    if text.is_empty() {
        return Ok(None);
    }
    let address = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').and_then(|inner| inner.parse().ok()).map(IpAddr::V6),
        None => text.parse().ok(),
    };
    address.map(Some).ok_or_else(|| PublishError::HostAddress(text.to_owned()))
}

fn parse_host_ports(text: &str) -> Result<Option<PortRange>, PublishError> {
    if text.is_empty() {
        return Ok(None);
    }
    PortRange::parse(text).map(Some).ok_or_else(|| PublishError::HostPorts(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, host: &str, host_ports: &str, ports: &str, protocol: Protocol) {
        let range = |text| PortRange::parse(text).expect("the test gives ports");
        let wanted = PublishRequest {
            host_address: host.parse().ok(),
            host_ports: Some(host_ports).filter(|text| !text.is_empty()).map(range),
            ports: range(ports),
            protocol,
        };
        assert_eq!(text.parse(), Ok(wanted), "{text}");
        assert_eq!(wanted.to_string().parse(), Ok(wanted), "{wanted}");
    }

    #[test]
    fn every_form_of_the_flag_is_understood() {
        check("80", "", "", "80", Protocol::Tcp);
        check("8080:80", "", "8080", "80", Protocol::Tcp);
        check("8080:80/udp", "", "8080", "80", Protocol::Udp);
        check("8080:80/sctp", "", "8080", "80", Protocol::Sctp);
        check("127.0.0.1:8080:80/TCP", "127.0.0.1", "8080", "80", Protocol::Tcp);
        check("8080:80/", "", "8080", "80", Protocol::Tcp);
        check("127.0.0.1::80", "127.0.0.1", "", "80", Protocol::Tcp);
        check("0.0.0.0:8080:80", "0.0.0.0", "8080", "80", Protocol::Tcp);
        check(":80", "", "", "80", Protocol::Tcp);
        check("0:80", "", "", "80", Protocol::Tcp);
        check("[::1]:8080:80", "::1", "8080", "80", Protocol::Tcp);
        check("[::]:8080:80", "::", "8080", "80", Protocol::Tcp);
        check("::1:8080:80", "::1", "8080", "80", Protocol::Tcp);
        check("8000-8010:80", "", "8000-8010", "80", Protocol::Tcp);
        check("8000-8010:80-90", "", "8000-8010", "80-90", Protocol::Tcp);
        check("127.0.0.1:8000-8010:80-90/udp", "127.0.0.1", "8000-8010", "80-90", Protocol::Udp);
        check("80-90", "", "", "80-90", Protocol::Tcp);
        check("0:80-90", "", "", "80-90", Protocol::Tcp);
    }

    #[test]
    fn nonsense_is_refused_with_dockers_text() {
        for (text, start) in [
            ("", "no port specified: <empty>"),
            ("8080:", "no port specified: 8080:<empty>"),
            ("8080:80/icmp", "invalid proto: icmp"),
            ("8080:/udp", "no port specified: 8080:/udp<empty>"),
            ("host:8080:80", "invalid IP address: host"),
            ("[::1:8080:80", "invalid IP address: [::1"),
            ("[127.0.0.1]:8080:80", "invalid IP address: [127.0.0.1]"),
            ("8080:70000", "invalid containerPort: 70000"),
            ("8080:0", "invalid containerPort: 0"),
            ("8080:90-80", "invalid containerPort: 90-80"),
            ("99999:80", "invalid hostPort: 99999"),
            ("0-5:80", "invalid hostPort: 0-5"),
            ("-1:80", "invalid hostPort: -1"),
            ("+1:80", "invalid hostPort: +1"),
            ("8000-8002:80-83", "invalid ranges specified for container and host Ports: 80-83 and 8000-8002"),
            ("8000:80-83", "invalid ranges specified for container and host Ports: 80-83 and 8000"),
        ] {
            let error = text.parse::<PublishRequest>().expect_err(text).to_string();
            assert!(error.starts_with(start), "{text:?} gave {error:?}");
        }
    }
}
