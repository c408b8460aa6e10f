//! Processes of sandboxes: started inside a namespace, told from later ones with the same number, waited for, killed.
//!
//! They are not tied to the daemon: it may end and come back while they run.

use std::{
    collections::BTreeSet,
    env,
    ffi::{CString, OsString},
    fs::{self, File, OpenOptions},
    io,
    os::{
        fd::{AsFd as _, AsRawFd as _, OwnedFd},
        unix::{ffi::OsStringExt as _, fs::MetadataExt as _},
    },
    path::Path,
    process::{Child, Command},
};

use nix::{
    libc,
    spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp},
    sys::signal::{SigSet, Signal as SystemSignal},
};
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};
use tokio::io::{Interest, unix::AsyncFd};

use super::{Error, mounts, namespaces};
use crate::model::Process;

/// Exit code of a process that was not ours to wait for.
const UNKNOWN_EXIT: i32 = 255;

/// What a process can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Asks it to end (SIGTERM).
    Terminate,
    /// Ends it (SIGKILL).
    Kill,
}

/// Starts a command inside a namespace, in a session of its own, reading nothing and writing to `log`.
pub fn spawn(namespace: &Path, command: &[String], log: &Path) -> Result<Process, Error> {
    if let Some(directory) = log.parent() {
        fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    }
    let log = OpenOptions::new().create(true).append(true).open(log).map_err(Error::file("open", log))?;
    let nothing = File::open("/dev/null").map_err(Error::file("open", "/dev/null"))?;
    let started = namespaces::inside(namespace, || Ok(spawn_here(command, &nothing, &log)))?;
    let pid = started.map_err(|source| failed(command, source))?;
    // It is our child, so its number cannot go to another process before we have waited for it.
    let start_time = start_time(pid).unwrap_or_default();
    Ok(Process { pid, start_time })
}

/// Starts a command inside a namespace with this process's terminal.
pub fn spawn_attached(namespace: &Path, command: &[String]) -> Result<Child, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(failed(command, io::ErrorKind::InvalidInput.into()));
    };
    let started = namespaces::inside(namespace, || Ok(Command::new(program).args(arguments).spawn()))?;
    started.map_err(|source| failed(command, source))
}

/// A process by its number, with what tells it from a later one; `None` if there is none.
#[must_use]
pub fn identify(pid: i32) -> Option<Process> {
    Some(Process { pid, start_time: start_time(pid)? })
}

/// Whether the process runs.
#[must_use]
pub fn is_running(process: Process) -> bool {
    stat(process.pid).is_some_and(|stat| stat.start_time == process.start_time && stat.state != 'Z')
}

/// Sends a signal; a process that has ended already is fine.
pub fn kill(process: Process, signal: Signal) -> Result<(), Error> {
    let Some(handle) = open(process)? else { return Ok(()) };
    let number = match signal {
        Signal::Terminate => rustix::process::Signal::TERM,
        Signal::Kill => rustix::process::Signal::KILL,
    };
    match pidfd_send_signal(&handle, number) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(Error::System { doing: "signal a sandbox's process", source: errno.into() }),
    }
}

/// Waits until the process has ended.
///
/// Returns its exit code, or 128 + n after signal n; 255 if an earlier daemon started it, because only a parent is
/// told.
pub async fn exited(process: Process) -> Result<i32, Error> {
    let failed = |source| Error::System { doing: "wait for a sandbox's process", source };
    let Some(handle) = open(process)? else { return Ok(UNKNOWN_EXIT) };
    let handle = watch(handle).map_err(failed)?;
    drop(handle.readable().await.map_err(failed)?);
    Ok(reap(handle.get_ref()).unwrap_or(UNKNOWN_EXIT))
}

/// Kills every process inside a namespace, without waiting for their end; a namespace that is gone has none.
pub fn kill_inside(namespace: &Path) -> Result<(), Error> {
    if !mounts::is_namespace(namespace) {
        return Ok(());
    }
    let mut killed = BTreeSet::new();
    loop {
        // A process may have made another before its end.
        let mut running = list_inside(namespace)?;
        running.retain(|process| killed.insert((process.pid, process.start_time)));
        if running.is_empty() {
            return Ok(());
        }
        for process in running {
            kill(process, Signal::Kill)?;
        }
    }
}

/// Processes whose network namespace is the one of this file.
pub(super) fn list_inside(namespace: &Path) -> Result<Vec<Process>, Error> {
    let wanted = fs::metadata(namespace).map_err(Error::namespace("inspect", namespace))?;
    let wanted = (wanted.dev(), wanted.ino());
    let entries = fs::read_dir("/proc").map_err(Error::file("list", "/proc"))?;
    // Processes come and go meanwhile; one that cannot be read any more is gone.
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let inside = pids.filter(|pid: &i32| {
        fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|found| (found.dev(), found.ino()) == wanted)
    });
    Ok(inside.filter_map(identify).collect())
}

/// A handle that stays with this process; `None` if it has ended and been waited for.
fn open(process: Process) -> Result<Option<OwnedFd>, Error> {
    let Some(pid) = rustix::process::Pid::from_raw(process.pid) else { return Ok(None) };
    match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        // The handle is on whoever has the number now: compare only after opening it.
        Ok(handle) => Ok((start_time(process.pid) == Some(process.start_time)).then_some(handle)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(errno) => Err(Error::System { doing: "open a sandbox's process", source: errno.into() }),
    }
}

/// Lets the async runtime tell when the process has ended.
#[expect(unsafe_code, reason = "the runtime offers no safe way to watch a descriptor")]
fn watch(handle: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` stays open, and the same, for as long as the `AsyncFd` owns it.
    let watched = unsafe { AsyncFd::register_with_interest(handle, Interest::READABLE) };
    watched.map_err(|error| error.into_parts().1)
}

/// The exit code of a child that has ended; `None` for the child of another.
fn reap(handle: &OwnedFd) -> Option<i32> {
    let status = waitid(WaitId::PidFd(handle.as_fd()), WaitIdOptions::EXITED).ok()??;
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal))
}

fn spawn_here(command: &[String], input: &File, output: &File) -> io::Result<i32> {
    let arguments = command.iter().map(|text| CString::new(text.as_str())).collect::<Result<Vec<_>, _>>()?;
    let program = arguments.first().ok_or(io::ErrorKind::InvalidInput)?;
    let variable = |(name, value): (OsString, OsString)| [name, value].join(&OsString::from("="));
    let environment = env::vars_os().map(variable).map(|text| CString::new(text.into_vec()));
    let environment = environment.collect::<Result<Vec<_>, _>>()?;

    let mut files = PosixSpawnFileActions::init()?;
    files.add_dup2(input.as_raw_fd(), libc::STDIN_FILENO)?;
    files.add_dup2(output.as_raw_fd(), libc::STDOUT_FILENO)?;
    files.add_dup2(output.as_raw_fd(), libc::STDERR_FILENO)?;
    let mut attributes = PosixSpawnAttr::init()?;
    // nix does not name the flag that makes a new session.
    let new_session = PosixSpawnFlags::from_bits_retain(libc::c_int::from(libc::POSIX_SPAWN_SETSID));
    attributes.set_flags(
        new_session | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK,
    )?;
    // Rust programs ignore SIGPIPE, and children would inherit that.
    attributes.set_sigdefault(&SigSet::from(SystemSignal::SIGPIPE))?;
    attributes.set_sigmask(&SigSet::empty())?;
    Ok(posix_spawnp(program, &files, &attributes, &arguments, &environment)?.as_raw())
}

fn failed(command: &[String], source: io::Error) -> Error {
    Error::Command { command: command.first().cloned().unwrap_or_default(), source }
}

fn start_time(pid: i32) -> Option<u64> {
    stat(pid).map(|stat| stat.start_time)
}

/// What `/proc/PID/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    /// `Z` for a process that has ended and not been waited for.
    state: char,
    /// In clock ticks since boot.
    start_time: u64,
}

fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads fields 3 and 22 (proc(5)); the name before them is in parentheses and may contain anything.
fn parse_stat(line: &str) -> Option<Stat> {
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    Some(Stat { state, start_time: fields.nth(18)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::{Process, Stat, exited, identify, is_running, parse_stat};

    #[test]
    fn a_process_name_may_contain_parentheses_and_spaces() {
        let line = "1234 (a) b (c) S 1 1234 1234 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5678 1 2 3";
        assert_eq!(parse_stat(line), Some(Stat { state: 'S', start_time: 5678 }));
        assert_eq!(parse_stat("1234 (x) S 1"), None);
    }

    #[test]
    fn a_process_with_another_start_time_is_another_process() {
        let own =
            identify(i32::try_from(std::process::id()).expect("process ids are small")).expect("we run");
        assert!(is_running(own));
        assert!(!is_running(Process { start_time: own.start_time + 1, ..own }));
    }

    #[tokio::test]
    async fn waiting_for_a_process_that_is_gone_ends_at_once() {
        let gone = Process { pid: i32::MAX, start_time: 1 };
        assert_eq!(exited(gone).await.expect("no error"), 255);
    }
}
