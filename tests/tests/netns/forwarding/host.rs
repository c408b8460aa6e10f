//! A host with files of its own: the scenario runs on a thread whose mounts nobody else sees, and all that it starts does too.

use std::{
    fs::{self, File},
    panic,
    path::Path,
    thread,
};

use anyhow::{Context as _, Result};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use crate::scene::Scene;

const RESOLV_CONF: &str = "/etc/resolv.conf";
/// The file that is in its place.
const OURS: &str = "/run/resolv.conf";
/// Where systemd-resolved writes the servers that it asks itself.
const BEHIND_STUB: &str = "/run/systemd/resolve/resolv.conf";

/// The files by which a host knows its name servers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files<'a> {
    /// Its `/etc/resolv.conf`.
    pub(super) resolv_conf: &'a str,
    /// What systemd-resolved has written, if it runs there.
    pub(super) behind_stub: Option<&'a str>,
}

/// Runs a scenario in a scene on a host with this `/etc/resolv.conf`, with options of `netebpf daemon`.
pub(super) fn on_host(
    name: &str,
    options: &[&str],
    resolv_conf: &str,
    scenario: impl FnOnce(&Scene) -> Result<()> + Send,
) -> Result<()> {
    on_host_with(Files { resolv_conf, behind_stub: None }, || scenario(&Scene::new(name, options)?))
}

/// Runs a scenario where these are the host's files.
pub(super) fn on_host_with(files: Files<'_>, scenario: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    let alone = || {
        take_place(files).context("take a place of its own in the file system (needs root)")?;
        scenario()
    };
    thread::scope(|scope| scope.spawn(alone).join()).unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// Gives the calling thread mounts of its own, in which `/run` is empty and `/etc/resolv.conf` is ours.
fn take_place(files: Files<'_>) -> Result<()> {
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(NONE, "/run", Some("tmpfs"), MsFlags::empty(), NONE)?;
    fs::create_dir_all("/run/systemd/resolve")?;
    if let Some(text) = files.behind_stub {
        fs::write(BEHIND_STUB, text)?;
    }
    // Where programs manage it, it is a link to a file in /run, which is no longer there.
    if let Ok(link) = fs::read_link(RESOLV_CONF)
        && !Path::new(RESOLV_CONF).exists()
    {
        let target = Path::new("/etc").join(link);
        fs::create_dir_all(target.parent().context("the link leads nowhere")?)?;
        File::create(target)?;
    }
    write_resolv_conf(files.resolv_conf)?;
    Ok(mount(Some(OURS), RESOLV_CONF, NONE, MsFlags::MS_BIND, NONE)?)
}

/// Writes another `/etc/resolv.conf` for the host of the scenario that runs.
pub(super) fn write_resolv_conf(text: &str) -> Result<()> {
    Ok(fs::write(OURS, text)?)
}
