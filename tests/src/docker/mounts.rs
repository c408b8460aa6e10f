//! What does a machine see of the file system? A release of Debian that it may write to, and nothing of what it writes
//! outlives it.
//!
//! Everything here is for a thread that has a mount namespace of its own.

use std::{
    fs::{self, File},
    os::{fd::AsRawFd as _, unix::fs::symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::{chdir, pivot_root},
};

/// Where the machine's files come to be before it has them as its root.
const STAGE: &str = "/mnt";

/// File systems in memory that every machine has for itself. An overlay cannot hold Docker's overlays, so its state is in
/// one as well.
const MEMORY: &[&str] = &["run", "tmp", "var/lib/docker", "var/lib/containerd", "var/lib/netebpf"];

/// What a machine has for a root.
#[derive(Debug, Clone)]
pub(super) struct Root {
    /// A root directory that is only read.
    pub(super) release: PathBuf,
    /// Programs of this machine and the names they get in `/usr/local/bin` of the other.
    pub(super) programs: Vec<(PathBuf, &'static str)>,
    /// Files and what is in them.
    pub(super) files: Vec<(&'static str, String)>,
}

impl Root {
    /// Makes this the root of the calling thread, which has just come into network, process and mount namespaces of its own.
    pub(super) fn enter(&self) -> Result<()> {
        // Nothing that is mounted from now on may be seen elsewhere.
        change("/", MsFlags::MS_REC | MsFlags::MS_PRIVATE)?;
        // The release, and the folders it is in, may lie where the stage hides them.
        let release =
            File::open(&self.release).with_context(|| format!("open {}", self.release.display()))?;
        let programs = self.programs.iter().map(|(path, name)| Ok((File::open(path)?, *name)));
        let programs = programs.collect::<Result<Vec<_>>>()?;
        let stage = Path::new(STAGE);
        fresh("tmpfs", stage)?;
        let root = stage.join("root");
        for folder in ["lower", "upper", "work", "root"] {
            fs::create_dir(stage.join(folder))?;
        }
        bind(&opened(&release), &stage.join("lower"))?;
        overlay(stage, &root)?;
        fresh("sysfs", &root.join("sys"))?;
        fresh("bpf", &root.join("sys/fs/bpf"))?;
        bind(Path::new("/sys/fs/cgroup"), &root.join("sys/fs/cgroup"))?;
        bind(Path::new("/dev"), &root.join("dev"))?;
        for folder in MEMORY {
            fs::create_dir_all(root.join(folder))?;
            fresh("tmpfs", &root.join(folder))?;
        }
        fs::create_dir_all(root.join("run/lock"))?;
        for (program, name) in &programs {
            let place = root.join("usr/local/bin").join(name);
            File::create(&place)?;
            bind(&opened(program), &place)?;
        }
        for (path, text) in &self.files {
            let path = root.join(path.trim_start_matches('/'));
            // What the release has may be a link to somewhere else.
            drop(fs::remove_file(&path));
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
        drop(symlink("/proc/mounts", root.join("etc/mtab")));
        become_root(&root)
    }
}

/// The open file's own name; `/proc` is that of the caller's old root.
fn opened(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/thread-self/fd/{}", file.as_raw_fd()))
}

fn become_root(root: &Path) -> Result<()> {
    chdir(root)?;
    // The old root comes to lie on top of the new one, and is taken away from there.
    pivot_root(".", ".").context("change the root directory")?;
    umount2(".", MntFlags::MNT_DETACH).context("leave the old root directory")?;
    Ok(chdir("/")?)
}

fn overlay(stage: &Path, target: &Path) -> Result<()> {
    let stage = stage.display();
    let options = format!("lowerdir={stage}/lower,upperdir={stage}/upper,workdir={stage}/work");
    mount(Some("overlay"), target, Some("overlay"), MsFlags::empty(), Some(options.as_str()))
        .with_context(|| format!("mount an overlay with {options}"))
}

fn fresh(kind: &str, target: &Path) -> Result<()> {
    mount(Some(kind), target, Some(kind), MsFlags::empty(), None::<&str>)
        .with_context(|| format!("mount a {kind} on {}", target.display()))
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .with_context(|| format!("bind {} to {}", source.display(), target.display()))
}

fn change(target: &str, flags: MsFlags) -> Result<()> {
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>)
        .with_context(|| format!("change how {target} is mounted"))
}
