//! Why a command failed, and what that makes of the exit code.

use std::{io, process::ExitCode};

use super::{client, format, network::PoolError};
use crate::{
    config,
    daemon::{self, with_causes},
    frontend, kernel,
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The daemon refused, or there is none.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// Nothing could be printed.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// What is to be printed, or how, makes no sense.
    #[error(transparent)]
    Format(#[from] format::Error),
    /// Addresses of a new network do not fit together.
    #[error(transparent)]
    Pools(#[from] PoolError),
    /// Some of several things failed.
    #[error("{} of the requests failed", .0.len())]
    Several(Vec<Error>),
    /// The daemon is to be what it cannot be.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The daemon did not start.
    #[error(transparent)]
    Start(#[from] daemon::StartError),
    /// The daemon's socket could not be opened or served.
    #[error(transparent)]
    Socket(#[from] frontend::Error),
    /// Nobody can be asked whether to go on.
    #[error(
        "nothing was removed: there is no terminal to ask on; use --yes (cleanup) or --force (prune) to do without"
    )]
    NotConfirmed,
    /// Something could not be removed.
    #[error(transparent)]
    Kernel(#[from] kernel::Error),
    /// The command of a sandbox could not be started.
    #[error(transparent)]
    Command(daemon::Error),
    /// The end of a sandbox's command could not be learned.
    #[error("cannot wait for the command: {0}")]
    Wait(io::Error),
}

impl Error {
    /// What is written to standard error, line by line.
    #[must_use]
    pub fn report(&self) -> Vec<String> {
        match self {
            Self::Several(errors) => errors.iter().flat_map(Self::report).collect(),
            Self::Client(error @ client::Error::Daemon { .. }) => vec![error.to_string()],
            // In the words of Docker's client, which says no more either.
            Self::Pools(_) | Self::Format(_) => vec![self.to_string()],
            Self::Client(_)
            | Self::Output(_)
            | Self::Config(_)
            | Self::Start(_)
            | Self::Socket(_)
            | Self::NotConfirmed
            | Self::Kernel(_)
            | Self::Command(_)
            | Self::Wait(_) => vec![format!("Error: {}", with_causes(self))],
        }
    }

    /// The program's exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        let code = match self {
            Self::Client(client::Error::Daemon { response, .. }) => response.exit_code,
            Self::Command(error) => error.exit_code(),
            Self::Format(error) => Some(error.exit_code()),
            Self::Client(_)
            | Self::Output(_)
            | Self::Pools(_)
            | Self::Several(_)
            | Self::Config(_)
            | Self::Start(_)
            | Self::Socket(_)
            | Self::NotConfirmed
            | Self::Kernel(_)
            | Self::Wait(_) => None,
        };
        ExitCode::from(code.unwrap_or(1))
    }

    /// Whether the reader of our output had enough, as `head` has: no failure.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// One error of what several requests gave, if any failed.
    pub(super) fn gather(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => errors.pop().map_or(Ok(()), Err),
            _ => Err(Self::Several(errors)),
        }
    }
}
