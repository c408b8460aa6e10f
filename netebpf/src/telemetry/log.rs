//! Where log lines go, and which.

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// A log filter that cannot be read or set.
#[derive(Debug, thiserror::Error)]
#[error(
    "invalid log filter {filter:?}: {reason}; give a level (error, warn, info, debug, trace) or directives such as netebpf=debug"
)]
pub struct FilterError {
    filter: String,
    reason: String,
}

/// Sends log lines that pass `filter` to standard error, for the rest of the process' life.
///
/// A level alone is about our own lines; of the libraries only warnings are let through then.
pub fn init(filter: &str) -> Result<(), FilterError> {
    let refused = |reason: String| FilterError { filter: filter.to_owned(), reason };
    let directives = match filter.parse::<LevelFilter>() {
        Ok(level) => format!("{},netebpf={level}", level.min(LevelFilter::WARN)),
        Err(_) => filter.to_owned(),
    };
    let directives = EnvFilter::builder().parse(directives).map_err(|error| refused(error.to_string()))?;
    tracing_subscriber::fmt()
        .with_env_filter(directives)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init()
        .map_err(|error| refused(error.to_string()))
}
