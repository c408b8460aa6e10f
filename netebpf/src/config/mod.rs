//! How the daemon is configured: by Docker's `daemon.json`, of which the directives are known that mean something here,
//! and by flags that have Docker's names.
//!
//! A file and flags are the same thing in two spellings: both become a JSON object, and one struct says what may be in
//! it. That struct is also the schema, the complete default file and the list of known directives.

mod bridge;
mod directives;
mod error;
mod given;
mod options;
mod pool;
#[cfg(test)]
mod tests;
mod text;

use std::{fs, io, path::Path};

use crate::model::EngineOptions;
use directives::Directives;

pub use error::{Error, Fault};
pub use given::Given;
pub use pool::AddressPool;

/// Where the configuration file is unless somebody says otherwise; it need not be there.
pub const DEFAULT_PATH: &str = "/etc/netebpf/daemon.json";

/// What the daemon needs to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// How its engine works.
    pub options: EngineOptions,
    /// The group whose members may use its socket; `None` for root's alone.
    pub group: Option<String>,
}

/// Reads the configuration: what flags give, and what is in the file with this name or, if it is there, in
/// [`DEFAULT_PATH`].
///
/// # Errors
///
/// What Docker refuses as well: unknown directives, those that are both in the file and among the flags, values that
/// are none or do not fit together.
pub fn load(file: Option<&Path>, flags: Given) -> Result<Configuration, Error> {
    let path = file.unwrap_or_else(|| Path::new(DEFAULT_PATH));
    let in_file = |fault| Error::File { path: path.to_owned(), fault };
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => {
            return Ok(configure(flags)?);
        }
        result => result.map_err(|source| in_file(Fault::Unreadable(source)))?,
    };
    let given: Given = text.parse().map_err(in_file)?;
    given.refuse_conflicts(&flags).map_err(in_file)?;
    given.check().map_err(in_file)?;
    flags.check()?;
    configure(given.with(flags)).map_err(in_file)
}

fn configure(given: Given) -> Result<Configuration, Fault> {
    given.check()?;
    let directives = given.read()?;
    let group = Some(directives.group.clone()).filter(|group| !group.is_empty());
    Ok(Configuration { options: directives.options()?, group })
}

/// The complete file that says what holds without one.
#[must_use]
pub fn default_file() -> String {
    pretty(&Directives::default())
}

/// The JSON schema of the file (draft 2020-12).
#[must_use]
pub fn schema() -> String {
    pretty(&directives::schema())
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("nothing in it is refused by JSON: all keys are text")
}
