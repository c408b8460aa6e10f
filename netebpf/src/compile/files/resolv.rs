//! What `/etc/resolv.conf` of a sandbox says.

mod parse;
#[cfg(test)]
mod tests;
mod write;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the resolver of user networks listens, inside a sandbox.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// Asked where nobody else can be.
const FALLBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)), IpAddr::V4(Ipv4Addr::new(8, 8, 4, 4))];
const FALLBACK6: [IpAddr; 2] = [
    IpAddr::V6(Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8844)),
];

/// A server that is asked for names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServer {
    /// Its address.
    pub address: IpAddr,
    /// The zone of a link-local address, as the host's file has it.
    pub zone: Option<String>,
}

/// The host's file, with what the options of a sandbox or of the daemon replace in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResolvConf {
    source: String,
    servers: Vec<NameServer>,
    search: Vec<String>,
    options: Vec<String>,
    /// Directives that we do not know, as they are.
    other: Vec<String>,
    /// What stands for a name server and is no address.
    invalid: Vec<String>,
    replaced: Replaced,
    ndots_from: Option<&'static str>,
}

/// `--dns`, `--dns-search` and `--dns-option`; an empty list leaves what the host has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides<'a> {
    /// Name servers.
    pub servers: &'a [IpAddr],
    /// Search domains; `.` stands for none.
    pub search: &'a [String],
    /// Options.
    pub options: &'a [String],
}

/// How a sandbox reaches name servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As the host does, because it is in the host's network or in none yet.
    Host,
    /// By itself: on the default bridge and in the network `none`.
    Direct {
        /// Whether its network has IPv6.
        ipv6: bool,
    },
    /// Through the resolver of its networks, at this address.
    Resolver(Ipv4Addr),
}

/// A server that the resolver of a sandbox asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalServer {
    /// The server.
    pub server: NameServer,
    /// Whether it is asked from the host's network: it comes from the host's file and may listen on loopback.
    pub from_host: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Replaced {
    servers: bool,
    search: bool,
    options: bool,
}

impl ResolvConf {
    /// Reads the host's file; `source` is its path, for the comment. What is not there is read as an empty text.
    #[must_use]
    pub fn parse(text: &str, source: &str) -> Self {
        parse::parse(text, source)
    }

    /// Puts the user's choices in the place of the host's.
    pub fn replace(&mut self, overrides: &Overrides<'_>) {
        if !overrides.servers.is_empty() {
            self.servers = overrides.servers.iter().copied().map(NameServer::from).collect();
            self.replaced.servers = true;
        }
        if !overrides.search.is_empty() {
            self.search = overrides.search.iter().filter(|domain| *domain != ".").cloned().collect();
            self.replaced.search = true;
        }
        if !overrides.options.is_empty() {
            self.options = overrides.options.to_vec();
            self.ndots_from = self.has_option("ndots").then_some("override");
            self.replaced.options = true;
        }
    }

    /// The servers that the resolver of a sandbox asks.
    #[must_use]
    pub fn external_servers(&self) -> Vec<ExternalServer> {
        let external = |server: &NameServer| ExternalServer {
            server: server.clone(),
            from_host: !self.replaced.servers,
        };
        self.servers.iter().map(external).collect()
    }

    /// Whether somebody has said from how many dots on a name is complete, be it wrongly.
    #[must_use]
    pub fn says_ndots(&self) -> bool {
        self.has_option("ndots")
    }

    /// The text of a sandbox's file.
    #[must_use]
    pub fn write(&self, reach: Reach) -> String {
        match reach {
            Reach::Host => self.text("", None),
            Reach::Direct { ipv6 } => self.direct(ipv6),
            Reach::Resolver(address) => self.behind_resolver(address),
        }
    }

    fn direct(&self, ipv6: bool) -> String {
        const KIND: &str = " (legacy)";
        if self.replaced.servers {
            return self.text(KIND, None);
        }
        let usable = |server: &&NameServer| {
            !server.address.to_canonical().is_loopback() && (ipv6 || server.address.is_ipv4())
        };
        let servers: Vec<_> = self.servers.iter().filter(usable).cloned().collect();
        if !servers.is_empty() {
            return Self { servers, ..self.clone() }.text(KIND, None);
        }
        let fallback = FALLBACK.into_iter().chain(FALLBACK6.into_iter().filter(|_| ipv6));
        let servers = fallback.map(NameServer::from).collect();
        Self { servers, ..self.clone() }.text(KIND, Some("# Used default nameservers."))
    }

    fn behind_resolver(&self, resolver: Ipv4Addr) -> String {
        let mut inner = self.clone();
        inner.servers = vec![NameServer::from(IpAddr::V4(resolver))];
        inner.options.retain(|option| is_sound(option));
        if !inner.has_option("ndots") {
            inner.options.push("ndots:0".to_owned());
            inner.ndots_from = Some("internal");
        }
        let external = self.external_servers();
        if external.is_empty() {
            return inner.text(" (internal resolver)", Some("# NO EXTERNAL NAMESERVERS DEFINED"));
        }
        let external: Vec<_> = external.iter().map(ToString::to_string).collect();
        let comment = format!("# ExtServers: [{}]", external.join(" "));
        inner.text(" (internal resolver)", Some(&comment))
    }

    fn has_option(&self, name: &str) -> bool {
        self.options.iter().any(|option| split(option).0 == name)
    }
}

impl From<IpAddr> for NameServer {
    fn from(address: IpAddr) -> Self {
        Self { address, zone: None }
    }
}

impl std::fmt::Display for NameServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.zone {
            Some(zone) => write!(f, "{}%{zone}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// As in the comment that lists them.
impl std::fmt::Display for ExternalServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.from_host { write!(f, "host({})", self.server) } else { write!(f, "{}", self.server) }
    }
}

fn split(option: &str) -> (&str, Option<&str>) {
    option.split_once(':').map_or((option, None), |(name, value)| (name, Some(value)))
}

/// Whether an option is not an `ndots` without a number, which the resolver could not live with.
fn is_sound(option: &str) -> bool {
    match split(option) {
        ("ndots", value) => value.is_some_and(|value| value.parse::<i64>().is_ok_and(|dots| dots >= 0)),
        _ => true,
    }
}
