//! What does an engine leave behind, and how is a whole world swept away?

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};
use aya::programs::{
    links::{FdLink, PinnedLink},
    loaded_links,
};
use nix::{
    errno::Errno,
    mount::{MntFlags, umount2},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{netns::Namespace, topology::World, wait};

/// The kernel frees programs and namespaces a little after their last user is gone.
const SETTLE: Duration = Duration::from_secs(5);

/// What exists in a world at one moment, as one sentence for each thing.
#[derive(Debug, PartialEq, Eq)]
pub struct Footprint(BTreeSet<String>);

impl Footprint {
    /// Looks for links, pins, attached programs, mounts, processes and files of the world's engine.
    pub fn of(world: &World) -> Result<Self> {
        let mut found = BTreeSet::new();
        found.extend(world.host.links()?.into_iter().map(|name| format!("the host's link {name}")));
        found.extend(
            files_below(&world.bpffs()).into_iter().map(|path| format!("the pin {}", path.display())),
        );
        found.extend(attached(world).into_iter().map(|id| format!("the attached program of bpf_link {id}")));
        found.extend(
            mounts_below(world.directory()).into_iter().map(|path| format!("the mount {}", path.display())),
        );
        found.extend(
            processes_naming(world.directory())
                .into_iter()
                .map(|(pid, line)| format!("process {pid}: {line}")),
        );
        for directory in [world.run_dir(), world.state_dir()] {
            found.extend(
                files_below(&directory).into_iter().map(|path| format!("the file {}", path.display())),
            );
        }
        Ok(Self(found))
    }
}

/// Fails, naming each thing, unless the world has come to hold nothing that it did not hold `before`.
pub fn assert_nothing_left(world: &World, before: &Footprint) -> Result<()> {
    let extra = || Footprint::of(world).map(|now| now.0.difference(&before.0).cloned().collect::<Vec<_>>());
    if wait::settled(SETTLE, || extra().is_ok_and(|extra| extra.is_empty())) {
        return Ok(());
    }
    bail!("left behind: {}", extra()?.join(", "))
}

/// Notes which `bpf_link`s the world's engine has pinned, so that a later [`Footprint`] can tell whether they
/// live on.
pub fn note_bpf_links(world: &World) {
    let pinned = files_below(&world.bpffs().join("links"));
    let ids = pinned.iter().filter_map(|pin| FdLink::from(PinnedLink::from_pin(pin).ok()?).info().ok());
    if let Ok(mut known) = world.bpf_links.lock() {
        known.extend(ids.map(|info| info.id()));
    }
}

/// Ends all processes, unmounts all mounts and removes all files of a world's directory.
pub fn sweep(directory: &Path) {
    wait::settled(SETTLE, || {
        let processes = processes_naming(directory);
        for &(pid, _) in &processes {
            report(&format!("kill {pid}"), kill(pid, Signal::SIGKILL));
        }
        processes.is_empty()
    });
    for mount in mounts_below(directory) {
        if mount.ends_with("bpf") {
            report("remove pins", fs::remove_dir_all(mount.join("netebpf")));
        }
        report(&format!("unmount {}", mount.display()), umount2(&mount, MntFlags::MNT_DETACH));
    }
    report(&format!("remove {}", directory.display()), fs::remove_dir_all(directory));
}

/// Kills every process that lives in a network namespace.
pub fn kill_all_in(namespace: &Namespace) -> Result<()> {
    let home = namespace.file().metadata()?.ino();
    for process in fs::read_dir("/proc")?.flatten() {
        let lives_there = fs::metadata(process.path().join("ns/net")).is_ok_and(|file| file.ino() == home);
        if let (true, Some(Ok(pid))) = (lives_there, process.file_name().to_str().map(str::parse)) {
            kill(Pid::from_raw(pid), Signal::SIGKILL)?;
        }
    }
    Ok(())
}

/// A sweep goes on after a failure; things that are gone already are no failure.
fn report<E: Into<io::Error>>(what: &str, result: Result<(), E>) {
    if let Err(error) = result.map_err(Into::into)
        && error.kind() != io::ErrorKind::NotFound
        && error.raw_os_error() != Some(Errno::ESRCH as i32)
    {
        eprintln!("{what}: {error}");
    }
}

fn attached(world: &World) -> Vec<u32> {
    let known = world.bpf_links.lock().map(|ids| ids.clone()).unwrap_or_default();
    loaded_links().flatten().map(|info| info.id()).filter(|id| known.contains(id)).collect()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path()),
            _ => vec![entry.path()],
        })
        .collect()
}

/// Deepest first, so that they can be unmounted in this order.
fn mounts_below(directory: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let targets = table.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    let mut below: Vec<_> = targets.filter(|target| target.starts_with(directory)).collect();
    below.sort();
    below.reverse();
    below
}

fn processes_naming(directory: &Path) -> Vec<(Pid, String)> {
    let needle = directory.display().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let line =
                String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
            line.contains(&needle).then(|| (Pid::from_raw(pid), line.trim_end().to_owned()))
        })
        .collect()
}
