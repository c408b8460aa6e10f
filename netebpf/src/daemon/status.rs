//! What the daemon can tell of itself.

use std::{collections::BTreeMap, net::Ipv4Addr};

use netebpf_common::abi::{Asker, Hook};

use crate::{
    kernel::{AttachMode, FeatureStatus, ProgramStatus, TableSize},
    model::NetworkId,
};

/// What the daemon looks after, and how the data plane does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How many networks there are.
    pub networks: usize,
    /// How many sandboxes there are, ended ones included.
    pub sandboxes: usize,
    /// What each network's endpoints have asked for names.
    pub asked: BTreeMap<NetworkId, Asked>,
    /// The data plane.
    pub data_plane: DataPlane,
}

/// What the endpoints that are there have asked for names, as the kernel has counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Queries that the kernel has answered.
    pub answered: u64,
    /// Packets to the name server that were too many.
    pub limited: u64,
}

impl Asked {
    /// Adds what one endpoint has asked.
    pub const fn add(&mut self, asker: &Asker) {
        self.answered += asker.answered;
        self.limited += asker.limited;
    }
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
    /// What was asked for names, by the index of an endpoint's host-side link.
    pub askers: BTreeMap<u32, Asker>,
    /// Where sandboxes find the resolver; `None` without a data plane.
    pub resolver: Option<Ipv4Addr>,
    /// Events that were too many to be told.
    pub events_lost: u64,
}
