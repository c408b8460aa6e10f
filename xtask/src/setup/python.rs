//! The Docker package for Python, which the netns layer puts to netebpf's socket.
//!
//! It is in a virtual environment below `target/python`; nothing of it is installed on this machine.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::ask;
use crate::{
    step::{self, say},
    workspace::Workspace,
};

/// The package and what it needs, at the versions that the test was written for.
const PACKAGES: &[&str] = &[
    "docker==7.1.0",
    "certifi==2026.10.18",
    "charset-normalizer==3.5.2",
    "idna==3.20",
    "requests==2.34.2",
    "urllib3==2.8.0",
];

/// The folder of the environment; tests look for it beside the build profiles' folders.
fn directory(workspace: &Workspace) -> PathBuf {
    workspace.target().join("python")
}

/// Makes the environment, unless it is here with these versions.
pub(crate) fn docker_package(workspace: &Workspace) -> Result<()> {
    let environment = directory(workspace);
    let pip = environment.join("bin/pip");
    if is_complete(workspace, &pip) {
        return Ok(());
    }
    say("Making an environment for Python with the docker package from PyPI: 1 MB of downloads, once.");
    let mut make = workspace.command(Path::new("python3"));
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    step::run("make an environment for Python (Debian: python3-venv)", make)?;
    let mut install = workspace.command(&pip);
    install.args(["install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
    step::run("install the docker package", install).map(drop)
}

fn is_complete(workspace: &Workspace, pip: &Path) -> bool {
    let installed = ask(workspace, pip, &["freeze", "--disable-pip-version-check"]).unwrap_or_default();
    PACKAGES.iter().all(|package| installed.lines().any(|line| line == *package))
}
