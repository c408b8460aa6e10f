//! `cargo xtask setup vm`: what virtual machines with Debian's kernels are made of: qemu, busybox and the kernels.
//!
//! All of it but qemu stays below `target/vm`; a later run downloads nothing.

mod archive;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use self::archive::{Archive, Status};
use super::{debian, may_install};
use crate::{
    step::say,
    workspace::{self, Workspace},
};

/// Debian's suites that kernels are taken from: one that is too old, so that the daemon must say what it lacks, those of
/// the current releases, and the newest there is.
const SUITES: [(&str, Support); 4] = [
    ("bullseye", Support::TooOld),
    ("bookworm", Support::Supported),
    ("bookworm-backports", Support::Supported),
    ("sid", Support::Supported),
];

/// Whether netebpf is to run on a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    /// It is.
    Supported,
    /// It is to refuse with a reason.
    TooOld,
}

/// Depends on the newest kernel for virtual machines, which has no drivers for anything else.
const KERNEL: &str = "linux-image-cloud-amd64";

const QEMU: &str = "qemu-system-x86_64";
const QEMU_PACKAGE: &str = "qemu-system-x86";
const BUSYBOX: &str = "busybox-static";

/// What boots.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The emulator.
    pub(crate) qemu: PathBuf,
    /// The guest's shell and tools in one static program.
    pub(crate) busybox: PathBuf,
    /// One for each suite.
    pub(crate) kernels: Vec<Kernel>,
}

/// An unpacked kernel.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Release, as `uname -r` prints it.
    pub(crate) release: String,
    /// The file that qemu starts.
    pub(crate) image: PathBuf,
    /// The folder of its modules.
    pub(crate) modules: PathBuf,
    /// Whether netebpf is to run on it.
    pub(crate) support: Support,
}

/// Whether kernels that are here are good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Yes: nothing is asked of Debian's servers for them.
    AsTheyAre,
    /// No: the newest of each suite is wanted.
    Newest,
}

/// Where virtual machines have their files.
pub(crate) fn directory(workspace: &Workspace) -> PathBuf {
    workspace.target().join("vm")
}

/// All parts; what is missing is downloaded.
pub(crate) fn parts(workspace: &Workspace, freshness: Freshness) -> Result<Parts> {
    if env::consts::ARCH != "x86_64" {
        bail!("virtual machines are only for x86_64 so far, this machine is {}", env::consts::ARCH);
    }
    let directory = directory(workspace);
    let qemu = match workspace::on_path(QEMU).into_iter().next() {
        Some(found) => found,
        None => install_qemu(workspace, &directory)?,
    };
    let busybox = busybox(workspace, &directory)?;
    let kernels = SUITES.iter().map(|&(suite, support)| {
        let kernel = kernel(workspace, &directory, suite, freshness)?;
        Ok(Kernel { support, ..kernel })
    });
    Ok(Parts { qemu, busybox, kernels: kernels.collect::<Result<_>>()? })
}

/// The kernel of a suite.
fn kernel(workspace: &Workspace, directory: &Path, suite: &str, freshness: Freshness) -> Result<Kernel> {
    let root = directory.join(suite).join("kernel");
    if freshness == Freshness::AsTheyAre
        && let Some(kernel) = unpacked(&root)
    {
        return Ok(kernel);
    }
    let archive = Archive::open(workspace, directory, &[suite], Status::NothingInstalled)?;
    let depends = |package: &str, kinds: &[&str]| -> Result<Vec<String>> {
        let all = archive.depends(package)?;
        Ok(all.into_iter().filter(|name| kinds.iter().any(|kind| name.starts_with(kind))).collect())
    };
    let image = depends(KERNEL, &["linux-image-"])?;
    let image = image.first().with_context(|| format!("{KERNEL} in {suite} depends on no kernel"))?;
    let release = image.trim_start_matches("linux-image-");
    if unpacked(&root).is_some_and(|kernel| kernel.release == release) {
        say(&format!("{suite}: Linux {release} is here and the newest"));
    } else {
        // Kernels from 7.x on are in two packages, and the image is an empty one.
        let mut packages = vec![image.clone()];
        packages.extend(depends(image, &["linux-binary-", "linux-modules-"])?);
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        archive.unpack(&packages, &root)?;
    }
    unpacked(&root).with_context(|| format!("no kernel in the packages that {image} of {suite} consists of"))
}

/// Finds a kernel in a folder of unpacked packages.
fn unpacked(root: &Path) -> Option<Kernel> {
    let homes = [root.join("usr/lib/modules"), root.join("lib/modules")];
    let modules = homes.iter().find_map(|home| fs::read_dir(home).ok()?.next()?.ok())?.path();
    let release = modules.file_name()?.to_str()?.to_owned();
    let images = [modules.join("vmlinuz"), root.join(format!("boot/vmlinuz-{release}"))];
    let image = images.into_iter().find(|image| image.is_file())?;
    Some(Kernel { release, image, modules, support: Support::Supported })
}

fn busybox(workspace: &Workspace, directory: &Path) -> Result<PathBuf> {
    let root = directory.join("busybox");
    let program = root.join("bin/busybox");
    if !program.is_file() {
        let archive = Archive::open(workspace, directory, &["bookworm"], Status::NothingInstalled)?;
        archive.unpack(&[BUSYBOX.to_owned()], &root)?;
    }
    Ok(program)
}

/// Installs qemu from the machine's own package sources, or else from the backports to its release.
fn install_qemu(workspace: &Workspace, directory: &Path) -> Result<PathBuf> {
    may_install(&format!("no {QEMU}"), &[debian::command(&[QEMU_PACKAGE])])?;
    say("qemu is not here: installing it, because kernels are started in it.");
    if let Err(error) = debian::install(workspace, &[QEMU_PACKAGE]) {
        say(&format!("{error:#}\ntrying the backports"));
        let release = debian::codename().context("/etc/os-release names no VERSION_CODENAME")?;
        let backports = format!("{release}-backports");
        let archive = Archive::open(workspace, directory, &[&release, &backports], Status::ThisMachine)?;
        archive.install(&backports, QEMU_PACKAGE)?;
    }
    workspace::on_path(QEMU).into_iter().next().with_context(|| format!("{QEMU_PACKAGE} holds no {QEMU}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_found_in_both_layouts() {
        for (modules, image) in [
            ("lib/modules/6.1.0-1", "boot/vmlinuz-6.1.0-1"),
            ("usr/lib/modules/7.2.1", "usr/lib/modules/7.2.1/vmlinuz"),
        ] {
            let root = tempfile::tempdir().unwrap();
            assert!(unpacked(root.path()).is_none());
            fs::create_dir_all(root.path().join(modules)).unwrap();
            fs::create_dir_all(root.path().join("boot")).unwrap();
            fs::write(root.path().join(image), "").unwrap();
            let kernel = unpacked(root.path()).unwrap();
            assert!(modules.ends_with(&kernel.release), "{kernel:?}");
        }
    }
}
