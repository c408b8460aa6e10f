//! Where subnets come from when the user names none.

use std::{net::Ipv4Addr, str::FromStr};

use ipnet::{IpNet, Ipv4Net};
use netebpf_common::abi::Family;

use super::family_of;

/// A block that subnets of one length are cut from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultPool {
    base: IpNet,
    size: u8,
}

/// Text that is no block to cut subnets from, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefaultPoolError {
    /// There is no equals sign.
    #[error("invalid field '{0}' must be a key=value pair")]
    Pair(String),
    /// The block is none.
    #[error("invalid base prefix {0:?}: it must be written as 10.10.0.0/16")]
    Base(String),
    /// The length is no number.
    #[error("invalid size value: {0:?} (must be integer)")]
    Size(String),
    /// There is no such key.
    #[error("unexpected key '{key}' in '{pair}'")]
    Key {
        /// The key.
        key: String,
        /// With its value.
        pair: String,
    },
    /// One of both is missing.
    #[error("invalid default address pool {0:?}: it must be written as base=CIDR,size=N")]
    Incomplete(String),
    /// No subnet of this length fits into the block.
    #[error("invalid default address pool: size {size} is not from {} to {}", .base.prefix_len(), .base.max_prefix_len())]
    TooBig {
        /// The block.
        base: IpNet,
        /// The wanted length.
        size: u8,
    },
}

/// Docker's pools for networks of one host, in order.
const DOCKERS: [DefaultPool; 7] = [
    of_v4([172, 17], 16, 16),
    of_v4([172, 18], 16, 16),
    of_v4([172, 19], 16, 16),
    of_v4([172, 20], 14, 16),
    of_v4([172, 24], 14, 16),
    of_v4([172, 28], 14, 16),
    of_v4([192, 168], 16, 20),
];

const fn of_v4([a, b]: [u8; 2], prefix: u8, size: u8) -> DefaultPool {
    DefaultPool { base: IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), prefix)), size }
}

impl DefaultPool {
    /// A block and the prefix length of the subnets that are cut from it.
    pub fn new(base: IpNet, size: u8) -> Result<Self, DefaultPoolError> {
        let base = base.trunc();
        if (base.prefix_len()..=base.max_prefix_len()).contains(&size) {
            Ok(Self { base, size })
        } else {
            Err(DefaultPoolError::TooBig { base, size })
        }
    }

    /// Docker's own pools for networks of one host, in Docker's order.
    #[must_use]
    pub fn dockers() -> Vec<Self> {
        DOCKERS.to_vec()
    }

    /// The block.
    #[must_use]
    pub const fn base(self) -> IpNet {
        self.base
    }

    /// The prefix length of the subnets that are cut from it.
    #[must_use]
    pub const fn size(self) -> u8 {
        self.size
    }

    /// Whether a subnet is one of those that are cut from it.
    #[must_use]
    pub fn has(self, subnet: IpNet) -> bool {
        self.base.contains(&subnet) && subnet.prefix_len() == self.size
    }

    /// The subnets of the pool in order, of its own length or of another that fits into it.
    pub fn subnets(self, length: Option<u8>) -> impl Iterator<Item = IpNet> {
        self.base.subnets(length.unwrap_or(self.size)).into_iter().flatten()
    }

    /// The IP version of its addresses.
    #[must_use]
    pub fn family(self) -> Family {
        family_of(self.base.addr())
    }
}

impl FromStr for DefaultPool {
    type Err = DefaultPoolError;

    fn from_str(text: &str) -> Result<Self, DefaultPoolError> {
        let (mut base, mut size) = (None, None);
        for pair in text.split(',') {
            let (key, value) = pair.split_once('=').ok_or_else(|| DefaultPoolError::Pair(pair.to_owned()))?;
            match key.trim() {
                "base" => {
                    let prefix = value.trim().parse::<IpNet>();
                    base = Some(prefix.map_err(|_| DefaultPoolError::Base(value.to_owned()))?);
                }
                "size" => {
                    let length = value.trim().parse::<u8>();
                    size = Some(length.map_err(|_| DefaultPoolError::Size(value.to_owned()))?);
                }
                key => {
                    return Err(DefaultPoolError::Key { key: key.to_owned(), pair: pair.to_owned() });
                }
            }
        }
        match (base, size) {
            (Some(base), Some(size)) => Self::new(base, size),
            (None, _) | (_, None) => Err(DefaultPoolError::Incomplete(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_pools_are_31_subnets_in_dockers_order() {
        let pools = DefaultPool::dockers();
        let subnets: Vec<_> = pools.iter().flat_map(|pool| pool.subnets(None)).collect();
        let subnets: Vec<_> = subnets.iter().map(ToString::to_string).collect();
        assert_eq!(subnets.len(), 31);
        assert_eq!((&*subnets[0], &*subnets[3]), ("172.17.0.0/16", "172.20.0.0/16"));
        assert_eq!((&*subnets[14], &*subnets[15]), ("172.31.0.0/16", "192.168.0.0/20"));
        assert_eq!(subnets[30], "192.168.240.0/20");
    }

    #[test]
    fn a_pool_is_read_as_docker_reads_it() {
        let pool: DefaultPool = "base=10.10.0.0/16,size=24".parse().expect("a pool");
        assert_eq!(pool.subnets(None).nth(1), "10.10.1.0/24".parse().ok());
        assert_eq!(pool.subnets(None).count(), 256);
        for (text, complaint) in [
            ("x", "invalid field 'x' must be a key=value pair"),
            ("base=x,size=24", "invalid base prefix \"x\""),
            ("base=10.0.0.0/8,size=x", "invalid size value: \"x\" (must be integer)"),
            ("base=10.0.0.0/8,k=v", "unexpected key 'k' in 'k=v'"),
            ("base=10.0.0.0/8", "base=CIDR,size=N"),
            ("base=10.0.0.0/8,size=7", "size 7 is not from 8 to 32"),
            ("base=fd00::/48,size=129", "size 129 is not from 48 to 128"),
        ] {
            let error = text.parse::<DefaultPool>().expect_err(text).to_string();
            assert!(error.contains(complaint), "{text} gave {error}");
        }
    }
}
