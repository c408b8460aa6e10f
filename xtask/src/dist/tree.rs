//! A directory whose files go into an archive or a package: each with its mode, all equally old.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

use crate::{step, workspace::Workspace};

/// Who may do what with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All may read it.
    Data,
    /// All may run it as well.
    Program,
}

/// A directory that begins empty.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    workspace: &'a Workspace,
    root: PathBuf,
}

impl<'a> Tree<'a> {
    /// Makes the directory; what was in it is removed.
    pub(super) fn new(workspace: &'a Workspace, root: PathBuf) -> Result<Self> {
        match fs::remove_dir_all(&root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot empty {}", root.display()));
            }
            _ => {}
        }
        fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        Ok(Self { workspace, root })
    }

    /// Where it is.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Adds a file with these contents, and the directories it is in.
    pub(super) fn write(&self, path: &str, mode: Mode, contents: impl AsRef<[u8]>) -> Result<PathBuf> {
        let file = self.root.join(path);
        let written = || {
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&file, contents)?;
            fs::set_permissions(&file, mode.permissions())
        };
        written().with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Adds a copy of a file; its source is absolute, or below the workspace's root.
    pub(super) fn copy(&self, source: impl AsRef<Path>, path: &str, mode: Mode) -> Result<PathBuf> {
        let source = self.workspace.root().join(source);
        let contents = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
        self.write(path, mode, contents)
    }

    /// Compresses a file that was added, as Debian wants documents to be.
    pub(super) fn compress(&self, file: &Path) -> Result<()> {
        let mut gzip = self.workspace.command("gzip");
        gzip.args(["--best", "--no-name"]).arg(file);
        let output = gzip.output().context("cannot start gzip")?;
        anyhow::ensure!(output.status.success(), "`{}` failed", step::display(&gzip));
        Ok(())
    }

    /// The size of all files and directories as the field `Installed-Size` counts it, in KiB (deb-substvars(5)).
    pub(super) fn size(&self) -> Result<u64> {
        let mut size = 0;
        walk(&self.root, &mut |path| {
            let found = fs::symlink_metadata(path)?;
            size += if found.is_dir() { 1 } else { found.len().div_ceil(1024) };
            Ok(())
        })?;
        Ok(size)
    }

    /// The regular files, by their paths below the root, sorted.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        walk(&self.root, &mut |path| {
            if path.is_file() {
                files.push(path.strip_prefix(&self.root)?.to_owned());
            }
            Ok(())
        })?;
        files.sort();
        Ok(files)
    }

    /// Gives directories their mode, and everything the same age; nothing may be added afterwards.
    pub(super) fn finish(&self, time: SystemTime) -> Result<()> {
        walk(&self.root, &mut |path| {
            if path.is_dir() {
                fs::set_permissions(path, Mode::Program.permissions())?;
            }
            Ok(File::open(path)?.set_modified(time)?)
        })
    }
}

impl Mode {
    fn permissions(self) -> Permissions {
        Permissions::from_mode(match self {
            Self::Data => 0o644,
            Self::Program => 0o755,
        })
    }
}

/// Shows `visit` everything below a directory, and then the directory.
fn walk(directory: &Path, visit: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { walk(&entry.path(), visit)? } else { visit(&entry.path())? }
    }
    visit(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_the_same_whoever_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::locate();
        let tree = Tree::new(&workspace, folder.path().join("tree")).unwrap();
        tree.write("usr/bin/b", Mode::Program, "1").unwrap();
        tree.write("etc/a", Mode::Data, vec![0; 1025]).unwrap();
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        tree.finish(time).unwrap();
        assert_eq!(tree.files().unwrap(), [PathBuf::from("etc/a"), PathBuf::from("usr/bin/b")]);
        assert_eq!(tree.size().unwrap(), 4 + 1 + 2);
        for (path, mode) in [("usr/bin/b", 0o755), ("etc/a", 0o644), ("usr", 0o755)] {
            let found = fs::metadata(tree.root().join(path)).unwrap();
            assert_eq!(found.permissions().mode() & 0o7777, mode, "{path}");
            assert_eq!(found.modified().unwrap(), time, "{path}");
        }
        Tree::new(&workspace, tree.root().to_owned()).unwrap();
        assert_eq!(fs::read_dir(tree.root()).unwrap().count(), 0);
    }
}
