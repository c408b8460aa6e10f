//! The data path in the kernel: programs, tables and what holds them there when the daemon is gone.

mod abi;
mod attach;
mod cgroup;
mod collect;
mod counters;
pub mod drops;
pub mod events;
pub mod flows;
mod load;
mod log;
pub mod names;
mod pins;
mod sockets;
mod status;
mod table;
mod tables;
mod trie;

use std::collections::BTreeSet;

use aya::Ebpf;
use netebpf_common::abi::{Hook, map_name};

use self::{counters::Counters, tables::Tables};
use super::{Error, Settings, TableContents, features::Features};
use crate::plan::{Entry, Key};

pub use abi::Abi;
pub use attach::AttachMode;
pub(super) use attach::remove_filters;
pub(super) use sockets::TranslatedSockets;
pub use status::{ProgramStatus, TableSize};
pub(super) use trie::behind;

/// The loaded and pinned data path.
pub(super) struct Datapath {
    settings: Settings,
    mode: AttachMode,
    /// Whether the socket programs are attached.
    pub(super) socket_hooks: bool,
    programs: Ebpf,
    tables: Tables,
    counters: Counters,
}

impl Datapath {
    /// Loads the programs, adopts or makes the pinned maps, and puts the programs wherever earlier ones were attached.
    pub(super) fn open(settings: &Settings, features: &Features, object: &[u8]) -> Result<Self, Error> {
        tables::check_pinned(&settings.maps())?;
        let mut programs = load::load(settings, object)?;
        collect::load(&mut programs, settings)?;
        let mode = AttachMode::choose(features);
        attach::replace_all(&mut programs, settings, mode)?;
        let socket_hooks = cgroup::attach(&mut programs, settings)?;
        log::follow(&mut programs);
        let tables = Tables::open(&settings.maps())?;
        let counters = Counters::open(&settings.maps().join(map_name::COUNTERS))?;
        Ok(Self { settings: settings.clone(), mode, socket_hooks, programs, tables, counters })
    }

    /// Attaches a hook's program to a link; the one that is attached is replaced without a gap.
    pub(super) fn attach(&mut self, hook: Hook, ifindex: u32) -> Result<(), Error> {
        attach::attach(&mut self.programs, &self.settings, self.mode, hook, ifindex)
    }

    /// Detaches a hook's program from a link.
    pub(super) fn detach(&self, hook: Hook, ifindex: u32) -> Result<(), Error> {
        attach::detach(&self.settings, hook, ifindex)
    }

    /// The way programs are attached to links.
    pub(super) const fn attach_mode(&self) -> AttachMode {
        self.mode
    }

    /// Where programs are attached and recorded. A record whose link is gone counts, so that it is detached for good; a
    /// record whose link is there but whose program is not attached does not.
    pub(super) fn attached(&self, links: &BTreeSet<u32>) -> Result<BTreeSet<(Hook, u32)>, Error> {
        attach::attached(&self.programs, &self.settings, self.mode, links)
    }

    /// The same about one link.
    pub(super) fn attached_to(&self, ifindex: u32, is_there: bool) -> Result<BTreeSet<(Hook, u32)>, Error> {
        attach::attached_to(&self.programs, &self.settings, self.mode, ifindex, is_there)
    }

    /// Writes an entry.
    pub(super) fn put(&mut self, entry: &Entry) -> Result<(), Error> {
        self.tables.put(entry)
    }

    /// Removes an entry.
    pub(super) fn delete(&mut self, key: &Key) -> Result<(), Error> {
        self.tables.delete(key)
    }

    /// Reads the tables that the control plane writes.
    pub(super) fn contents(&self) -> Result<TableContents, Error> {
        self.tables.contents()
    }

    /// Counters that are not zero: hook, code of the outcome, packets.
    pub(super) fn counters(&self) -> Result<Vec<(Hook, u8, u64)>, Error> {
        self.counters.read()
    }

    /// The programs and where they are attached.
    pub(super) fn programs(&self, links: &BTreeSet<u32>) -> Result<Vec<ProgramStatus>, Error> {
        status::programs(&self.programs, &self.attached(links)?)
    }

    /// How many events did not fit into the ring buffer.
    pub(super) fn events_lost(&self) -> Result<u64, Error> {
        events::lost(&self.settings)
    }

    /// How full the tables are.
    pub(super) fn table_sizes(&self) -> Result<Vec<TableSize>, Error> {
        status::table_sizes(&self.settings.maps())
    }
}
