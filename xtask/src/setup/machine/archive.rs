//! Debian's archive, asked without touching what apt knows of this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{step, workspace::Workspace};

const SERVER: &str = "http://deb.debian.org/debian";
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What apt is told is installed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Status {
    /// Nothing, so that a download does not depend on it.
    NothingInstalled,
    /// What is, so that it can be installed to.
    ThisMachine,
}

/// Some suites of the archive, with an apt configuration and lists of their own.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    workspace: &'a Workspace,
    home: PathBuf,
    suites: String,
}

impl<'a> Archive<'a> {
    /// Downloads the suites' lists of packages.
    pub(super) fn open(
        workspace: &'a Workspace,
        directory: &Path,
        suites: &[&str],
        status: Status,
    ) -> Result<Self> {
        let home = directory.join("apt").join(suites.join("+"));
        for folder in ["lists/partial", "cache/archives/partial", "packages"] {
            fs::create_dir_all(home.join(folder))?;
        }
        let sources = suites.iter().map(|suite| format!("deb [signed-by={KEYS}] {SERVER} {suite} main\n"));
        fs::write(home.join("sources.list"), sources.collect::<String>())?;
        fs::write(home.join("nothing"), "")?;
        let status = match status {
            Status::NothingInstalled => home.join("nothing"),
            Status::ThisMachine => PathBuf::from("/var/lib/dpkg/status"),
        };
        fs::write(home.join("apt.conf"), configuration(&home, &status))?;
        let archive = Self { workspace, home, suites: suites.join(", ") };
        step::run(&format!("list the packages of {}", archive.suites), archive.apt("apt-get", &["update"]))?;
        Ok(archive)
    }

    /// The packages that a package depends on.
    pub(super) fn depends(&self, package: &str) -> Result<Vec<String>> {
        let output = self.apt("apt-cache", &["show", "--no-all-versions", package]).output()?;
        if !output.status.success() {
            bail!("{} has no {package}: {}", self.suites, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(depends(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Downloads packages and unpacks them into a folder.
    pub(super) fn unpack(&self, packages: &[String], root: &Path) -> Result<()> {
        let folder = self.home.join("packages");
        fs::remove_dir_all(&folder)?;
        fs::create_dir_all(&folder)?;
        let mut download = self.apt("apt-get", &["download"]);
        download.args(packages).current_dir(&folder);
        step::run(&format!("download {} from {}", packages.join(", "), self.suites), download)?;
        fs::create_dir_all(root)?;
        for package in fs::read_dir(&folder)? {
            let package = package?.path();
            let mut unpack = self.workspace.command("dpkg-deb");
            unpack.arg("--extract").arg(&package).arg(root);
            let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
            step::run(&format!("unpack {name}"), unpack)?;
        }
        fs::remove_dir_all(&folder).context("remove the unpacked packages")
    }

    /// Installs a package, and what it needs, on this machine, preferably from one of the suites.
    pub(super) fn install(&self, suite: &str, package: &str) -> Result<()> {
        let arguments = ["install", "-y", "--no-install-recommends", "--no-remove", "-t", suite, package];
        step::run(&format!("install {package} from {suite}"), self.apt("apt-get", &arguments)).map(drop)
    }

    fn apt(&self, program: &str, arguments: &[&str]) -> Command {
        let mut apt = self.workspace.command(program);
        apt.args(arguments).env("APT_CONFIG", self.home.join("apt.conf"));
        apt.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
        apt
    }
}

fn configuration(home: &Path, status: &Path) -> String {
    let (home, status) = (home.display(), status.display());
    format!(
        "Dir::Etc::SourceList \"{home}/sources.list\";\n\
         Dir::Etc::SourceParts \"-\";\n\
         Dir::State \"{home}\";\n\
         Dir::State::status \"{status}\";\n\
         Dir::Cache \"{home}/cache\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
         APT::Sandbox::User \"root\";\n"
    )
}

/// The names in the `Depends` field of a package's description; of alternatives the first.
fn depends(description: &str) -> Vec<String> {
    let field = description.lines().find_map(|line| line.strip_prefix("Depends:")).unwrap_or_default();
    let name = |wanted: &str| wanted.split_whitespace().next().map(str::to_owned);
    field.split(',').filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::depends;

    #[test]
    fn dependencies_are_names_without_versions_and_alternatives() {
        let description =
            "Package: linux-image-7\nDepends: dracut | initramfs-tools (>= 0.120), linux-binary-7 (= 7.2)\n";
        assert_eq!(depends(description), ["dracut", "linux-binary-7"]);
        assert_eq!(depends("Package: nothing\n"), [""; 0]);
    }
}
