//! Which processes are inside a network namespace, and the end of them all.

use std::{collections::BTreeSet, fs, os::unix::fs::MetadataExt as _, path::Path};

use super::{identify, signal, stat};
use crate::{
    kernel::{Error, mounts},
    model::{Process, SandboxId, Signal},
};

/// Kills every process inside a namespace, without waiting for their end; a namespace that is gone has none.
pub fn kill_inside(namespace: &Path) -> Result<(), Error> {
    if !mounts::is_namespace(namespace) {
        return Ok(());
    }
    kill_listed(|| list_inside(namespace))
}

/// Kills a process, the session that it began, and whatever else has been started beside it (see [`mark`]).
pub fn kill_beside(leader: Process, sandbox: SandboxId) -> Result<(), Error> {
    signal(leader, Signal::KILL)?;
    kill_listed(|| list_beside(leader, sandbox))
}

/// The variable that tells which sandbox a process was started in that has a session of its own, and what it makes: where
/// sandboxes share a network namespace, nothing else does.
#[must_use]
pub fn mark(sandbox: SandboxId) -> String {
    format!("NETEBPF_SANDBOX={sandbox}")
}

/// A process that runs, those of the session that it began, and those that have been started beside it.
pub(super) fn list_beside(leader: Process, sandbox: SandboxId) -> Result<Vec<Process>, Error> {
    let mark = mark(sandbox).into_bytes();
    let is_beside = |pid: &i32| {
        *pid == leader.pid
            || stat::read(*pid).is_some_and(|stat| stat.session == leader.pid)
            || fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|entry| entry == mark))
    };
    let found = pids()?.filter(is_beside).filter_map(identify);
    Ok(found.filter(|process| process.pid != leader.pid || *process == leader).collect())
}

fn kill_listed(list: impl Fn() -> Result<Vec<Process>, Error>) -> Result<(), Error> {
    let mut killed = BTreeSet::new();
    loop {
        // A process may have made another before its end.
        let mut running = list()?;
        running.retain(|process| killed.insert((process.pid, process.start_time)));
        if running.is_empty() {
            return Ok(());
        }
        for process in running {
            signal(process, Signal::KILL)?;
        }
    }
}

/// Processes whose network namespace is the one of this file.
pub(in crate::kernel) fn list_inside(namespace: &Path) -> Result<Vec<Process>, Error> {
    let wanted = fs::metadata(namespace).map_err(Error::namespace("inspect", namespace))?;
    let wanted = (wanted.dev(), wanted.ino());
    let inside = pids()?.filter(|pid: &i32| {
        fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|found| (found.dev(), found.ino()) == wanted)
    });
    Ok(inside.filter_map(identify).collect())
}

/// The processes that there are; they come and go meanwhile, and one that cannot be read any more is gone.
fn pids() -> Result<impl Iterator<Item = i32>, Error> {
    let entries = fs::read_dir("/proc").map_err(Error::file("list", "/proc"))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}
