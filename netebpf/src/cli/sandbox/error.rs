//! Options that do not go together, in the words of Docker's client.

use std::{io, path::PathBuf};

use crate::model::{ExposeError, PublishError};

/// Options that do not go together, or what one of them names is not there.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// Text that is no MAC.
    #[error("{0} is not a valid mac address")]
    Mac(String),
    /// Text that is no time and no duration.
    #[error("invalid value for {option:?}: failed to parse value as time or duration: {text:?}")]
    Time {
        /// The option.
        option: &'static str,
        /// What was given.
        text: String,
    },
    /// A network is listed twice.
    #[error("network {0:?} is specified multiple times")]
    Repeated(String),
    /// A wish is there as an option of its own and with the network.
    #[error("conflicting options: cannot specify both --{option} and per-network {wish}")]
    Both {
        /// The option.
        option: &'static str,
        /// What Docker calls the wish.
        wish: &'static str,
    },
    /// `bridge`, `host` or `none` with other networks.
    #[error("conflicting options: cannot attach both user-defined and non-user-defined network-modes")]
    MixedModes,
    /// `--network ''`.
    #[error("no name set for network")]
    NoNetworkName,
    /// The default network knows no aliases.
    #[error("network-scoped aliases are only supported for user-defined networks")]
    Alias,
    /// Who shares a network has no addresses of its own.
    #[error("conflicting options: {0} and the container type network mode")]
    Shared(&'static str),
    /// A file of variables cannot be read.
    #[error("open {}: {source}", path.display())]
    EnvFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of variables has a line that is none.
    #[error("invalid env file ({}): {problem}", path.display())]
    EnvLine {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// An option of a driver without key or value.
    #[error("invalid key/value pair format in driver options")]
    DriverOption,
    /// Text that publishes no port.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A field of it without key or value.
    #[error("invalid publish opts format (should be name=value but got '{0}')")]
    PublishField(String),
    /// Text that exposes no port.
    #[error(transparent)]
    Expose(#[from] ExposeError),
    /// A path that depends on where one is.
    #[error("the working directory '{0}' is invalid, it needs to be an absolute path")]
    WorkingDirectory(String),
    /// `type` is nothing that can be inspected.
    #[error("unknown type: {0:?}: must be one of \"container\", \"network\"")]
    Kind(String),
}
