//! Why a command failed, and what that makes of the exit code.

use std::{io, process::ExitCode};

use super::{client, format, network::PoolError, sandbox::OptionError};
use crate::{
    config,
    daemon::{self, with_causes},
    frontend, kernel,
};

/// The exit code that tells a failure of ours from one of the command that was to be run, as with Docker.
const NOT_RUN: u8 = 125;

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
    /// Options do not go together.
    #[error("{source}")]
    Options {
        /// The command that they were given to.
        command: &'static str,
        /// What is wrong.
        source: OptionError,
    },
    /// An option makes no sense.
    #[error(transparent)]
    Usage(OptionError),
    /// Nothing has this name.
    #[error("error: no such object: {0}")]
    NoObject(String),
    /// Nothing has no name.
    #[error("invalid {0} name or ID: value is empty")]
    NoReference(&'static str),
    /// A sandbox kept its name.
    #[error("failed to rename container: {0}")]
    Rename(client::Error),
    /// Some of several sandboxes did not start.
    #[error("failed to start containers: {sandboxes}")]
    NotStarted {
        /// Why.
        errors: Vec<Error>,
        /// Which.
        sandboxes: String,
    },
    /// Nothing was run.
    #[error(transparent)]
    NotRun(Box<Error>),
    /// A command is to be started in a sandbox that does not run.
    #[error("Error response from daemon: container {0} is not running")]
    NotRunning(String),
    /// We may not enter a sandbox.
    #[error(
        "{}; only root can start commands in a sandbox, other users can have the daemon do it with run -d",
        with_causes(.0)
    )]
    NoRights(kernel::Error),
    /// Some of several things failed.
    #[error("{} of the requests failed", .0.len())]
    Several(Vec<Error>),
    /// The daemon is to be what it cannot be.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The daemon did not start.
    #[error(transparent)]
    Start(Box<daemon::StartError>),
    /// The daemon's socket could not be opened or served.
    #[error(transparent)]
    Socket(#[from] frontend::Error),
    /// Nobody can be asked whether to go on.
    #[error("nothing was removed: there is no terminal to ask on; use --yes to do without")]
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

impl From<daemon::StartError> for Error {
    fn from(error: daemon::StartError) -> Self {
        Self::Start(Box::new(error))
    }
}

impl Error {
    /// What is written to standard error, line by line.
    #[must_use]
    pub fn report(&self) -> Vec<String> {
        match self {
            Self::Several(errors) => errors.iter().flat_map(Self::report).collect(),
            Self::Client(error @ client::Error::Daemon { .. }) => vec![error.to_string()],
            // In the words of Docker's client, which says no more either.
            Self::Pools(_)
            | Self::Format(_)
            | Self::Usage(_)
            | Self::NoObject(_)
            | Self::NoReference(_)
            | Self::Rename(_)
            | Self::NotRunning(_) => vec![self.to_string()],
            Self::NotStarted { errors, .. } => {
                errors.iter().flat_map(Self::report).chain([self.to_string()]).collect()
            }
            Self::NotRun(error) => error.report(),
            Self::Options { command, source } => vec![
                format!("netebpf: {}", with_causes(source)),
                String::new(),
                format!("Run 'netebpf {command} --help' for more information"),
            ],
            Self::Client(_)
            | Self::Output(_)
            | Self::Config(_)
            | Self::Start(_)
            | Self::Socket(_)
            | Self::NotConfirmed
            | Self::NoRights(_)
            | Self::Kernel(_)
            | Self::Command(_)
            | Self::Wait(_) => vec![format!("Error: {}", with_causes(self))],
        }
    }

    /// The program's exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.special_code().unwrap_or(1))
    }

    /// An exit code other than 1.
    fn special_code(&self) -> Option<u8> {
        match self {
            Self::Client(client::Error::Daemon { response, .. }) => response.exit_code,
            Self::Command(error) => error.exit_code(),
            Self::Format(error) => Some(error.exit_code()),
            Self::Options { .. } => Some(NOT_RUN),
            Self::NotRun(error) => error.special_code().or(Some(NOT_RUN)),
            Self::Client(_)
            | Self::Output(_)
            | Self::Pools(_)
            | Self::Several(_)
            | Self::Config(_)
            | Self::Start(_)
            | Self::Socket(_)
            | Self::NotConfirmed
            | Self::Usage(_)
            | Self::NoObject(_)
            | Self::NoReference(_)
            | Self::Rename(_)
            | Self::NotStarted { .. }
            | Self::NotRunning(_)
            | Self::NoRights(_)
            | Self::Kernel(_)
            | Self::Wait(_) => None,
        }
    }

    /// Whether what was asked for is not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_not_found())
    }

    /// Whether the reader of our output had enough, as `head` has: no failure.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// One error of what several requests gave, if any failed.
    pub(super) fn gather(errors: Vec<Self>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self::one_of(errors)) }
    }

    /// One error of at least one.
    pub(super) fn one_of(mut errors: Vec<Self>) -> Self {
        match (errors.pop(), errors.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                errors.extend(last);
                Self::Several(errors)
            }
        }
    }

    /// What makes an error of options that were given to a command.
    pub(super) fn options(command: &'static str) -> impl FnOnce(OptionError) -> Self {
        move |source| Self::Options { command, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_refused_as_docker_refuses_them() {
        let error = Error::options("run")(OptionError::MixedModes);
        let lines = [
            "netebpf: conflicting options: cannot attach both user-defined and non-user-defined network-modes",
            "",
            "Run 'netebpf run --help' for more information",
        ];
        assert_eq!((error.report(), error.special_code()), (lines.map(str::to_owned).into(), Some(125)));
        let error = Error::Usage(OptionError::DriverOption);
        let line = "invalid key/value pair format in driver options";
        assert_eq!((error.report(), error.special_code()), (vec![line.to_owned()], None));
    }

    #[test]
    fn what_was_not_run_ends_with_125_unless_a_shell_would_say_more() {
        let missing = daemon::Error::CommandNotFound { program: "x".to_owned() };
        let denied = daemon::Error::CommandNotExecutable {
            program: "x".to_owned(),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        for (error, code) in [
            (Error::Command(missing), 127),
            (Error::Command(denied), 126),
            (Error::NoObject("x".to_owned()), 125),
        ] {
            assert_eq!(Error::NotRun(Box::new(error)).special_code(), Some(code));
        }
    }

    #[test]
    fn every_failed_start_is_told_and_then_all_together() {
        let errors = ["a", "b"].map(|name| Error::NotRunning(name.to_owned())).into();
        let error = Error::NotStarted { errors, sandboxes: "a, b".to_owned() };
        assert_eq!(
            error.report(),
            [
                "Error response from daemon: container a is not running",
                "Error response from daemon: container b is not running",
                "failed to start containers: a, b",
            ]
        );
    }
}
