//! A host with files of its own: the scenario runs on a thread whose mounts nobody else sees, and all that it starts does too.

use std::{fs, panic, thread};

use anyhow::{Context as _, Result};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use crate::scene::Scene;

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

/// Gives the calling thread mounts of its own, in which `/run` is empty and `/etc` may be written to.
fn take_place(files: Files<'_>) -> Result<()> {
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(NONE, "/run", Some("tmpfs"), MsFlags::empty(), NONE)?;
    for directory in ["/run/etc/upper", "/run/etc/work", "/run/systemd/resolve"] {
        fs::create_dir_all(directory)?;
    }
    let layers = "lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work";
    mount(NONE, "/etc", Some("overlay"), MsFlags::empty(), Some(layers))?;
    if let Some(text) = files.behind_stub {
        fs::write(BEHIND_STUB, text)?;
    }
    write_resolv_conf(files.resolv_conf)
}

/// Puts another `/etc/resolv.conf` in the place of the host's, as programs do that manage networks.
pub(super) fn write_resolv_conf(text: &str) -> Result<()> {
    fs::write("/etc/resolv.conf.new", text)?;
    Ok(fs::rename("/etc/resolv.conf.new", "/etc/resolv.conf")?)
}
