//! Why the state cannot be read or kept.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::FORMAT;
use crate::model::{DriverError, ExposeError, IdError, NameError, OptionError, ProtocolError, PublishError};

/// Why the state cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the file open.
    #[error("another netebpf daemon uses {}", .0.display())]
    InUse(PathBuf),
    /// The directory cannot be made or changed.
    #[error("cannot make or change the state directory {}: {source}", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another version of netebpf wrote the file.
    #[error(
        "the state file {} has format {found}, this netebpf reads format {FORMAT}: start the netebpf that wrote it, \
         or remove its traces and this file with `netebpf cleanup`",
        .file.display()
    )]
    Format {
        /// The file.
        file: PathBuf,
        /// The version it has.
        found: u64,
    },
    /// The file is not what was written.
    #[error(
        "the state file {} is damaged ({damage}): restore it from a copy, \
         or remove it and all traces of netebpf with `netebpf cleanup`",
        .file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
    /// The file is not what was written, and nothing can be made of its journal.
    #[error(
        "the state file {} is damaged ({damage}), and so is its journal {}: restore both from a copy, \
         or remove them and all traces of netebpf with `netebpf cleanup`",
        .file.display(), .journal.display()
    )]
    BothDamaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        damage: Damage,
        /// Its journal.
        journal: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("cannot access the state file {}: {source}", .file.display())]
    Access {
        /// The file.
        file: PathBuf,
        /// Why.
        source: Box<redb::Error>,
    },
}

/// What is wrong with a state file.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The database is broken.
    #[error(transparent)]
    Database(Box<redb::Error>),
    /// There is nothing in it.
    #[error("it is missing or empty")]
    Missing,
    /// It has tables, but not ours.
    #[error("it was not written by netebpf")]
    Foreign,
    /// Parts of the file contradict each other.
    #[error("its contents are inconsistent")]
    Inconsistent,
    /// A row is no JSON, or has other fields.
    #[error("a row cannot be read: {0}")]
    Row(#[from] serde_json::Error),
    /// A row has a name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A row has an identifier that is none.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A row has a protocol that is none.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A row has ports that are none.
    #[error("{0:?} is no range of ports")]
    Ports(String),
    /// A row has ports to publish that are none.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A row has exposed ports that are none.
    #[error(transparent)]
    Exposed(#[from] ExposeError),
    /// A row has a driver that is none.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// A row has network options that are none.
    #[error(transparent)]
    Option(#[from] OptionError),
}

impl Error {
    /// Tells damage from trouble with the file system.
    pub(super) fn of_database(file: &Path, error: impl Into<redb::Error>) -> Self {
        let error = error.into();
        let file = file.to_owned();
        let is_access = matches!(&error, redb::Error::PreviousIo)
            || matches!(&error, redb::Error::Io(source) if !is_damage(source));
        if is_access {
            Self::Access { file, source: Box::new(error) }
        } else {
            Self::Damaged { file, damage: Damage::Database(Box::new(error)) }
        }
    }
}

/// A file that is cut short or begins with other bytes.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
