//! What `--hostname` and `--domainname` take: what the kernel does, and what does not break `/etc/hosts`.

use std::{fmt, str::FromStr};

/// The longest, in bytes (`__NEW_UTS_LEN`).
const MAX_LENGTH: usize = 64;

/// A sandbox's host name; it may have a domain in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostname(String);

/// A sandbox's domain name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domainname(String);

/// Text that cannot name a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind} {text:?}: 1 to {MAX_LENGTH} bytes without white space are allowed")]
pub struct HostnameError {
    /// `hostname` or `domainname`.
    kind: &'static str,
    text: String,
}

impl Hostname {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Domainname {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Hostname {
    type Err = HostnameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check("hostname", text).map(Self)
    }
}

impl FromStr for Domainname {
    type Err = HostnameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check("domainname", text).map(Self)
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Domainname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(kind: &'static str, text: &str) -> Result<String, HostnameError> {
    let valid = (1..=MAX_LENGTH).contains(&text.len())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#');
    if valid { Ok(text.to_owned()) } else { Err(HostnameError { kind, text: text.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_the_kernel_and_a_line() {
        for text in ["web", "web.example.org", "WEB_1", &"a".repeat(64)] {
            assert_eq!(text.parse::<Hostname>().map(|name| name.to_string()), Ok(text.to_owned()));
            assert_eq!(text.parse::<Domainname>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "a b", "a\nb", "a\0", "a#b", &"a".repeat(65)] {
            text.parse::<Hostname>().expect_err("it breaks something");
        }
        let error = "a b".parse::<Domainname>().expect_err("it breaks a line").to_string();
        assert_eq!(error, "invalid domainname \"a b\": 1 to 64 bytes without white space are allowed");
    }
}
