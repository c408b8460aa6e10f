//! Where do a machine's containers have their control groups? Below one group that goes with the machine.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::wait;

const HIERARCHIES: &str = "/sys/fs/cgroup";

/// The kernel frees groups a little after their last process is gone.
const SETTLE: Duration = Duration::from_secs(5);

/// A control group, in every hierarchy where an engine makes it; removed with all below it when dropped.
#[derive(Debug)]
pub(super) struct Group(String);

impl Group {
    /// Names a group; the engine makes it.
    pub(super) fn named(name: String) -> Self {
        Self(name)
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

/// Removes a group and those below it; only empty ones can go, and their files go with them.
fn remove(group: &Path) -> bool {
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    let folders = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    // Each of them is tried, also after one that could not go.
    let left = folders.filter(|folder| !remove(&folder.path())).count();
    left == 0 && fs::remove_dir(group).is_ok()
}
