//! Why a request was not fulfilled.

use std::{io, iter};

use crate::{change, kernel, model::ExtraHostError, store};

/// Why a request was not fulfilled; nothing of it is left then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request contradicts what is there.
    #[error(transparent)]
    Change(#[from] change::Error),
    /// It could not be written down.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The kernel could not be read or changed. Boxed because the loop runs over any kernel.
    #[error("{}", with_causes(.0.as_ref()))]
    Kernel(Box<dyn std::error::Error + Send + Sync>),
    /// The command of a sandbox does not exist.
    #[error("exec: {program:?}: executable file not found in $PATH")]
    CommandNotFound {
        /// What was to be run.
        program: String,
    },
    /// The command of a sandbox cannot be executed.
    #[error("exec: {program:?}: {source}")]
    CommandNotExecutable {
        /// What was to be run.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A name that the user gives to the host has no address.
    #[error(transparent)]
    ExtraHost(#[from] ExtraHostError),
    /// A sandbox was reported as started that the daemon started itself, or that has ended.
    #[error("container {name} was started already")]
    StartedAlready {
        /// The sandbox.
        name: String,
    },
    /// A process was reported that does not exist.
    #[error("no process has the id {pid}; report a command as started before waiting for its end")]
    NoSuchProcess {
        /// The process id.
        pid: i32,
    },
    /// A command was killed and runs on.
    #[error("tried to kill container, but did not receive an exit event")]
    Undying,
    /// The daemon ends before it could answer.
    #[error("the netebpf daemon is shutting down")]
    ShuttingDown,
}

/// An error with its causes, each named once.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string);
    causes.fold(
        error.to_string(),
        |text, cause| if text.contains(&cause) { text } else { format!("{text}: {cause}") },
    )
}

impl Error {
    /// The exit code a command line should end with, where it is not 1: as shells have it.
    #[must_use]
    pub const fn exit_code(&self) -> Option<u8> {
        match self {
            Self::CommandNotFound { .. } => Some(127),
            Self::CommandNotExecutable { .. } => Some(126),
            Self::Change(_)
            | Self::Store(_)
            | Self::Kernel(_)
            | Self::ExtraHost(_)
            | Self::StartedAlready { .. }
            | Self::NoSuchProcess { .. }
            | Self::Undying
            | Self::ShuttingDown => None,
        }
    }

    /// Wraps an error of whatever kernel the loop runs over.
    pub(crate) fn kernel(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Kernel(Box::new(error))
    }

    /// Why a command could not be started.
    #[must_use]
    pub fn command(error: kernel::Error) -> Self {
        let kernel::Error::Command { command: program, source } = error else { return Self::kernel(error) };
        if source.kind() == io::ErrorKind::NotFound {
            Self::CommandNotFound { program }
        } else {
            Self::CommandNotExecutable { program, source }
        }
    }
}
