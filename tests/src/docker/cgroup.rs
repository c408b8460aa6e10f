//! Where do a machine's containers have their control groups? Below one group that goes with the machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::wait;

const HIERARCHIES: &str = "/sys/fs/cgroup";

const PREFIX: &str = "netebpf-machine-";

/// The kernel frees groups a little after their last process is gone.
const SETTLE: Duration = Duration::from_secs(5);

/// A control group, in every hierarchy where an engine makes it; removed with all below it when dropped.
#[derive(Debug)]
pub(super) struct Group(String);

impl Group {
    /// Names the group of a machine, by the directory of its world; the engine makes it.
    pub(super) fn of(world: &str) -> Self {
        Self(format!("{PREFIX}{world}"))
    }

    /// The group's path, as engines want it.
    pub(super) fn path(&self) -> String {
        format!("/{}", self.0)
    }

    /// The group's folders: one in each hierarchy of version 1, or one in all with version 2.
    fn folders(&self) -> Vec<PathBuf> {
        let top = Path::new(HIERARCHIES);
        let hierarchies = fs::read_dir(top).into_iter().flatten().flatten().map(|entry| entry.path());
        hierarchies
            .chain([top.to_owned()])
            .map(|path| path.join(&self.0))
            .filter(|path| path.is_dir())
            .collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let gone = wait::settled(SETTLE, || self.folders().iter().all(|folder| remove(folder)));
        if !gone {
            eprintln!("the control group {} is left behind", self.path());
        }
    }
}

/// Removes the groups of machines whose worlds are gone: their harness was killed.
pub(super) fn sweep_abandoned() {
    let hierarchies = fs::read_dir(HIERARCHIES).into_iter().flatten().flatten().map(|entry| entry.path());
    for hierarchy in hierarchies.chain([PathBuf::from(HIERARCHIES)]) {
        let groups = fs::read_dir(hierarchy).into_iter().flatten().flatten();
        for group in groups {
            let name = group.file_name();
            let world = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            if world.is_some_and(|world| !env::temp_dir().join(world).exists()) {
                remove(&group.path());
            }
        }
    }
}

/// Removes a group and those below it; only empty ones can go, and their files go with them.
fn remove(group: &Path) -> bool {
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    let folders = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    // Each of them is tried, also after one that could not go.
    let left = folders.filter(|folder| !remove(&folder.path())).count();
    left == 0 && fs::remove_dir(group).is_ok()
}
