//! How does the harness make, enter and remove network namespaces?
//!
//! A thread that unshares holds a new namespace only until its file is bind-mounted; work inside is done by
//! short-lived threads that enter it, so no other thread ever changes its namespace.

use std::{
    fs::{self, File},
    panic,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context as _, Result};
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, setns, unshare},
};

use crate::process::Process;

/// The calling thread's own network namespace; `/proc/self` would name the main thread's.
const OWN: &str = "/proc/thread-self/ns/net";

/// A network namespace with a readable name.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    file: File,
    _mount: Option<Mount>,
}

impl Namespace {
    /// Makes a namespace that lasts until the value is dropped, visible as `directory/name`.
    pub fn create(directory: &Path, name: &str) -> Result<Self> {
        let path = directory.join(name);
        File::create(&path).with_context(|| format!("make {}", path.display()))?;
        let mount = in_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).context("unshare the network namespace (needs root)")?;
            Mount::bind(Path::new(OWN), &path)
        })?;
        Ok(Self { _mount: Some(mount), ..Self::open(&path, name)? })
    }

    /// Opens a namespace that somebody else keeps, by the path of its file.
    pub fn open(path: &Path, name: &str) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("open the namespace {}", path.display()))?;
        Ok(Self { name: name.to_owned(), file, _mount: None })
    }

    /// The namespace's name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The open namespace file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Runs `work` inside the namespace, on a thread of its own.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        in_thread(|| {
            setns(&self.file, CloneFlags::CLONE_NEWNET).with_context(|| format!("enter {}", self.name))?;
            work()
        })
    }

    /// Starts a program inside the namespace.
    pub fn spawn(&self, command: Command) -> Result<Process> {
        self.run(|| Process::spawn(command))
    }

    /// Sets a sysctl below `/proc/sys/net`, such as `ipv4/ip_forward`.
    pub fn sysctl(&self, name: &str, value: &str) -> Result<()> {
        self.run(|| {
            fs::write(Path::new("/proc/sys/net").join(name), value)
                .with_context(|| format!("set {name} to {value}"))
        })
    }
}

/// Runs `work` on a new thread and waits for it; a panic goes on in the caller.
fn in_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// A mount that goes with its value.
#[derive(Debug)]
pub struct Mount {
    target: PathBuf,
}

impl Mount {
    fn bind(source: &Path, target: &Path) -> Result<Self> {
        mount(Some(source), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .with_context(|| format!("bind {}", target.display()))?;
        Ok(Self { target: target.to_owned() })
    }

    /// Mounts a fresh BPF file system on `target`.
    pub fn bpffs(target: &Path) -> Result<Self> {
        fs::create_dir_all(target).with_context(|| format!("make {}", target.display()))?;
        mount(Some("bpf"), target, Some("bpf"), MsFlags::empty(), None::<&str>)
            .with_context(|| format!("mount a bpffs on {} (needs root)", target.display()))?;
        Ok(Self { target: target.to_owned() })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Err(error) = umount2(&self.target, MntFlags::MNT_DETACH) {
            eprintln!("unmount {}: {error}", self.target.display());
        }
    }
}
