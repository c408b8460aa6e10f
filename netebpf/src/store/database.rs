//! The state file itself: opened with every page checked, read whole, written where it changes.

use std::{collections::BTreeMap, path::Path};

use redb::{
    Durability, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableHandle, WriteTransaction,
};

use super::{
    Damage, Error, FORMAT,
    contents::{Changes, Contents, Stamp},
    rows::{Patch, Rows},
    shield,
};

/// Numbers: some about the file, the others part of its contents.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const FORMAT_KEY: &str = "format";
const DIGEST_KEY: &str = "digest";
const GENERATION_KEY: &str = "generation";

const NETWORKS: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("networks");
const SANDBOXES: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("sandboxes");

/// The open state file.
#[derive(Debug)]
pub(super) struct Database(redb::Database);

impl Database {
    /// Opens a file, or makes an empty one, and reads it.
    pub(super) fn open(file: &Path) -> Result<(Self, Contents), Error> {
        // On damage the library can come to a state that it holds impossible.
        shield::shielded(|| open(file)).unwrap_or_else(|| Err(damaged(file, Damage::Inconsistent)))
    }

    /// Writes one change; it is on disk when this returns.
    pub(super) fn commit(&self, file: &Path, changes: &Changes, after: Stamp) -> Result<(), Error> {
        let commit = || {
            let mut transaction = self.0.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            write(&transaction, changes, after)?;
            Ok(transaction.commit()?)
        };
        commit().map_err(|error: redb::Error| Error::of_database(file, error))
    }
}

fn open(file: &Path) -> Result<(Database, Contents), Error> {
    let failed = |error: redb::Error| Error::of_database(file, error);
    let mut database = redb::Database::create(file).map_err(|error| failed(error.into()))?;
    // A clean shutdown lets the library trust every page.
    if !database.check_integrity().map_err(|error| failed(error.into()))? {
        tracing::warn!(file = %file.display(), "the state file was damaged and has been repaired");
    }
    let Stored { format, digest, contents } = read(&database).map_err(failed)?;
    match format {
        None if contents == Contents::default() => {}
        None => return Err(damaged(file, Damage::Foreign)),
        Some(FORMAT) if digest == Some(contents.stamp().digest) => {}
        Some(FORMAT) => return Err(damaged(file, Damage::Inconsistent)),
        Some(found) => return Err(Error::Format { file: file.to_owned(), found }),
    }
    Ok((Database(database), contents))
}

/// What a file says of itself, and the rest.
struct Stored {
    /// `None` in a file without tables, or with those of another program.
    format: Option<u64>,
    digest: Option<u64>,
    contents: Contents,
}

fn read(database: &redb::Database) -> Result<Stored, redb::Error> {
    let transaction = database.begin_read()?;
    let tables: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    let mut contents = Contents::default();
    if !tables.iter().any(|name| name == META.name()) {
        // Whatever is there makes it differ from an empty file.
        contents.generation = u64::from(!tables.is_empty());
        return Ok(Stored { format: None, digest: None, contents });
    }
    let mut numbers = BTreeMap::new();
    for number in transaction.open_table(META)?.iter()? {
        let (name, number) = number?;
        numbers.insert(name.value().to_owned(), number.value());
    }
    let (format, digest) = (numbers.remove(FORMAT_KEY), numbers.remove(DIGEST_KEY));
    if format == Some(FORMAT) {
        contents.networks = rows(&transaction.open_table(NETWORKS)?)?;
        contents.sandboxes = rows(&transaction.open_table(SANDBOXES)?)?;
    }
    contents.generation = numbers.remove(GENERATION_KEY).unwrap_or(0);
    contents.numbers = numbers;
    Ok(Stored { format, digest, contents })
}

fn rows(table: &impl ReadableTable<[u8; 32], &'static [u8]>) -> Result<Rows, StorageError> {
    let rows = table.iter()?.map(|row| {
        let (id, value) = row?;
        Ok((id.value(), value.value().to_vec()))
    });
    rows.collect()
}

fn write(transaction: &WriteTransaction, changes: &Changes, after: Stamp) -> Result<(), redb::Error> {
    let mut meta = transaction.open_table(META)?;
    for (name, number) in &changes.numbers {
        meta.insert(name.as_str(), number)?;
    }
    meta.insert(FORMAT_KEY, FORMAT)?;
    meta.insert(GENERATION_KEY, after.generation)?;
    // The library does not compare its checksums when it reads.
    meta.insert(DIGEST_KEY, after.digest)?;
    patch(transaction, NETWORKS, &changes.networks)?;
    patch(transaction, SANDBOXES, &changes.sandboxes)
}

fn patch(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, [u8; 32], &'static [u8]>,
    patch: &Patch,
) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(table)?;
    for (id, row) in patch {
        match row {
            Some(row) => drop(table.insert(id, row.as_slice())?),
            None => drop(table.remove(id)?),
        }
    }
    Ok(())
}

fn damaged(file: &Path, damage: Damage) -> Error {
    Error::Damaged { file: file.to_owned(), damage }
}
