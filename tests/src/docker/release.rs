//! Where is a Docker Engine to compare with? In a root file system that `cargo xtask setup docker` made.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// Names the folder that has the root file systems.
const VARIABLE: &str = "NETEBPF_DOCKER_RELEASES";

/// A release of Debian with its Docker Engine, as a root file system that is only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Not released yet: the newest Docker Engine of Debian that can always be installed.
    Forky,
}

impl Release {
    const fn name(self) -> &'static str {
        match self {
            Self::Forky => "forky",
        }
    }

    /// The release's root directory.
    pub fn root(self) -> Result<PathBuf> {
        let root = folder()?.join(self.name());
        if root.join("usr/sbin/dockerd").is_file() {
            return Ok(root);
        }
        bail!("no Docker Engine in {}; `cargo xtask setup docker` puts one there", root.display());
    }
}

/// Set by xtask; otherwise beside the folder of the build profile that this program is from.
fn folder() -> Result<PathBuf> {
    if let Some(set) = env::var_os(VARIABLE) {
        return Ok(set.into());
    }
    let this = env::current_exe()?;
    let mut candidates = this.ancestors().skip(1).map(|folder| folder.join("docker"));
    let found = candidates.find(|folder| Path::new(folder).is_dir());
    found.with_context(|| {
        format!("no folder `docker` above {}; `cargo xtask setup docker` makes one", this.display())
    })
}
