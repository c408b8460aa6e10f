//! How a process is sent a signal and waited for, by its handle.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use rustix::process::{WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use tokio::io::{Interest, unix::AsyncFd};

use super::open;
use crate::{
    kernel::Error,
    model::{Process, Signal},
};

/// Exit code of a process that was not ours to wait for.
const UNKNOWN_EXIT: i32 = 255;

/// Waits until the process has ended.
///
/// Returns its exit code, or 128 + n after signal n; 255 if another process started it, because only a parent is told.
pub async fn exited(process: Process) -> Result<i32, Error> {
    let failed = |source| Error::System { doing: "wait for a sandbox's process", source };
    let Some(handle) = open(process)? else { return Ok(UNKNOWN_EXIT) };
    let handle = watch(handle).map_err(failed)?;
    drop(handle.readable().await.map_err(failed)?);
    Ok(reap(handle.get_ref()).unwrap_or(UNKNOWN_EXIT))
}

/// Sends a signal; to a process that has ended already too.
#[expect(unsafe_code, reason = "rustix names no real-time signals")]
pub(super) fn send(handle: &OwnedFd, signal: Signal) -> io::Result<()> {
    // SAFETY: a `Signal` is a number that Linux has and that the C library does not keep for itself.
    let number = unsafe { rustix::process::Signal::from_raw_unchecked(signal.number()) };
    match pidfd_send_signal(handle, number) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
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
