//! The file systems that BPF needs: where they are mounted, and mounting them where they are missing.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::statfs::{BPF_FS_MAGIC, FsType, NSFS_MAGIC, statfs},
};

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

use super::{Error, Settings};

/// Where systems mount the BPF file system.
const BPF_MOUNT_POINT: &str = "/sys/fs/bpf";

/// Makes sure that the engine's pin directories exist on a BPF file system.
///
/// Mounts one at `/sys/fs/bpf` if the directory is below it, else at the directory itself.
pub(super) fn prepare_bpffs(settings: &Settings) -> Result<(), Error> {
    let directory = &settings.bpffs;
    if !on_bpffs(directory) {
        let standard = Path::new(BPF_MOUNT_POINT);
        let point = if directory.starts_with(standard) { standard } else { directory.as_path() };
        mount_bpffs(point)?;
    }
    for path in [settings.maps(), settings.programs(), settings.bpf_links(), settings.bpf_filters()] {
        fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
    }
    Ok(())
}

/// The root of the cgroup v2 hierarchy; mounted privately when the system has not mounted it.
pub(super) fn cgroup_root(settings: &Settings) -> Result<PathBuf, Error> {
    let table = "/proc/self/mountinfo";
    let mounts = fs::read_to_string(table).map_err(Error::file("read", table))?;
    if let Some(found) = cgroup2_mount(&mounts) {
        return Ok(found);
    }
    let point = settings.own_cgroup();
    fs::create_dir_all(&point).map_err(Error::file("create", &point))?;
    mount(Some("cgroup2"), &point, Some("cgroup2"), MsFlags::empty(), None::<&str>)
        .map_err(|errno| Error::file("mount cgroup v2 at", &point)(errno.into()))?;
    Ok(point)
}

/// Makes a directory a mount of its own, so that all that is mounted in it can be left behind in one step.
pub(super) fn set_apart(directory: &Path) -> Result<(), Error> {
    if is_mount_point(directory)? {
        return Ok(());
    }
    mount(Some(directory), directory, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(|errno| Error::file("mount", directory)(errno.into()))
}

/// Whether something is mounted at a path (Linux 5.8).
fn is_mount_point(path: &Path) -> Result<bool, Error> {
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::empty());
    let found = found.map_err(|errno| Error::file("inspect", path)(errno.into()))?;
    Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// The files by which the calling thread's mount namespace keeps namespaces, but for those in a directory that was unmounted.
pub(super) fn of_namespaces() -> Result<Vec<PathBuf>, Error> {
    let table = "/proc/thread-self/mountinfo";
    let mounts = fs::read_to_string(table).map_err(Error::file("read", table))?;
    let namespaces = mounts.lines().filter_map(|line| mount_line(line, "nsfs"));
    Ok(namespaces.map(|(_, point)| PathBuf::from(unescape(point))).collect())
}

/// Whether this is a file of a namespace, bound here by a mount.
pub(super) fn is_namespace(path: &Path) -> bool {
    is_on(path, NSFS_MAGIC)
}

/// Whether a path, or the nearest of its parents that exists, is on a BPF file system.
pub(super) fn on_bpffs(path: &Path) -> bool {
    path.ancestors().find(|ancestor| ancestor.exists()).is_some_and(|ancestor| is_on(ancestor, BPF_FS_MAGIC))
}

/// Takes away every mount stacked on a path; whether there was one.
pub(super) fn unmount(path: &Path) -> io::Result<bool> {
    let mut mounted = false;
    loop {
        match umount2(path, MntFlags::MNT_DETACH) {
            Ok(()) => mounted = true,
            // EINVAL: not a mount point.
            Err(nix::Error::EINVAL | nix::Error::ENOENT) => return Ok(mounted),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Whether a directory is the root of a BPF file system of its own.
pub(super) fn is_own_bpffs(path: &Path) -> bool {
    path != Path::new(BPF_MOUNT_POINT)
        && is_on(path, BPF_FS_MAGIC)
        && path.parent().is_some_and(|parent| !is_on(parent, BPF_FS_MAGIC))
}

fn mount_bpffs(point: &Path) -> Result<(), Error> {
    fs::create_dir_all(point).map_err(Error::file("create", point))?;
    // Engines that start at the same moment must not stack two mounts and hide each other's pins.
    let covered = File::open(point).map_err(Error::file("open", point))?;
    covered.lock().map_err(Error::file("lock", point))?;
    if on_bpffs(point) {
        return Ok(());
    }
    tracing::info!(at = %point.display(), "mounting a BPF file system");
    mount(Some("bpf"), point, Some("bpf"), MsFlags::empty(), Some("mode=0700"))
        .map_err(|errno| Error::file("mount a BPF file system at", point)(errno.into()))
}

fn is_on(path: &Path, file_system: FsType) -> bool {
    statfs(path).is_ok_and(|found| found.filesystem_type() == file_system)
}

/// The mount point of cgroup v2 in a `/proc/PID/mountinfo` (proc(5)), preferring one that shows the whole hierarchy.
fn cgroup2_mount(mountinfo: &str) -> Option<PathBuf> {
    let mounts: Vec<_> = mountinfo.lines().filter_map(|line| mount_line(line, "cgroup2")).collect();
    let (_, point) = mounts.iter().find(|(root, _)| *root == "/").or_else(|| mounts.first())?;
    Some(PathBuf::from(unescape(point)))
}

/// Root and mount point of a line, if it is about a file system of this type.
fn mount_line<'a>(line: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    (file_system.split(' ').next() == Some(kind)).then_some((fields.next()?, fields.next()?))
}

/// Reverses the kernel's octal escapes of white space and backslash.
fn unescape(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(path.to_owned(), |path, (escape, plain)| path.replace(escape, plain))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::cgroup2_mount;

    #[test]
    fn the_whole_hierarchy_is_preferred_to_a_part_of_it() {
        let mounts = "\
            24 1 0:22 / /sys rw,nosuid - sysfs sysfs rw\n\
            30 24 0:26 /system.slice /mnt/part rw,relatime shared:9 - cgroup2 cgroup2 rw\n\
            31 24 0:26 / /sys/fs/cgroup/unified rw,relatime shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(cgroup2_mount(mounts), Some(PathBuf::from("/sys/fs/cgroup/unified")));
    }

    #[test]
    fn cgroup_v1_is_not_taken_for_v2() {
        let mounts = "31 24 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
        assert_eq!(cgroup2_mount(mounts), None);
    }

    #[test]
    fn a_mount_point_with_a_space_is_unescaped() {
        let mounts = "31 24 0:26 / /mnt/a\\040b rw - cgroup2 none rw\n";
        assert_eq!(cgroup2_mount(mounts), Some(PathBuf::from("/mnt/a b")));
    }
}
