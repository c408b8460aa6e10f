//! Processes of sandboxes: told from later ones with the same number, waited for, sent signals.
//!
//! They are not tied to the daemon: it may end and come back while they run.

mod inside;
mod listing;
mod stat;
mod wait;

use std::os::fd::OwnedFd;

use rustix::process::{PidfdFlags, pidfd_open};

use super::Error;
use crate::model::{Process, Signal};

pub(super) use inside::list_inside;
pub use inside::{kill_beside, kill_inside, mark};
pub use listing::{Listed, Members, list};
pub use wait::exited;

/// A process by its number, with what tells it from a later one; `None` if there is none.
#[must_use]
pub fn identify(pid: i32) -> Option<Process> {
    Some(Process { pid, start_time: stat::read(pid)?.start_time })
}

/// Whether the process runs.
#[must_use]
pub fn is_running(process: Process) -> bool {
    stat::read(process.pid).is_some_and(|stat| stat.start_time == process.start_time && stat.state != 'Z')
}

/// Sends a signal; a process that has ended already is fine.
pub fn signal(process: Process, signal: Signal) -> Result<(), Error> {
    let Some(handle) = open(process)? else { return Ok(()) };
    wait::send(&handle, signal)
        .map_err(|source| Error::System { doing: "signal a sandbox's process", source })
}

/// A handle that stays with this process; `None` if it has ended and been waited for.
fn open(process: Process) -> Result<Option<OwnedFd>, Error> {
    let Some(pid) = rustix::process::Pid::from_raw(process.pid) else { return Ok(None) };
    match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        // The handle is on whoever has the number now: compare only after opening it.
        Ok(handle) => Ok((identify(process.pid) == Some(process)).then_some(handle)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(errno) => Err(Error::System { doing: "open a sandbox's process", source: errno.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, exited, identify, is_running};

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
