//! How a command is started in a sandbox: what it sees, what it is handed, where its words go.
//!
//! A thread of its own enters or makes the namespaces and starts the command, which inherits them; the thread ends with
//! that, and no other work of this process ever sees them.

mod enter;
mod environment;
mod etc;
mod program;
mod spawn;
#[cfg(test)]
mod tests;
mod view;

use std::{
    env,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{Error, namespaces, process};
use crate::model::Process;

use spawn::Streams;

/// A command to be started in a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Where it runs.
    pub place: Place,
    /// Changes to the environment of this process: `KEY=VALUE` sets, `KEY` alone takes what this process has.
    pub environment: Vec<String>,
    /// Where it begins; this process's own directory if none, or the root directory in a running sandbox.
    pub directory: Option<PathBuf>,
    /// Program and arguments.
    pub command: Vec<String>,
}

/// Where a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the network namespace of this file, or this process's own; with its own view of files and host name, if given.
    New {
        /// The namespace's file.
        namespace: Option<PathBuf>,
        /// What the command sees of its own.
        view: Option<View>,
    },
    /// Where this process runs, with the same network, files and host name.
    Beside(Process),
}

/// What the commands of a sandbox see of their own.
///
/// The rest of `/etc` is the host's. What a command changes there is seen in its sandbox only and goes with its last
/// process, where the kernel has overlayfs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The file that is to be `/etc/hosts`.
    pub hosts: PathBuf,
    /// The file that is to be `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// The file that is to be `/etc/hostname`.
    pub hostname_file: PathBuf,
    /// The host name; also the variable `HOSTNAME`.
    pub hostname: String,
    /// The domain name (NIS); the host's if empty.
    pub domainname: String,
}

/// What a command is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdio<'a> {
    /// The terminal, and whatever else this process was handed; the command stays in its session.
    Inherited,
    /// Reads nothing and appends to this file, in a session of its own.
    Log(&'a Path),
    /// Reads nothing and is not heard, in a session of its own.
    Nothing,
}

/// Starts a command.
///
/// A program that does not exist or cannot be executed is [`Error::Command`], as is every other failure to start one.
pub fn start(launch: &Launch, stdio: Stdio<'_>) -> Result<Process, Error> {
    let streams = open(stdio)?;
    let environment = environment::of(env::vars_os(), launch.hostname(), &launch.environment);
    let pid = namespaces::on_own_thread(|| {
        Ok(launch.place.enter().and_then(|()| {
            if let Some(directory) = &launch.directory {
                change_directory(directory)?;
            }
            spawn::spawn(&launch.command, &environment, &streams).map_err(|source| launch.failed(source))
        }))
    })
    .map_err(|source| launch.failed(source))
    .flatten()?;
    // It is our child, so its number cannot go to another process before we have waited for it.
    Ok(process::identify(pid).unwrap_or(Process { pid, start_time: 0 }))
}

impl Launch {
    /// A command in a network namespace, with everything else as this process has it.
    #[must_use]
    pub fn inside(namespace: &Path, command: &[String]) -> Self {
        Self {
            place: Place::New { namespace: Some(namespace.to_owned()), view: None },
            environment: Vec::new(),
            directory: None,
            command: command.to_vec(),
        }
    }

    fn hostname(&self) -> Option<&str> {
        match &self.place {
            Place::New { view: Some(view), .. } => Some(&view.hostname),
            Place::New { view: None, .. } | Place::Beside(_) => None,
        }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Command { command: self.command.first().cloned().unwrap_or_default(), source }
    }
}

impl Place {
    /// Moves the calling thread there.
    fn enter(&self) -> Result<(), Error> {
        match self {
            Self::New { namespace, view } => view::make(namespace.as_deref(), view.as_ref()),
            Self::Beside(process) => enter::beside(*process),
        }
    }
}

fn open(stdio: Stdio<'_>) -> Result<Streams, Error> {
    let nothing = || {
        OpenOptions::new().read(true).write(true).open("/dev/null").map_err(Error::file("open", "/dev/null"))
    };
    match stdio {
        Stdio::Inherited => Ok(Streams::Inherited),
        Stdio::Nothing => Ok(Streams::Own { input: nothing()?, output: nothing()? }),
        Stdio::Log(path) => Ok(Streams::Own { input: nothing()?, output: open_log(path)? }),
    }
}

fn open_log(path: &Path) -> Result<File, Error> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    }
    OpenOptions::new().create(true).append(true).open(path).map_err(Error::file("open", path))
}

/// Changes the calling thread's directory, which it shares with no other.
fn change_directory(directory: &Path) -> Result<(), Error> {
    env::set_current_dir(directory).map_err(Error::file("change the working directory to", directory))
}
