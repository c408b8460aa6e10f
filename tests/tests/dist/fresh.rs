//! A fresh Debian from first installation to purge.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Result, ensure};
use netebpf_tests::{
    residue::{Footprint, assert_nothing_left},
    topology::World,
};

use crate::{built, file, output};

/// All of it takes a quarter of this on two processors.
const DEADLINE: Duration = Duration::from_mins(4);

#[test]
fn a_fresh_debian_installs_uses_removes_and_purges_the_package() -> Result<()> {
    let world = World::new("fresh")?;
    let root = world.directory().join("debian");
    output(
        Command::new("mmdebstrap")
            .args(["--quiet", "--mode=root", "--variant=apt", "--include=adduser,iputils-ping", "bookworm"])
            .arg(&root),
    )?;
    let before = Footprint::of(&world)?;

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dist/fresh.sh");
    let log = world.directory().join("log");
    let said = File::create(&log)?;
    // Mounts and processes of its own go with the script, however that ends.
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "sh"]);
    command.arg(script).arg(&root).arg(file(&built()?, ".deb")?);
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    let status = world.host.spawn(command)?.wait(DEADLINE);
    let said = fs::read_to_string(&log)?;
    ensure!(status.as_ref().is_ok_and(ExitStatus::success), "{status:?}:\n{said}");
    assert_nothing_left(&world, &before)
}
