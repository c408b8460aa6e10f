//! Into the namespaces of a running process.

use std::fs::File;

use nix::sched::{CloneFlags, setns, unshare};

use crate::{
    kernel::{Error, process},
    model::Process,
};

/// The namespaces that are the sandbox's own. The one of mounts is last: behind it another `/proc` may lie.
const NAMESPACES: [(&str, CloneFlags); 3] =
    [("net", CloneFlags::CLONE_NEWNET), ("uts", CloneFlags::CLONE_NEWUTS), ("mnt", CloneFlags::CLONE_NEWNS)];

/// Moves the calling thread to where a process runs.
pub(super) fn beside(process: Process) -> Result<(), Error> {
    let mut opened = Vec::new();
    for (name, flag) in NAMESPACES {
        let path = format!("/proc/{}/ns/{name}", process.pid);
        match File::open(&path) {
            Ok(file) => opened.push((path, file, flag)),
            Err(_) if !process::is_running(process) => return Err(Error::Ended { pid: process.pid }),
            Err(error) => return Err(Error::file("open", path)(error)),
        }
    }
    // The files are of whoever has the number now: compare only after opening them.
    if !process::is_running(process) {
        return Err(Error::Ended { pid: process.pid });
    }
    // The kernel lets nobody into other mounts who shares its root directory with other threads.
    unshare(CloneFlags::CLONE_FS)
        .map_err(|errno| Error::System { doing: "leave the shared root directory", source: errno.into() })?;
    for (path, file, flag) in opened {
        setns(file, flag).map_err(|errno| Error::file("enter", path)(errno.into()))?;
    }
    Ok(())
}
