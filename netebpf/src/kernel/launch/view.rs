//! What a new sandbox's command sees of its own: network devices, three files, the names of its host.

use std::{
    fs::{self, File},
    os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
    path::Path,
};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, setns, unshare},
};
use rustix::system::{setdomainname, sethostname};

use super::{View, etc};
use crate::kernel::{Error, mounts};

const SYSFS: &str = "/sys";
const CGROUPS: &str = "/sys/fs/cgroup";

/// Moves the calling thread into a network namespace and gives it a view of its own.
pub(super) fn make(namespace: Option<&Path>, view: Option<&View>) -> Result<(), Error> {
    if let Some(path) = namespace {
        let file = File::open(path).map_err(Error::namespace("open", path))?;
        setns(file, CloneFlags::CLONE_NEWNET)
            .map_err(|errno| Error::namespace("enter", path)(errno.into()))?;
    }
    if namespace.is_none() && view.is_none() {
        // The working directory is to be the command's alone.
        return leave(CloneFlags::CLONE_FS);
    }
    leave(CloneFlags::CLONE_NEWNS)?;
    // Nothing gets out. What is unmounted on the host goes in here too, so that no sandbox keeps a disk busy.
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)
        .map_err(|errno| Error::file("stop sharing mounts below", "/")(errno.into()))?;
    if let Some(path) = namespace {
        leave_namespaces(path)?;
        mount_sysfs()?;
    }
    view.map_or(Ok(()), apply)
}

fn leave(shared: CloneFlags) -> Result<(), Error> {
    unshare(shared).map_err(|errno| Error::System {
        doing: "make namespaces for a sandbox's command",
        source: errno.into(),
    })
}

/// Unmounts the directory in which the namespaces of all sandboxes are kept: a copy of a thousand mounts in each of a
/// thousand sandboxes would take half a gigabyte of kernel memory. Then what else keeps a namespace, which would live for as
/// long as the sandbox where the host does not share its mounts.
fn leave_namespaces(own: &Path) -> Result<(), Error> {
    own.parent().map_or(Ok(()), leave_behind)?;
    mounts::of_namespaces()?.iter().try_for_each(|kept| leave_behind(kept))
}

fn leave_behind(path: &Path) -> Result<(), Error> {
    match umount2(path, MntFlags::MNT_DETACH) {
        // EINVAL: nothing is mounted there, or not any more.
        Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => Ok(()),
        Err(errno) => Err(Error::file("unmount", path)(errno.into())),
    }
}

/// Mounts a `/sys` of this network namespace: a sysfs shows the devices of the namespace it was mounted in.
///
/// Of what else was mounted below the old one, only the cgroups are needed by ordinary programs.
fn mount_sysfs() -> Result<(), Error> {
    // A file system of its own is mounted there; where none is, the new `/sys` has the same empty directory.
    let device = |path| fs::metadata(path).map(|found| found.dev());
    let cgroups = match (device(SYSFS), device(CGROUPS)) {
        (Ok(outer), Ok(inner)) if outer != inner => {
            Some(File::open(CGROUPS).map_err(Error::file("open", CGROUPS))?)
        }
        _ => None,
    };
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    match mount(Some("sysfs"), SYSFS, Some("sysfs"), flags, None::<&str>) {
        Ok(()) => {}
        // The one of this namespace is there already: the command is in the daemon's own.
        Err(Errno::EBUSY) => return Ok(()),
        Err(errno) => return Err(Error::file("mount a file system at", SYSFS)(errno.into())),
    }
    let Some(cgroups) = cgroups else { return Ok(()) };
    let source = format!("/proc/self/fd/{}", cgroups.as_raw_fd());
    bind(Path::new(&source), CGROUPS, MsFlags::MS_REC)
}

fn apply(view: &View) -> Result<(), Error> {
    etc::apply(view)?;
    leave(CloneFlags::CLONE_NEWUTS)?;
    let failed = |doing| move |errno: rustix::io::Errno| Error::System { doing, source: errno.into() };
    sethostname(view.hostname.as_bytes()).map_err(failed("set the host name"))?;
    if !view.domainname.is_empty() {
        setdomainname(view.domainname.as_bytes()).map_err(failed("set the domain name"))?;
    }
    Ok(())
}

/// Shows what is at `source` at `target` too.
pub(super) fn bind(source: &Path, target: &str, flags: MsFlags) -> Result<(), Error> {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND | flags, None::<&str>)
        .map_err(|errno| Error::file("bind a sandbox's own", target)(errno.into()))
}
