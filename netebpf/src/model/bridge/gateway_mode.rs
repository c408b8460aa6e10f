//! What stands between a network and the outside?

use std::{fmt, str::FromStr};

/// What stands between a network and the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatewayMode {
    /// Address translation; only published ports are open.
    #[default]
    Nat,
    /// Address translation; every port is open at the endpoint's own address.
    NatUnprotected,
    /// No address translation; published ports are open at the endpoint's own address.
    Routed,
    /// The host has no address in the network.
    Isolated,
}

impl FromStr for GatewayMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "nat" => Ok(Self::Nat),
            "nat-unprotected" => Ok(Self::NatUnprotected),
            "routed" => Ok(Self::Routed),
            "isolated" => Ok(Self::Isolated),
            _ => Err(format!("unknown gateway mode {text}")),
        }
    }
}

impl fmt::Display for GatewayMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nat => "nat",
            Self::NatUnprotected => "nat-unprotected",
            Self::Routed => "routed",
            Self::Isolated => "isolated",
        })
    }
}
