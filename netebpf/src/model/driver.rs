//! Which kinds of networks there are.

use std::fmt;

/// What makes a network work. Overlay, macvlan and ipvlan will join these.
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

    /// The driver with Docker's name for it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|driver| driver.as_str() == name)
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
