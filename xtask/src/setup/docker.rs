//! `cargo xtask setup docker`: a release of Debian with its Docker Engine, for the test layer docker.
//!
//! It is a root file system below `target/docker`, made by mmdebstrap; nothing of it is installed on this machine. A later
//! run downloads nothing; who wants a newer engine removes the folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{debian, may_install};
use crate::{
    step::{self, say},
    workspace::{self, Workspace},
};

/// The release with the newest engine that can always be installed: Debian's next one.
const SUITE: &str = "forky";

/// What makes a root file system from packages.
const MMDEBSTRAP: &str = "mmdebstrap";

/// The engine, its client, and what scenarios run.
const PACKAGES: &[&str] =
    &["docker.io", "docker-cli", "containerd", "runc", "iptables", "iproute2", "busybox-static"];

/// How often it is tried: what a mirror has while it is being updated may not fit together.
const ATTEMPTS: usize = 3;

/// The folder of the releases; tests look for it beside the build profiles' folders.
fn directory(workspace: &Workspace) -> PathBuf {
    workspace.target().join("docker")
}

/// Makes the release, unless it is here, and says which engine it has.
pub(crate) fn engine(workspace: &Workspace) -> Result<()> {
    let root = directory(workspace).join(SUITE);
    if version(&root).is_none() {
        bootstrap(workspace, &root)?;
    }
    let version = version(&root).with_context(|| format!("no Docker Engine in {}", root.display()))?;
    say(&format!("Docker Engine {version}, of Debian {SUITE}, is in {}", root.display()));
    Ok(())
}

fn bootstrap(workspace: &Workspace, root: &Path) -> Result<()> {
    may_install("no Docker Engine to compare with", &[debian::command(&[MMDEBSTRAP])])?;
    say(&format!(
        "Making a root file system of Debian {SUITE} with Docker's engine: 100 MB of downloads, once."
    ));
    if workspace::on_path(MMDEBSTRAP).is_empty() {
        debian::install(workspace, &[MMDEBSTRAP])?;
    }
    fs::create_dir_all(directory(workspace))?;
    let unfinished = root.with_extension("unfinished");
    remove(root)?;
    let mut attempt = 1;
    loop {
        // Whatever has this name was broken off, and has no mounts: they are made in a namespace that is gone.
        remove(&unfinished)?;
        match step::run(&format!("{MMDEBSTRAP} {SUITE}"), command(workspace, &unfinished)) {
            Ok(_) => break,
            Err(error) if attempt < ATTEMPTS => say(&format!("{error:#}\ntrying again")),
            Err(error) => {
                return Err(error.context(format!(
                    "no Docker Engine to compare with: {ATTEMPTS} times Debian {SUITE} was not to be had"
                )));
            }
        }
        attempt += 1;
    }
    fs::rename(&unfinished, root).context("name the finished root file system")
}

fn remove(root: &Path) -> Result<()> {
    if root.exists() {
        fs::remove_dir_all(root).with_context(|| format!("remove {}", root.display()))?;
    }
    Ok(())
}

fn command(workspace: &Workspace, root: &Path) -> Command {
    let mut command = workspace.command(MMDEBSTRAP);
    // A release that changes every day is signed for a week: a mirror or a clock may be late.
    command.args([
        "--variant=minbase",
        "--skip=check/empty",
        "--aptopt=Acquire::Check-Valid-Until \"false\"",
        "--aptopt=Acquire::Retries \"5\"",
    ]);
    command.arg(format!("--include={}", PACKAGES.join(","))).arg(SUITE).arg(root);
    command
}

/// The version of the engine in a root file system, as its package has it.
fn version(root: &Path) -> Option<String> {
    let status = fs::read_to_string(root.join("var/lib/dpkg/status")).ok()?;
    version_of("docker.io", &status).filter(|_| root.join("usr/sbin/dockerd").is_file())
}

/// The version of an installed package, by the file in which dpkg notes them.
fn version_of(package: &str, status: &str) -> Option<String> {
    let mut entries = status.split("\n\n");
    let entry = entries
        .find(|entry| entry.lines().next().is_some_and(|line| line == format!("Package: {package}")))?;
    entry.lines().find_map(|line| line.strip_prefix("Version: ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn a_package_is_found_by_its_whole_name() {
        let status = "Package: docker.io-doc\nVersion: 1\n\nPackage: docker.io\nStatus: install ok installed\nVersion: 28.5.2\n";
        assert_eq!(version_of("docker.io", status).as_deref(), Some("28.5.2"));
        assert_eq!(version_of("docker", status), None);
    }
}
