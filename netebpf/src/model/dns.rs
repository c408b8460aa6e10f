//! What `--dns` and `--dns-search` take.

use std::{fmt, net::IpAddr, str::FromStr};

/// Domains have less bytes than this.
const MAX_LENGTH: usize = 255;

/// A name server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DnsServer(pub IpAddr);

/// A search domain, or `.` for none at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDomain(String);

/// Text that makes no sense there; the words are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// It is no IP address.
    #[error("IP address is not correctly formatted: {0}")]
    Address(String),
    /// It is no domain.
    #[error("{0} is not a valid domain")]
    Domain(String),
}

impl SearchDomain {
    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DnsServer {
    type Err = DnsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: Result<IpAddr, _> = text.trim().parse();
        address.map(|address| Self(address.to_canonical())).map_err(|_| DnsError::Address(text.to_owned()))
    }
}

impl FromStr for SearchDomain {
    type Err = DnsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim_matches(' ');
        if trimmed == "." {
            return Ok(Self(trimmed.to_owned()));
        }
        let domain = trimmed.trim_end();
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let valid = domain.len() < MAX_LENGTH
            && domain.contains(|c: char| c.is_ascii_alphabetic())
            && domain.split('.').all(is_label);
        if valid { Ok(Self(domain.to_owned())) } else { Err(DnsError::Domain(trimmed.to_owned())) }
    }
}

impl fmt::Display for DnsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SearchDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Letters, digits and, between them, hyphens.
fn is_label(text: &str) -> bool {
    let ends = |end: Option<char>| end.is_some_and(|c| c.is_ascii_alphanumeric());
    ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address() {
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1"),
            (" fd00::1 ", "fd00::1"),
            ("0:0:0:0:0:0:0:1", "::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(text.parse::<DnsServer>().map(|server| server.to_string()), Ok(address.to_owned()));
        }
        for text in ["", "192.0.2", "192.0.2.1.5", "[::1]", "dns.example.org"] {
            let error = text.parse::<DnsServer>().expect_err(text).to_string();
            assert_eq!(error, format!("IP address is not correctly formatted: {text}"));
        }
    }

    #[test]
    fn a_search_domain_has_letters_and_loses_its_last_dot() {
        for (text, domain) in
            [(".", "."), ("a", "a"), (" a.b. ", "a.b"), ("1-2.Foo", "1-2.Foo"), ("1.foo", "1.foo")]
        {
            assert_eq!(text.parse::<SearchDomain>().map(|found| found.to_string()), Ok(domain.to_owned()));
        }
        let long = format!("{}.a", "b".repeat(253));
        for text in ["", "1.2", "-a", "a-", "a..b", ".a", "a_b", "a b", &long] {
            let error = text.parse::<SearchDomain>().expect_err(text).to_string();
            assert_eq!(error, format!("{text} is not a valid domain"));
        }
    }
}
