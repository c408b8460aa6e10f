//! Installs packages with apt-get, or says how to.

use std::{fs, sync::Once};

use anyhow::Result;

use crate::{
    step::{self, say},
    workspace::{self, Workspace},
};

/// Whether this is a system that apt-get manages.
pub(super) fn is_here() -> bool {
    !workspace::on_path("apt-get").is_empty()
}

/// The command that installs these packages, for someone to type.
pub(super) fn command(packages: &[&str]) -> String {
    format!("sudo apt-get update && sudo apt-get install -y --no-install-recommends {}", packages.join(" "))
}

/// Installs these packages; those that are here stay as they are.
pub(super) fn install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    static LISTS: Once = Once::new();
    LISTS.call_once(|| {
        // A foreign source that does not answer must not stop an installation from the others.
        if let Err(error) = step::run("apt-get update", apt(workspace, &["update"])) {
            say(&format!("{error:#}\ngoing on with the package lists that are here"));
        }
    });
    let arguments =
        [&["install", "-y", "--no-install-recommends", "--no-upgrade", "--no-remove"], packages].concat();
    step::run(&format!("apt-get install {}", packages.join(" ")), apt(workspace, &arguments)).map(drop)
}

/// The name of this machine's release, such as `bookworm`.
pub(super) fn codename() -> Option<String> {
    let release = fs::read_to_string("/etc/os-release").ok()?;
    release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).map(str::to_owned)
}

fn apt(workspace: &Workspace, arguments: &[&str]) -> std::process::Command {
    let mut apt = workspace.command("apt-get");
    apt.args(["-o", "Acquire::Retries=5"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    apt
}
