//! Keeps the spec on disk, so that it outlives the daemon and a loss of power.
//!
//! One file, one row for each network and sandbox, one transaction for each change. redb writes copies and switches a
//! root, so a kill at any point leaves the state before the change or after it. Its file lock admits one daemon.

mod error;
mod record;
mod rows;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition, TableHandle};

use crate::model::{NetworkId, SandboxId, Spec};

pub use error::{Damage, Error};

/// Name of the state file in the state directory.
const FILE: &str = "state.redb";

/// Version of the rows' layout; a file of another version is refused, never reinterpreted.
const FORMAT: u64 = 1;
const FORMAT_KEY: &str = "format";

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
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
        let database = Database::create(&file).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => Error::InUse(state_dir.to_owned()),
            other => Error::of_database(&file, other),
        })?;
        let store = Self { file, database };
        store.check_format()?;
        Ok(store)
    }

    /// Reads the spec.
    pub fn load(&self) -> Result<Spec, Error> {
        let transaction = self.database.begin_read().map_err(|error| self.failed(error))?;
        let networks = transaction.open_table(NETWORKS).map_err(|error| self.failed(error))?;
        let sandboxes = transaction.open_table(SANDBOXES).map_err(|error| self.failed(error))?;
        let networks = rows::read(&networks).map_err(|error| self.failed(error))?;
        let sandboxes = rows::read(&sandboxes).map_err(|error| self.failed(error))?;
        let mut spec = Spec::default();
        for (id, row) in networks {
            let id = NetworkId::new(id);
            spec.networks.insert(id, record::read_network(id, &row).map_err(|damage| self.damaged(damage))?);
        }
        for (id, row) in sandboxes {
            let id = SandboxId::new(id);
            spec.sandboxes.insert(id, record::read_sandbox(id, &row).map_err(|damage| self.damaged(damage))?);
        }
        Ok(spec)
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
                rows::write(&mut transaction.open_table(NETWORKS)?, networks)?,
                rows::write(&mut transaction.open_table(SANDBOXES)?, sandboxes)?,
            ];
            Ok(changed.contains(&true))
        })
    }

    /// Gives a new file its tables, and refuses a file with other ones.
    fn check_format(&self) -> Result<(), Error> {
        let transaction = self.database.begin_read().map_err(|error| self.failed(error))?;
        let names: Vec<String> = transaction
            .list_tables()
            .map_err(|error| self.failed(error))?
            .map(|table| table.name().to_owned())
            .collect();
        if names.is_empty() {
            return self.write(|transaction| {
                transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
                transaction.open_table(NETWORKS)?;
                transaction.open_table(SANDBOXES)?;
                Ok(true)
            });
        }
        let meta = transaction.open_table(META).map_err(|error| self.failed(error))?;
        let format = meta.get(FORMAT_KEY).map_err(|error| self.failed(error))?.map(|value| value.value());
        match format {
            Some(FORMAT) => Ok(()),
            Some(found) => Err(Error::Format { file: self.file.clone(), found }),
            None => Err(self.damaged(Damage::NoFormat)),
        }
    }

    /// Runs one durable transaction; it is given up when the change says that there was nothing to change.
    fn write(
        &self,
        change: impl FnOnce(&redb::WriteTransaction) -> Result<bool, redb::Error>,
    ) -> Result<(), Error> {
        let transaction = self.database.begin_write().map_err(|error| self.failed(error))?;
        if change(&transaction).map_err(|error| self.failed(error))? {
            transaction.commit().map_err(|error| self.failed(error))
        } else {
            transaction.abort().map_err(|error| self.failed(error))
        }
    }

    fn failed(&self, error: impl Into<redb::Error>) -> Error {
        Error::of_database(&self.file, error)
    }

    fn damaged(&self, damage: Damage) -> Error {
        Error::Damaged { file: self.file.clone(), damage }
    }
}
