//! Which processes are inside a network namespace, and the end of them all.

use std::{collections::BTreeSet, fs, os::unix::fs::MetadataExt as _, path::Path};

use super::{identify, signal, stat};
use crate::{
    kernel::{Error, mounts},
    model::{Process, Signal},
};

/// Kills every process inside a namespace, without waiting for their end; a namespace that is gone has none.
pub fn kill_inside(namespace: &Path) -> Result<(), Error> {
    if !mounts::is_namespace(namespace) {
        return Ok(());
    }
    kill_listed(|| list_inside(namespace))
}

/// Kills every process of the session that a process began, and the process itself.
pub fn kill_session(leader: Process) -> Result<(), Error> {
    signal(leader, Signal::KILL)?;
    kill_listed(|| {
        let of_session = |pid: &i32| stat::read(*pid).is_some_and(|stat| stat.session == leader.pid);
        Ok(pids()?.filter(of_session).filter_map(identify).collect())
    })
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
