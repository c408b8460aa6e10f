//! What sandboxes resolve, as `GET /netebpf/names` and `GET /netebpf/status` answer.

use serde::{Deserialize, Serialize};

/// What a sandbox is told about a name, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The name.
    pub name: String,
    /// What was asked about it, such as `A`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The sandbox.
    pub sandbox: String,
    /// Who knows the name.
    pub source: Source,
    /// The network that knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// What the network calls it, if it is the name of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<String>,
    /// Addresses or names; none if there is no such record, or if others are asked.
    pub records: Vec<String>,
    /// Servers that are asked, in this order; `host(ADDRESS)` from the host's network, others from the sandbox's.
    pub servers: Vec<String>,
}

/// Who knows a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A network of the sandbox.
    Network,
    /// Nobody: it has one part, and the sandbox's `ndots` keeps such names from being forwarded.
    SingleLabel,
    /// Other servers, perhaps.
    Forwarded,
    /// Nobody, and there is no server to ask.
    Nobody,
}

/// What was asked of the name server on a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queries {
    /// The network.
    pub network: String,
    /// All queries that reached the server.
    pub queries: u64,
    /// Those that were answered with what the network knows.
    pub answered: u64,
    /// Those that another server was asked about.
    pub forwarded: u64,
    /// Those that nobody answered.
    pub failed: u64,
    /// Those that were malformed, or too many.
    pub refused: u64,
    /// Queries that never reached the server, because the kernel has answered them, of the endpoints that are there.
    #[serde(default)]
    pub answered_in_kernel: u64,
    /// Packets to the server that the kernel has dropped, because there were too many.
    #[serde(default)]
    pub limited: u64,
}
