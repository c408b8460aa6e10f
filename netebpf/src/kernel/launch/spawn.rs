//! The start itself: from a thread that is where the command is to be.

use std::{
    ffi::CString,
    fs::{self, File},
    io,
    os::{
        fd::{AsRawFd as _, RawFd},
        unix::ffi::OsStrExt as _,
    },
};

use nix::{
    libc,
    spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn},
    sys::signal::{SigSet, Signal},
};

use super::{environment::Environment, program};

/// What a command is connected to, opened.
#[derive(Debug)]
pub(super) enum Streams {
    /// To what this process is.
    Inherited,
    /// To files of its own, in a session of its own.
    Own {
        /// Standard input.
        input: File,
        /// Standard output and standard error.
        output: File,
    },
}

/// Starts a command with the namespaces and the directory of the calling thread; returns its process id.
pub(super) fn spawn(command: &[String], environment: &Environment, streams: &Streams) -> io::Result<i32> {
    let name = command.first().ok_or(io::ErrorKind::InvalidInput)?;
    let program = program::find(name, environment)?;
    let arguments = command.iter().map(|text| CString::new(text.as_str())).collect::<Result<Vec<_>, _>>()?;
    let variables = environment
        .iter()
        .map(|(name, value)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()))
        .collect::<Result<Vec<_>, _>>()?;
    let pid = posix_spawn(
        program.as_path(),
        &file_actions(streams)?,
        &attributes(streams)?,
        &arguments,
        &variables,
    )?;
    Ok(pid.as_raw())
}

fn file_actions(streams: &Streams) -> io::Result<PosixSpawnFileActions> {
    let mut actions = PosixSpawnFileActions::init()?;
    match streams {
        Streams::Inherited => {}
        Streams::Own { input, output } => {
            actions.add_dup2(input.as_raw_fd(), libc::STDIN_FILENO)?;
            actions.add_dup2(output.as_raw_fd(), libc::STDOUT_FILENO)?;
            actions.add_dup2(output.as_raw_fd(), libc::STDERR_FILENO)?;
            // Ours are all closed by `exec`; those that we were started with are not.
            for descriptor in open_descriptors()?.into_iter().filter(|number| *number > libc::STDERR_FILENO) {
                actions.add_close(descriptor)?;
            }
        }
    }
    Ok(actions)
}

/// The numbers of this process's open descriptors. Closing one that is gone by then does no harm.
fn open_descriptors() -> io::Result<Vec<RawFd>> {
    let entries = fs::read_dir("/proc/self/fd")?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

fn attributes(streams: &Streams) -> io::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    let signals = PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
    match streams {
        Streams::Inherited => {
            attributes.set_flags(signals)?;
            // Rust programs ignore it, and children would inherit that.
            attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
        }
        Streams::Own { .. } => {
            // nix does not name the flag that makes a new session.
            let new_session = PosixSpawnFlags::from_bits_retain(libc::c_int::from(libc::POSIX_SPAWN_SETSID));
            attributes.set_flags(signals | new_session)?;
            attributes.set_sigdefault(&SigSet::all())?;
        }
    }
    attributes.set_sigmask(&SigSet::empty())?;
    Ok(attributes)
}
