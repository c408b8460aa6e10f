//! The state directory: one daemon's at a time, and on disk before anything in it counts.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::Error;

/// A state directory that is this process's as long as the value is there.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Holds the lock.
    _open: File,
}

impl Directory {
    /// Makes the directory if it is missing, and locks it.
    pub(super) fn claim(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Directory { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        let open = File::open(path).map_err(failed)?;
        match open.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
            sync(parent).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), _open: open })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes its list of files outlive a loss of power.
    pub(super) fn sync(&self) -> Result<(), Error> {
        sync(&self.path).map_err(|source| Error::Directory { path: self.path.clone(), source })
    }
}

/// Makes a directory's list of files outlive a loss of power.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
