//! The Debian package: files where Debian keeps them, and what dpkg is told about them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::{
    Release,
    documents::{self, SHELLS},
    tree::{Mode, Tree},
};
use crate::{step, workspace::Workspace};

/// Whom a package's users write to; Debian's tools want an address in every package.
const MAINTAINER: &str = "The netebpf contributors <maintainers@netebpf.invalid>";

/// Where the scripts and templates are.
const SOURCES: &str = "netebpf/packaging/debian";

/// Where each shell looks for completion scripts of packages.
const COMPLETIONS: [&str; 3] = [
    "usr/share/bash-completion/completions",
    "usr/share/zsh/vendor-completions",
    "usr/share/fish/vendor_completions.d",
];

/// Packs it into a directory and returns its path.
pub(super) fn pack(workspace: &Workspace, release: &Release, out: &Path) -> Result<PathBuf> {
    let name = format!("netebpf_{}_{}", release.version, release.architecture);
    let tree = Tree::new(workspace, out.join(&name))?;
    add_files(&tree, workspace, release)?;
    add_documents(&tree, workspace, release)?;
    // Its size is that of what gets installed, so this comes last.
    add_control(&tree, workspace, release)?;
    tree.finish(release.time)?;

    let package = out.join(format!("{name}.deb"));
    let mut dpkg = workspace.command("dpkg-deb");
    dpkg.args(["--root-owner-group", "-Zxz", "--build"]).arg(tree.root()).arg(&package);
    dpkg.env("SOURCE_DATE_EPOCH", release.seconds()?.to_string());
    step::run("pack the Debian package", dpkg)?;
    fs::remove_dir_all(tree.root()).context("cannot remove what is in the package")?;
    Ok(package)
}

fn add_files(tree: &Tree<'_>, workspace: &Workspace, release: &Release) -> Result<()> {
    tree.copy(&release.program, "usr/bin/netebpf", Mode::Program)?;
    let unit = "lib/systemd/system/netebpf.service";
    tree.copy("netebpf/packaging/netebpf.service", unit, Mode::Data)?;
    for ((shell, file), directory) in SHELLS.into_iter().zip(COMPLETIONS) {
        let script = documents::completions(workspace, &release.program, shell)?;
        tree.write(&format!("{directory}/{file}"), Mode::Data, script)?;
    }
    let overrides = format!("{SOURCES}/lintian-overrides");
    tree.copy(overrides, "usr/share/lintian/overrides/netebpf", Mode::Data).map(drop)
}

fn add_documents(tree: &Tree<'_>, workspace: &Workspace, release: &Release) -> Result<()> {
    let folder = "usr/share/doc/netebpf";
    tree.copy(format!("{SOURCES}/copyright"), &format!("{folder}/copyright"), Mode::Data)?;
    let mut compressed = vec![
        tree.copy("README.md", &format!("{folder}/README.md"), Mode::Data)?,
        tree.copy("CHANGELOG.md", &format!("{folder}/CHANGELOG.md"), Mode::Data)?,
        tree.write(&format!("{folder}/changelog"), Mode::Data, changelog(workspace, release)?)?,
    ];
    for page in documents::pages(workspace, &release.program)? {
        compressed.push(tree.write(&format!("usr/share/man/man1/{}", page.file), Mode::Data, page.text)?);
    }
    compressed.iter().try_for_each(|file| tree.compress(file))
}

fn add_control(tree: &Tree<'_>, workspace: &Workspace, release: &Release) -> Result<()> {
    let sums = checksums(tree, workspace)?;
    let template = workspace.root().join(SOURCES).join("control");
    let template =
        fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
    let control = filled(
        &template,
        &[
            ("VERSION", &release.version),
            ("ARCHITECTURE", release.architecture),
            ("MAINTAINER", MAINTAINER),
            ("INSTALLED_SIZE", &tree.size()?.to_string()),
        ],
    );
    tree.write("DEBIAN/control", Mode::Data, control)?;
    tree.write("DEBIAN/md5sums", Mode::Data, sums)?;
    for script in ["postinst", "prerm", "postrm"] {
        tree.copy(format!("{SOURCES}/{script}"), &format!("DEBIAN/{script}"), Mode::Program)?;
    }
    Ok(())
}

/// The package's own changelog (deb-changelog(5)), which points to the one for users.
fn changelog(workspace: &Workspace, release: &Release) -> Result<String> {
    let mut date = workspace.command("date");
    date.args(["--utc", "--rfc-email", "--date", &format!("@{}", release.seconds()?)]).env("LC_ALL", "C");
    let date = output(date)?;
    let version = &release.version;
    Ok(format!(
        "netebpf ({version}) unstable; urgency=medium\n\n  \
         * Version {version}; CHANGELOG.md.gz beside this file says what is new.\n\n \
         -- {MAINTAINER}  {}\n",
        date.trim()
    ))
}

/// What `dpkg --verify` compares files with.
fn checksums(tree: &Tree<'_>, workspace: &Workspace) -> Result<String> {
    let mut md5sum = workspace.command("md5sum");
    md5sum.current_dir(tree.root()).args(tree.files()?);
    output(md5sum)
}

fn filled(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}

fn output(mut command: Command) -> Result<String> {
    let typed = step::display(&command);
    let output = command.output().with_context(|| format!("cannot start `{typed}`"))?;
    ensure!(output.status.success(), "`{typed}` ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_template_is_filled() {
        let template = fs::read_to_string(Workspace::locate().root().join(SOURCES).join("control")).unwrap();
        let names = ["VERSION", "ARCHITECTURE", "MAINTAINER", "INSTALLED_SIZE"];
        let control = filled(&template, &names.map(|name| (name, "1")));
        assert!(control.contains("\nVersion: 1\n"), "{control}");
        assert!(!control.lines().any(|line| line.contains(": @")), "{control}");
    }
}
