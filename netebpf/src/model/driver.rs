//! Which kinds of networks there are.

use std::fmt;

/// What makes a network work. Who adds one finds what is to be said about it in this file; the compiler names the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Driver {
    /// Endpoints on a bridge of the host, with addresses of the network's own.
    #[default]
    Bridge,
    /// The host's own network namespace.
    Host,
    /// A namespace with nothing but loopback.
    Null,
}

impl Driver {
    /// All drivers.
    pub const ALL: [Self; 3] = [Self::Bridge, Self::Host, Self::Null];

    /// The driver with Docker's name for it; none for the default one.
    pub fn named(name: &str) -> Result<Self, DriverError> {
        match name {
            "" => Ok(Self::default()),
            SWARMS => Err(DriverError::NotManager),
            _ => {
                let mut drivers = Self::ALL.into_iter();
                let known = drivers.find(|driver| driver.as_str() == name);
                known.ok_or_else(|| DriverError::NotFound(name.to_owned()))
            }
        }
    }

    /// Docker's name for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::Null => "null",
        }
    }

    /// Whether its networks have subnets and give addresses.
    #[must_use]
    pub const fn has_addresses(self) -> bool {
        matches!(self, Self::Bridge)
    }

    /// Whether users can make networks of it; of the others there is one, made by the engine.
    #[must_use]
    pub const fn is_for_users(self) -> bool {
        matches!(self, Self::Bridge)
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Docker's driver for networks of a swarm.
const SWARMS: &str = "overlay";

/// A driver that cannot be had, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// Only managers of a swarm make its networks, and this engine is in none.
    #[error(
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to \
         swarm and try again."
    )]
    NotManager,
    /// Nobody knows it.
    #[error("plugin {0:?} not found")]
    NotFound(String),
}

/// Who gives a network its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IpamDriver {
    /// The engine.
    #[default]
    Default,
    /// Nobody: of no use to a bridge, which is refused in Docker's words.
    Null,
}

impl IpamDriver {
    /// The one with Docker's name for it; none for the default one.
    pub fn named(name: &str) -> Result<Self, DriverError> {
        match name {
            "" | "default" => Ok(Self::Default),
            "null" => Ok(Self::Null),
            _ => Err(DriverError::NotFound(name.to_owned())),
        }
    }
}

/// Where a network is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On this host.
    Local,
    /// In a swarm.
    Swarm,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_go_by_dockers_names_and_others_are_refused_in_dockers_words() {
        for driver in Driver::ALL {
            assert_eq!(Driver::named(driver.as_str()), Ok(driver));
        }
        assert_eq!(Driver::named(""), Ok(Driver::Bridge));
        let refusal = |name| Driver::named(name).expect_err(name).to_string();
        assert_eq!(refusal("weave"), "plugin \"weave\" not found");
        assert!(
            refusal("overlay").starts_with("This node is not a swarm manager. Use \"docker swarm init\"")
        );
        assert_eq!(IpamDriver::named("null"), Ok(IpamDriver::Null));
        assert_eq!(IpamDriver::named("x").expect_err("unknown").to_string(), "plugin \"x\" not found");
    }
}
