//! What is in the archive and in the package, looked at from outside.

use std::{fs, path::Path, process::Command};

use anyhow::Result;
use tempfile::TempDir;

use crate::{both, built, file, output};

#[test]
fn two_builds_give_the_same_bytes() -> Result<()> {
    for end in [".deb", ".tar.gz"] {
        let [one, other] = ["one", "two"].map(|build| file(&both()?.join(build), end));
        let (one, other) = (one?, other?);
        assert_eq!(one.file_name(), other.file_name());
        assert!(fs::read(&one)? == fs::read(&other)?, "{} and {} differ", one.display(), other.display());
    }
    Ok(())
}

#[test]
fn the_program_needs_no_other_file() -> Result<()> {
    let unpacked = Unpacked::new()?;
    let program = unpacked.directory().join("usr/bin/netebpf");
    let headers = output(Command::new("readelf").args(["--wide", "--program-headers"]).arg(&program))?;
    assert!(headers.contains("LOAD") && !headers.contains("INTERP"), "{headers}");
    let dynamic = output(Command::new("readelf").args(["--wide", "--dynamic"]).arg(&program))?;
    assert!(!dynamic.contains("NEEDED"), "{dynamic}");
    let symbols = output(Command::new("readelf").args(["--wide", "--section-headers"]).arg(&program))?;
    assert!(!symbols.contains(".symtab") && !symbols.contains(".debug"), "{symbols}");
    Ok(())
}

/// The C library would ask plugins, which a program without a loader cannot have.
#[test]
fn the_program_looks_groups_up_by_itself() -> Result<()> {
    let unpacked = Unpacked::new()?;
    let mut daemon = Command::new(unpacked.directory().join("usr/bin/netebpf"));
    for option in ["--run-dir", "--state-dir", "--bpffs"] {
        daemon.arg(option).arg(unpacked.directory().join(option));
    }
    let refused = daemon.args(["daemon", "--group", "nobodys"]).output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        refused.status.code() == Some(1) && said.contains("there is no group \"nobodys\""),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn lintian_has_nothing_to_say() -> Result<()> {
    let package = file(&built()?, ".deb")?;
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", "--info"]);
    let said = output(lintian.arg(package))?;
    assert_eq!(said, "");
    Ok(())
}

#[test]
fn every_command_has_a_manual_page_that_reads_well() -> Result<()> {
    let unpacked = Unpacked::new()?;
    let said = output(Command::new(unpacked.directory().join("usr/bin/netebpf")).arg("man"))?;
    let titles = said.lines().filter_map(|line| line.strip_prefix(".TH ")?.split(' ').next());
    let mut pages = 0;
    for title in titles {
        let page = unpacked.directory().join(format!("usr/share/man/man1/{title}.1.gz"));
        let text = output(Command::new("gzip").args(["--decompress", "--stdout"]).arg(&page))?;
        assert!(said.contains(&text) && text.contains(".SH NAME"), "{}", page.display());
        pages += 1;
    }
    assert!(pages > 15, "{pages} pages");
    Ok(())
}

#[test]
fn systemd_understands_the_unit() -> Result<()> {
    let unpacked = Unpacked::new()?;
    let unit = unpacked.directory().join("lib/systemd/system/netebpf.service");
    let mut text = fs::read_to_string(&unit)?;
    // Only installed is the program where the unit expects it.
    let program = unpacked.directory().join("usr/bin/netebpf");
    text = text.replace("/usr/bin/netebpf", &program.display().to_string());
    fs::write(&unit, text)?;
    let mut verify = Command::new("systemd-analyze");
    let verified = verify.args(["verify", "--man=no", "--recursive-errors=no"]).arg(&unit).output()?;
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.trim().is_empty(), "{said}");
    Ok(())
}

/// The package's files, unpacked into a folder that goes with its value.
struct Unpacked(TempDir);

impl Unpacked {
    fn new() -> Result<Self> {
        let unpacked = Self(tempfile::tempdir()?);
        let package = file(&built()?, ".deb")?;
        output(Command::new("dpkg-deb").arg("--extract").arg(package).arg(unpacked.directory()))?;
        Ok(unpacked)
    }

    fn directory(&self) -> &Path {
        self.0.path()
    }
}
