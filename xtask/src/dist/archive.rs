//! The archive for distributions without packages: program, documents, completions and unit in one directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{
    Release,
    documents::{self, SHELLS},
    tree::{Mode, Tree},
};
use crate::{step, workspace::Workspace};

/// Packs it into a directory and returns its path.
pub(super) fn pack(workspace: &Workspace, release: &Release, out: &Path) -> Result<PathBuf> {
    let name = format!("netebpf-{}-linux-{}", release.version, release.architecture);
    let tree = Tree::new(workspace, out.join(&name))?;
    tree.copy(&release.program, "netebpf", Mode::Program)?;
    for document in ["README.md", "CHANGELOG.md", "LICENSE", "LICENSE-MIT", "LICENSE-APACHE"] {
        tree.copy(document, document, Mode::Data)?;
    }
    tree.copy("netebpf/packaging/netebpf.service", "systemd/netebpf.service", Mode::Data)?;
    for page in documents::pages(workspace, &release.program)? {
        tree.write(&format!("man/man1/{}", page.file), Mode::Data, page.text)?;
    }
    for (shell, file) in SHELLS {
        let script = documents::completions(workspace, &release.program, shell)?;
        tree.write(&format!("completions/{shell}/{file}"), Mode::Data, script)?;
    }
    tree.finish(release.time)?;

    let plain = out.join(format!("{name}.tar"));
    let mut tar = workspace.command("tar");
    tar.args(["--create", "--format=gnu", "--sort=name", "--owner=root:0", "--group=root:0", "--file"]);
    tar.arg(&plain).arg("--directory").arg(out).arg(&name);
    step::run("pack the archive", tar)?;
    let mut gzip = workspace.command("gzip");
    gzip.args(["--best", "--no-name", "--force"]).arg(&plain);
    step::run("compress the archive", gzip)?;
    std::fs::remove_dir_all(tree.root()).context("cannot remove what is in the archive")?;
    Ok(out.join(format!("{name}.tar.gz")))
}
