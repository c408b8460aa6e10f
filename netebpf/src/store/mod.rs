//! Keeps the spec on disk, so that it outlives the daemon and a loss of power.
//!
//! One file, one row for each network and sandbox, one transaction for each change. redb writes copies and switches a
//! root, so a kill at any point leaves the state before the change or after it. Its file lock admits one daemon.

mod error;
mod record;
mod rows;
mod shield;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition, TableHandle};

use crate::model::{NetworkId, SandboxId, Spec};
use rows::Rows;

pub use error::{Damage, Error};

/// Name of the state file in the state directory.
const FILE: &str = "state.redb";

/// Version of the rows' layout; a file of another version is refused, never reinterpreted.
const FORMAT: u64 = 4;

/// Numbers about the file: its format, a digest of all rows, and what tells this engine from others.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const FORMAT_KEY: &str = "format";
const DIGEST_KEY: &str = "digest";
const GLOBAL_ID_KEY: &str = "global_id";
const BOOT_KEY: &str = "boot";

const NETWORKS: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("networks");
const SANDBOXES: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("sandboxes");

/// The state file, open for this process alone.
#[derive(Debug)]
pub struct Store {
    file: PathBuf,
    database: Database,
}

impl Store {
    /// Opens the state in a directory; both are made if they are missing.
    ///
    /// Fails when another process has it open, when it is damaged, or when another version of netebpf wrote it.
    pub fn open(state_dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(state_dir)
            .map_err(|source| Error::Directory { path: state_dir.to_owned(), source })?;
        let file = state_dir.join(FILE);
        let database = shield::shielded(|| open_database(&file))
            .ok_or_else(|| Error::Damaged { file: file.clone(), damage: Damage::Inconsistent })?
            .map_err(|error| {
                let in_use = matches!(error, DatabaseError::DatabaseAlreadyOpen);
                if in_use { Error::InUse(state_dir.to_owned()) } else { Error::of_database(&file, error) }
            })?;
        let store = Self { file, database };
        shield::shielded(|| store.check_format())
            .unwrap_or_else(|| Err(store.damaged(Damage::Inconsistent)))?;
        Ok(store)
    }

    /// Reads the spec.
    pub fn load(&self) -> Result<Spec, Error> {
        shield::shielded(|| self.read_spec()).unwrap_or_else(|| Err(self.damaged(Damage::Inconsistent)))
    }

    /// The random number that tells this engine's addresses from those of all others (RFC 4193, 3.2); the same for as
    /// long as there is the file.
    pub fn global_id(&self) -> Result<[u8; 5], Error> {
        let number = shield::shielded(|| self.read_global_id().map_err(|error| self.failed(error)))
            .unwrap_or_else(|| Err(self.damaged(Damage::Inconsistent)))?;
        let [_, _, _, id @ ..] = number.ok_or_else(|| self.damaged(Damage::Inconsistent))?.to_be_bytes();
        Ok(id)
    }

    /// Writes down which boot of the host this is; returns whether it is another one than before.
    pub fn note_boot(&mut self, boot: u64) -> Result<bool, Error> {
        let mut previous = None;
        self.write(|transaction| {
            let mut meta = transaction.open_table(META)?;
            previous = meta.insert(BOOT_KEY, boot)?.map(|previous| previous.value());
            Ok(previous != Some(boot))
        })?;
        Ok(previous.is_some_and(|previous| previous != boot))
    }

    /// Writes what has changed, all or nothing; it is on disk when this returns.
    pub fn save(&mut self, spec: &Spec) -> Result<(), Error> {
        let networks =
            spec.networks.values().map(|network| (*network.id.as_bytes(), record::write_network(network)));
        let sandboxes =
            spec.sandboxes.values().map(|sandbox| (*sandbox.id.as_bytes(), record::write_sandbox(sandbox)));
        let (networks, sandboxes) = (networks.collect(), sandboxes.collect());
        self.write(|transaction| {
            let changed = [
                rows::write(&mut transaction.open_table(NETWORKS)?, &networks)?,
                rows::write(&mut transaction.open_table(SANDBOXES)?, &sandboxes)?,
            ];
            transaction.open_table(META)?.insert(DIGEST_KEY, rows::digest([&networks, &sandboxes]))?;
            Ok(changed.contains(&true))
        })
    }

    fn read_spec(&self) -> Result<Spec, Error> {
        let (networks, sandboxes, digest) = self.read_rows().map_err(|error| self.failed(error))?;
        if digest != Some(rows::digest([&networks, &sandboxes])) {
            return Err(self.damaged(Damage::Inconsistent));
        }
        let networks = networks.iter().map(|(id, row)| {
            let id = NetworkId::new(*id);
            Ok((id, record::read_network(id, row)?))
        });
        let sandboxes = sandboxes.iter().map(|(id, row)| {
            let id = SandboxId::new(*id);
            Ok((id, record::read_sandbox(id, row)?))
        });
        let spec = networks
            .collect::<Result<_, Damage>>()
            .and_then(|networks| Ok(Spec { networks, sandboxes: sandboxes.collect::<Result<_, Damage>>()? }));
        spec.map_err(|damage| self.damaged(damage))
    }

    fn read_rows(&self) -> Result<(Rows, Rows, Option<u64>), redb::Error> {
        let transaction = self.database.begin_read()?;
        let networks = rows::read(&transaction.open_table(NETWORKS)?)?;
        let sandboxes = rows::read(&transaction.open_table(SANDBOXES)?)?;
        let digest = transaction.open_table(META)?.get(DIGEST_KEY)?.map(|digest| digest.value());
        Ok((networks, sandboxes, digest))
    }

    /// Gives a new file its tables, and refuses a file with other ones.
    fn check_format(&self) -> Result<(), Error> {
        match self.read_format().map_err(|error| self.failed(error))? {
            Format::New => self.write(|transaction| {
                let mut meta = transaction.open_table(META)?;
                meta.insert(FORMAT_KEY, FORMAT)?;
                meta.insert(GLOBAL_ID_KEY, random())?;
                meta.insert(DIGEST_KEY, rows::digest([&Rows::new(), &Rows::new()]))?;
                transaction.open_table(NETWORKS)?;
                transaction.open_table(SANDBOXES)?;
                Ok(true)
            }),
            Format::Version(FORMAT) => Ok(()),
            Format::Version(found) => Err(Error::Format { file: self.file.clone(), found }),
            Format::Foreign => Err(self.damaged(Damage::Foreign)),
        }
    }

    fn read_global_id(&self) -> Result<Option<u64>, redb::Error> {
        let transaction = self.database.begin_read()?;
        Ok(transaction.open_table(META)?.get(GLOBAL_ID_KEY)?.map(|number| number.value()))
    }

    fn read_format(&self) -> Result<Format, redb::Error> {
        let transaction = self.database.begin_read()?;
        let names: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
        if names.is_empty() {
            return Ok(Format::New);
        }
        if !names.iter().any(|name| name == META.name()) {
            return Ok(Format::Foreign);
        }
        let version = transaction.open_table(META)?.get(FORMAT_KEY)?;
        Ok(version.map_or(Format::Foreign, |version| Format::Version(version.value())))
    }

    /// Runs one durable transaction; it is given up when the change says that there was nothing to change.
    fn write(
        &self,
        change: impl FnOnce(&redb::WriteTransaction) -> Result<bool, redb::Error>,
    ) -> Result<(), Error> {
        let written = self.database.begin_write().map_err(redb::Error::from).and_then(|transaction| {
            if change(&transaction)? { Ok(transaction.commit()?) } else { Ok(transaction.abort()?) }
        });
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: impl Into<redb::Error>) -> Error {
        Error::of_database(&self.file, error)
    }

    fn damaged(&self, damage: Damage) -> Error {
        Error::Damaged { file: self.file.clone(), damage }
    }
}

/// A random number.
fn random() -> u64 {
    getrandom::u64().expect("getrandom(2) gives up to 256 bytes without failing (random(7))")
}

/// What a file says of itself.
enum Format {
    /// It has no table yet.
    New,
    /// Version of the rows' layout.
    Version(u64),
    /// Its tables are not ours.
    Foreign,
}

/// Opens or makes the database. A clean shutdown lets redb trust every page, so the pages are checked here.
fn open_database(file: &Path) -> Result<Database, DatabaseError> {
    let mut database = Database::create(file)?;
    if !database.check_integrity()? {
        tracing::warn!(file = %file.display(), "the state file was damaged and has been repaired");
    }
    Ok(database)
}
