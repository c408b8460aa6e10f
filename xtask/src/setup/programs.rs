//! Programs of the system that tests run: iptables to compare with, and those that users know a network by.

use std::path::Path;

use anyhow::Result;

use super::{debian, may_install};
use crate::{
    step::say,
    workspace::{self, Workspace},
};

/// A program and the Debian package that has it.
type Packaged = (&'static str, &'static str);

const IPTABLES: Packaged = ("iptables", "iptables");
const PROGRAMS: &[Packaged] = &[
    IPTABLES,
    ("ping", "iputils-ping"),
    ("ip", "iproute2"),
    ("traceroute", "traceroute"),
    ("curl", "curl"),
    ("dig", "bind9-dnsutils"),
    ("dnsperf", "dnsperf"),
    ("ethtool", "ethtool"),
    ("python3", "python3"),
    ("getent", "libc-bin"),
    ("busybox", "busybox-static"),
    ("musl-gcc", "musl-tools"),
];

const PACKAGING: &[Packaged] = &[
    ("lintian", "lintian"),
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-analyze", "systemd"),
    ("readelf", "binutils"),
];

/// Makes sure that iptables is here, which the demo compares with.
pub(crate) fn comparison(workspace: &Workspace) -> Result<()> {
    install(workspace, &[IPTABLES])
}

/// Makes sure that everything is here which the netns layer runs.
pub(crate) fn programs(workspace: &Workspace) -> Result<()> {
    install(workspace, PROGRAMS)
}

/// Makes sure that everything is here which the dist layer runs.
pub(crate) fn packaging(workspace: &Workspace) -> Result<()> {
    install(workspace, PACKAGING)
}

/// What `setup --check` says about them: a name, and whether it is here.
pub(super) fn report() -> impl Iterator<Item = (&'static str, bool)> {
    PROGRAMS.iter().map(|(program, _)| (*program, is_here(program)))
}

fn install(workspace: &Workspace, wanted: &[Packaged]) -> Result<()> {
    let missing = wanted.iter().filter(|(program, _)| !is_here(program));
    let (programs, packages): (Vec<_>, Vec<_>) = missing.copied().unzip();
    if programs.is_empty() {
        return Ok(());
    }
    let programs = programs.join(", ");
    may_install(&format!("no {programs}, which tests run"), &[debian::command(&packages)])?;
    say(&format!("Programs that tests run are not here: installing {programs}."));
    debian::install(workspace, &packages)
}

fn is_here(program: &str) -> bool {
    // Debian keeps some where only root's PATH leads.
    !workspace::on_path(program).is_empty() || Path::new("/usr/sbin").join(program).is_file()
}
