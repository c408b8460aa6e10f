//! The `/etc` of a sandbox: the host's, with three files of its own.
//!
//! Files that were bound over the host's directly would not last: when the host replaces its own by renaming another to
//! it, as network managers do with `resolv.conf`, the kernel takes away what is mounted on it, in every namespace. So the
//! files are bound in an overlay, in which nobody renames but the sandbox.

use std::{
    fs::{self, File},
    io,
    os::fd::AsRawFd as _,
    path::Path,
};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::{View, view::bind};
use crate::kernel::Error;

const ETC: &str = "/etc";

/// Shows the files to the calling thread's mount namespace.
pub(super) fn apply(view: &View) -> Result<(), Error> {
    if let Err(error) = lay_over() {
        tracing::warn!(%error, "no overlay over /etc: files that the host replaces become the host's in sandboxes too");
    }
    for (source, target) in [
        (&view.hosts, "/etc/hosts"),
        (&view.resolv_conf, "/etc/resolv.conf"),
        (&view.hostname_file, "/etc/hostname"),
    ] {
        // Without an overlay, what the host does not have is not made there.
        if fs::exists(target).is_ok_and(|exists| exists) {
            bind(source, target, MsFlags::empty())?;
        }
    }
    Ok(())
}

/// Lays over it room in memory for changes, and plain files to bind the three to.
fn lay_over() -> io::Result<()> {
    let below = File::open(ETC)?;
    mount(Some("tmpfs"), ETC, Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))?;
    mount_layers(&below).or_else(|error| {
        umount2(ETC, MntFlags::MNT_DETACH)?;
        Err(error)
    })
}

/// Mounts an overlay of a directory on the empty file system that is there now, which keeps its upper layer.
fn mount_layers(below: &File) -> io::Result<()> {
    let (upper, work) = (Path::new(ETC).join("upper"), Path::new(ETC).join("work"));
    for directory in [&upper, &work] {
        fs::create_dir(directory)?;
    }
    fs::set_permissions(&upper, below.metadata()?.permissions())?;
    for name in ["hosts", "resolv.conf", "hostname"] {
        File::create(upper.join(name))?;
    }
    let (upper, work) = (File::open(upper)?, File::open(work)?);
    let [below, upper, work] =
        [below, &upper, &work].map(|file| format!("/proc/self/fd/{}", file.as_raw_fd()));
    let layers = format!("lowerdir={below},upperdir={upper},workdir={work}");
    Ok(mount(Some("overlay"), ETC, Some("overlay"), MsFlags::empty(), Some(layers.as_str()))?)
}
