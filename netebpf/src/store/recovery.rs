//! Which state is the last good one, and what becomes of a state file that is not.
//!
//! The state file and the journal number their commits. The higher number wins: the file is written first, so after a
//! kill it may be one ahead; damage that costs the file a commit, or all of them, leaves the journal ahead.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::Timestamp;

use super::{
    Damage, Error, FILE, GLOBAL_ID,
    contents::{Changes, Contents},
    database::Database,
    directory::Directory,
    journal::{self, Replayed},
};

/// What was done about a state file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recovery {
    file: PathBuf,
    fault: Fault,
    journal: PathBuf,
    /// When the last change that is known was made.
    written: SystemTime,
    /// Whether the journal is damaged as well, behind that change.
    is_cut: bool,
}

/// Why a state file was not used, and what it is called now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    /// It did not exist, or was empty.
    Missing,
    /// It is damaged in this way.
    Damaged(String, PathBuf),
    /// It lacks this many changes at its end.
    Behind(u64, PathBuf),
}

/// Opens the state file with the last good state in it, and tells if that was not there before.
pub(super) fn open(directory: &Directory) -> Result<(Database, Contents, Option<Recovery>), Error> {
    let file = directory.path().join(FILE);
    let journal = journal::path(directory.path());
    let replayed = journal::read(directory.path()).unwrap_or_else(|error| {
        tracing::warn!(journal = %journal.display(), %error, "the journal of the state cannot be read");
        None
    });
    let (fault, replayed) = match (Database::open(&file), replayed) {
        (Ok((database, contents)), Some(replayed)) if is_ahead(&replayed.contents, &contents) => {
            // Whoever moves a file must not have it open.
            drop(database);
            (fault_of(directory, &file, &contents, &replayed.contents)?, replayed)
        }
        (Ok((_, contents)), None) if contents == Contents::default() && journal.exists() => {
            return Err(Error::BothDamaged { file, damage: Damage::Missing, journal });
        }
        (Ok((database, contents)), _) => return Ok((database, contents, None)),
        (Err(Error::Damaged { damage, .. }), Some(replayed)) => {
            (Fault::Damaged(damage.to_string(), set_aside(directory, &file)?), replayed)
        }
        (Err(Error::Damaged { file, damage }), None) if journal.exists() => {
            return Err(Error::BothDamaged { file, damage, journal });
        }
        (Err(error), _) => return Err(error),
    };
    // Killed before this is written, the next daemon finds an empty file and the same journal.
    let (database, _) = Database::open(&file)?;
    let Replayed { contents, written, is_cut } = replayed;
    database.commit(&file, &Changes::from(&contents), contents.stamp())?;
    directory.sync()?;
    Ok((database, contents, Some(Recovery { file, fault, journal, written, is_cut })))
}

/// Whether a journal tells more than a file of the same engine, or than an empty one.
fn is_ahead(journal: &Contents, file: &Contents) -> bool {
    let own = file.numbers.get(GLOBAL_ID);
    journal.generation > file.generation && (own.is_none() || own == journal.numbers.get(GLOBAL_ID))
}

fn fault_of(directory: &Directory, file: &Path, found: &Contents, known: &Contents) -> Result<Fault, Error> {
    if *found == Contents::default() {
        return Ok(Fault::Missing);
    }
    Ok(Fault::Behind(known.generation - found.generation, set_aside(directory, file)?))
}

/// Gives a file a name under which nobody looks for it but people, and returns that.
fn set_aside(directory: &Directory, file: &Path) -> Result<PathBuf, Error> {
    let names = (1_u64..).map(|number| directory.path().join(format!("{FILE}.damaged-{number}")));
    let aside =
        names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| file.with_extension("damaged"));
    let moved = fs::rename(file, &aside);
    moved.map_err(|source| Error::Directory { path: directory.path().to_owned(), source })?;
    directory.sync()?;
    Ok(aside)
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the state file {} ", self.file.display())?;
        match &self.fault {
            Fault::Missing => f.write_str("is missing or empty")?,
            Fault::Damaged(damage, aside) => {
                write!(f, "is damaged ({damage}) and is called {} now", aside.display())?;
            }
            Fault::Behind(changes, aside) => {
                write!(f, "has lost its last {changes} changes and is called {} now", aside.display())?;
            }
        }
        let written = Timestamp::try_from(self.written).unwrap_or_default();
        let age = SystemTime::now().duration_since(self.written).unwrap_or_default().as_secs();
        write!(
            f,
            "; a new one was made from {}, which knows all changes until {written}, {age} seconds ago: \
             what was changed later is lost",
            self.journal.display()
        )?;
        if self.is_cut { f.write_str(", because it is damaged as well from there on") } else { Ok(()) }
    }
}
