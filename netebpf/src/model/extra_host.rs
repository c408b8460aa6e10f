//! What `--add-host` takes.

use std::{fmt, net::IpAddr, str::FromStr};

/// Stands for the host's address.
const HOST_GATEWAY: &str = "host-gateway";

/// A line for `/etc/hosts`; several may have the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraHost {
    /// The name.
    pub name: String,
    /// What the name stands for.
    pub target: ExtraTarget,
}

/// What an extra host's name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtraTarget {
    /// An address.
    Address {
        /// The address.
        address: IpAddr,
        /// As the user wrote it, without brackets: so it is shown.
        written: String,
    },
    /// The addresses of the host, which the daemon knows.
    HostGateway,
}

/// Why an extra host cannot be; the words are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtraHostError {
    /// A name or a separator is missing.
    #[error("bad format for add-host: {0:?}")]
    Format(String),
    /// The part behind the separator is no address.
    #[error("invalid IP address in add-host: {0:?}")]
    Address(String),
    /// The host has no address for this.
    #[error("unable to derive the IP value for host-gateway")]
    NoHostGateway,
}

impl ExtraHost {
    /// The addresses of the name, where these are the host's.
    pub fn addresses(&self, host_gateway: &[IpAddr]) -> Result<Vec<IpAddr>, ExtraHostError> {
        match &self.target {
            ExtraTarget::Address { address, .. } => Ok(vec![address.to_canonical()]),
            ExtraTarget::HostGateway if host_gateway.is_empty() => Err(ExtraHostError::NoHostGateway),
            ExtraTarget::HostGateway => Ok(host_gateway.to_vec()),
        }
    }
}

/// Reads `name:address` and `name=address`; the address may be in brackets.
impl FromStr for ExtraHost {
    type Err = ExtraHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=').or_else(|| text.split_once(':'));
        let (name, address) = parts
            .filter(|(name, _)| !name.is_empty() && !name.contains(':'))
            .ok_or_else(|| ExtraHostError::Format(text.to_owned()))?;
        let target = if address == HOST_GATEWAY {
            ExtraTarget::HostGateway
        } else {
            let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let written = inner.filter(|inner| !inner.is_empty()).unwrap_or(address).to_owned();
            let address = written.parse().map_err(|_| ExtraHostError::Address(written.clone()))?;
            ExtraTarget::Address { address, written }
        };
        Ok(Self { name: name.to_owned(), target })
    }
}

/// Prints `name:address`, as Docker's API has it.
impl fmt::Display for ExtraHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = match &self.target {
            ExtraTarget::Address { written, .. } => written,
            ExtraTarget::HostGateway => HOST_GATEWAY,
        };
        write!(f, "{}:{target}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_separators_and_brackets_are_taken() {
        for (text, shown) in [
            ("web:192.0.2.1", "web:192.0.2.1"),
            ("web=192.0.2.1", "web:192.0.2.1"),
            ("web:::1", "web:::1"),
            ("web=0:0:0:0:0:0:0:1", "web:0:0:0:0:0:0:0:1"),
            ("web:[::1]", "web:::1"),
            ("web:host-gateway", "web:host-gateway"),
            ("my web:[192.0.2.1]", "my web:192.0.2.1"),
        ] {
            assert_eq!(text.parse::<ExtraHost>().map(|host| host.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn other_texts_are_refused_with_dockers_words() {
        let error = |text: &str| text.parse::<ExtraHost>().expect_err(text).to_string();
        for text in ["", "web", ":192.0.2.1", "=192.0.2.1", "a:b=192.0.2.1"] {
            assert_eq!(error(text), format!("bad format for add-host: {text:?}"));
        }
        for (text, address) in [("web:", ""), ("web:x", "x"), ("web=[]", "[]"), ("web:[1.2.3]", "1.2.3")] {
            assert_eq!(error(text), format!("invalid IP address in add-host: {address:?}"));
        }
    }

    #[test]
    fn the_host_gateway_may_have_two_addresses_and_must_have_one() {
        let host: ExtraHost = "host.docker.internal=host-gateway".parse().expect("an extra host");
        let addresses = ["172.17.0.1", "fd00::1"].map(|address| address.parse().expect("an address"));
        assert_eq!(host.addresses(&addresses), Ok(addresses.to_vec()));
        let error = host.addresses(&[]).expect_err("no address").to_string();
        assert_eq!(error, "unable to derive the IP value for host-gateway");
    }
}
