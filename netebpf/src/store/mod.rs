//! Keeps the spec on disk, so that it outlives the daemon and the machine's power.

use std::path::Path;

use crate::model::Spec;

/// Why the state cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Placeholder.
    #[error("another netebpf daemon uses {0}")]
    InUse(std::path::PathBuf),
}

/// The state file, open for this process alone.
#[derive(Debug)]
pub struct Store {}

impl Store {
    /// Opens the state in a directory, which is made if it is missing.
    pub fn open(state_dir: &Path) -> Result<Self, Error> {
        Err(Error::InUse(state_dir.to_owned()))
    }

    /// Reads the spec.
    pub fn load(&self) -> Result<Spec, Error> {
        Ok(Spec::default())
    }

    /// Writes what has changed, all or nothing; it is on disk when this returns.
    pub fn save(&mut self, spec: &Spec) -> Result<(), Error> {
        todo!("{spec:?}")
    }
}
