//! Keeps the spec on disk, so that it outlives the daemon and a loss of power.
//!
//! Two files hold the same. The state file (redb) has one row for each network and sandbox and takes one transaction for
//! each change: redb writes copies and switches a root, so a kill at any point leaves the state before the change or
//! after it, and when a commit returns it is on disk. After it the same change is added to a journal, which costs a commit
//! one `write` and no waiting for the disk. A file that was damaged afterwards is found when it is opened: redb checks its
//! pages, and a digest covers all rows. It is then set aside, and a new one made of what the journal tells.
//!
//! The journal may lack what the kernel had not written when power was lost (half a minute), which matters only if the
//! state file is damaged at the same time; nothing that was acknowledged is lost as long as one of both is whole.

mod contents;
mod database;
mod directory;
mod error;
mod journal;
mod record;
mod recovery;
mod rows;
mod shield;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::model::{NetworkId, SandboxId, Spec};
use contents::{Changes, Contents};
use database::Database;
use directory::Directory;
use journal::Journal;
use recovery::Recovery;

pub use error::{Damage, Error};

/// Name of the state file in the state directory.
const FILE: &str = "state.redb";

/// Version of the rows' layout; a file of another version is refused, never reinterpreted.
const FORMAT: u64 = 5;

/// The number that tells this engine from others.
const GLOBAL_ID: &str = "global_id";
/// The number of the host's boot.
const BOOT: &str = "boot";

/// The state, open for this process alone.
#[derive(Debug)]
pub struct Store {
    directory: Directory,
    file: PathBuf,
    database: Database,
    /// `None` after a failure, until there is room for a new one.
    journal: Option<Journal>,
    /// What both files hold.
    contents: Contents,
    /// What was written last, whose rows need not be made again.
    saved: Spec,
    recovery: Option<Recovery>,
}

impl Store {
    /// Opens the state in a directory; both are made if they are missing. A damaged file is replaced by what its journal
    /// tells, with a warning.
    ///
    /// Fails when another process has it open, when both files are damaged, or when another version of netebpf wrote it.
    pub fn open(state_dir: &Path) -> Result<Self, Error> {
        let directory = Directory::claim(state_dir)?;
        let (database, contents, recovery) = recovery::open(&directory)?;
        if let Some(recovery) = &recovery {
            tracing::warn!("{recovery}");
        }
        let file = state_dir.join(FILE);
        let saved = spec_of(&contents).map_err(|damage| Error::Damaged { file: file.clone(), damage })?;
        let mut store = Self { directory, file, database, journal: None, contents, saved, recovery };
        if !store.contents.numbers.contains_key(GLOBAL_ID) {
            store.set_number(GLOBAL_ID, random())?;
            store.directory.sync()?;
        }
        store.begin_journal();
        Ok(store)
    }

    /// Reads the spec of a directory whose daemon has ended; `None` if there is none, or none that can be read.
    #[must_use]
    pub fn read(state_dir: &Path) -> Option<Spec> {
        state_dir.join(FILE).exists().then(|| Some(Self::open(state_dir).ok()?.spec()))?
    }

    /// What was done about a damaged file when it was opened, in a sentence.
    #[must_use]
    pub fn recovery(&self) -> Option<String> {
        self.recovery.as_ref().map(ToString::to_string)
    }

    /// The spec that is stored.
    #[must_use]
    pub fn spec(&self) -> Spec {
        self.saved.clone()
    }

    /// The random number that tells this engine's addresses from those of all others (RFC 4193, 3.2); the same for as
    /// long as there is the file.
    pub fn global_id(&self) -> Result<[u8; 5], Error> {
        let missing = || Error::Damaged { file: self.file.clone(), damage: Damage::Inconsistent };
        let number = self.contents.numbers.get(GLOBAL_ID).ok_or_else(missing)?;
        let [_, _, _, id @ ..] = number.to_be_bytes();
        Ok(id)
    }

    /// Writes down which boot of the host this is; returns whether it is another one than before.
    pub fn note_boot(&mut self, boot: u64) -> Result<bool, Error> {
        let previous = self.contents.numbers.get(BOOT).copied();
        self.set_number(BOOT, boot)?;
        Ok(previous.is_some_and(|previous| previous != boot))
    }

    /// Writes what has changed, all or nothing; it is on disk when this returns.
    pub fn save(&mut self, spec: &Spec) -> Result<(), Error> {
        let networks = spec.networks.changed(&self.saved.networks);
        let networks = networks.map(|id| (*id.as_bytes(), spec.networks.get(id).map(record::write_network)));
        let sandboxes = spec.sandboxes.changed(&self.saved.sandboxes);
        let sandboxes =
            sandboxes.map(|id| (*id.as_bytes(), spec.sandboxes.get(id).map(record::write_sandbox)));
        self.commit(Changes {
            numbers: BTreeMap::new(),
            networks: networks.collect(),
            sandboxes: sandboxes.collect(),
        })?;
        self.saved = spec.clone();
        Ok(())
    }

    fn set_number(&mut self, name: &str, number: u64) -> Result<(), Error> {
        if self.contents.numbers.get(name) == Some(&number) {
            return Ok(());
        }
        self.commit(Changes { numbers: [(name.to_owned(), number)].into(), ..Changes::default() })
    }

    fn commit(&mut self, changes: Changes) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let after = self.contents.stamp_after(&changes);
        self.database.commit(&self.file, &changes, after)?;
        let added = self.journal.as_mut().map(|journal| journal.add(&changes, after.generation));
        if let Some(Err(error)) = added {
            tracing::warn!(%error, "cannot add to the journal of the state");
            self.journal = None;
        }
        self.contents.apply(changes);
        if self.journal.as_ref().is_none_or(Journal::is_long) {
            self.begin_journal();
        }
        Ok(())
    }

    /// The state file is what promises that nothing is lost, so a failure of the journal is no error.
    fn begin_journal(&mut self) {
        self.journal = Journal::begin(self.directory.path(), &self.contents)
            .inspect_err(|error| tracing::warn!(%error, "cannot write the journal of the state"))
            .ok();
    }
}

fn spec_of(contents: &Contents) -> Result<Spec, Damage> {
    let networks = contents.networks.iter().map(|(id, row)| {
        let id = NetworkId::new(*id);
        Ok((id, record::read_network(id, row)?))
    });
    let sandboxes = contents.sandboxes.iter().map(|(id, row)| {
        let id = SandboxId::new(*id);
        Ok((id, record::read_sandbox(id, row)?))
    });
    Ok(Spec {
        networks: networks.collect::<Result<_, Damage>>()?,
        sandboxes: sandboxes.collect::<Result<_, Damage>>()?,
    })
}

/// A random number.
fn random() -> u64 {
    getrandom::u64().expect("getrandom(2) gives up to 256 bytes without failing (random(7))")
}
