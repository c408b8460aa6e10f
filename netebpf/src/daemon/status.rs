//! What the daemon can tell of itself.

use netebpf_common::abi::Hook;

use crate::kernel::{AttachMode, FeatureStatus, ProgramStatus, TableSize};

/// What the daemon looks after, and how the data plane does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How many networks there are.
    pub networks: usize,
    /// How many sandboxes there are, ended ones included.
    pub sandboxes: usize,
    /// The data plane.
    pub data_plane: DataPlane,
}

/// What the data plane runs and has counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataPlane {
    /// Release of the kernel, as `uname -r` prints it.
    pub kernel: String,
    /// The way programs are attached to links; `None` without a data plane.
    pub attach_mode: Option<AttachMode>,
    /// What the kernel has and has not.
    pub features: Vec<FeatureStatus>,
    /// The programs and where they are attached.
    pub programs: Vec<ProgramStatus>,
    /// How full the tables are.
    pub tables: Vec<TableSize>,
    /// Counters that are not zero: hook, code of the outcome, packets.
    pub counters: Vec<(Hook, u8, u64)>,
    /// Events that were too many to be told.
    pub events_lost: u64,
}
