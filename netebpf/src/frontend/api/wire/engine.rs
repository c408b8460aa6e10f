//! The data plane as `GET /netebpf/status` answers.

use serde::{Deserialize, Serialize};

use super::Queries;

/// What runs, where, and what it has counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the daemon.
    pub version: String,
    /// Process id of the daemon.
    pub pid: u32,
    /// Release of the kernel.
    pub kernel: String,
    /// How programs are attached to links: `tcx` or `clsact`.
    pub attach_mode: String,
    /// Where sandboxes on networks with names ask for them: 127.0.0.11 as in Docker, by way of socket hooks, or 169.254.0.53 on
    /// a machine without cgroup v2.
    #[serde(default)]
    pub resolver: String,
    /// Networks the daemon looks after.
    pub networks: usize,
    /// Sandboxes the daemon looks after.
    pub sandboxes: usize,
    /// What netebpf uses of the kernel.
    #[serde(default)]
    pub features: Vec<Feature>,
    /// The BPF programs.
    pub programs: Vec<Program>,
    /// The BPF maps.
    pub tables: Vec<Table>,
    /// What was counted, without the zeros.
    pub counters: Vec<Counter>,
    /// What was asked of the name server, by network.
    #[serde(default)]
    pub queries: Vec<Queries>,
    /// Events that were too many for those who followed.
    #[serde(default)]
    pub events_lost: u64,
}

/// Something of the kernel that netebpf uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// Whether this kernel has it.
    pub available: bool,
    /// The first kernel that can have it.
    pub needed_from: String,
    /// What it is for and what is lost without it.
    pub meaning: String,
}

/// A BPF program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// The links it is attached to, or the cgroup.
    pub attached_to: Vec<String>,
    /// Instructions that the kernel's verifier walked through; 0 if it does not say.
    pub instructions: u32,
}

/// A BPF map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Entries in it.
    pub entries: usize,
    /// Entries it can hold.
    pub capacity: u32,
}

/// How many packets met one outcome at one hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// The hook.
    pub hook: String,
    /// The outcome.
    pub outcome: String,
    /// Packets since the maps were made.
    pub packets: u64,
    /// What the outcome means.
    pub meaning: String,
}
