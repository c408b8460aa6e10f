//! `cargo xtask test vm`: do the programs load, and the core tests hold, on Debian's kernels?
//!
//! Each kernel starts in qemu, by software emulation, from an initramfs with netebpf, its tests and little else. What the
//! guest says on its serial console is the result; all of it is kept below `target/vm`.

mod guest;
mod initramfs;
mod modules;
mod report;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use self::{
    initramfs::Initramfs,
    report::{Machine, Outcome},
};
use super::{Tally, core};
use crate::{
    setup::{self, Freshness, Kernel, Parts},
    step::{self, Show, say},
    workspace::Workspace,
};

/// How long a machine may run before it is ended; it needs a quarter of this where nothing else runs.
const DEADLINE: Duration = Duration::from_mins(45);

/// Ends a command after a time, with an exit code of its own.
const TIMEOUT: &str = "timeout";
const TIMED_OUT: i32 = 124;

/// Memory for the maps of some engines, and two processors, without which no race is seen. A processor of few features is
/// emulated a third faster, and mitigations, which guard against nothing here, make each system call flush its caches. The
/// processor's own clock is not used: its rate is measured when the guest starts, and wrongly if the host is busy then.
#[rustfmt::skip]
const MACHINE: &[&str] = &[
    "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-M", "q35", "-m", "3072",
    "-nographic", "-nodefaults", "-no-reboot", "-append", "console=ttyS0 quiet panic=-1 mitigations=off tsc=unstable",
];

/// Starts every kernel, or those whose release begins with `only`; what came of it is printed and written to `target/kernels.md`.
pub(super) fn run(workspace: &Workspace, only: Option<&str>) -> Result<Tally> {
    let parts = setup::machines(workspace, Freshness::AsTheyAre)?;
    let programs = programs(workspace)?;
    let mut machines = Vec::new();
    for kernel in
        parts.kernels.iter().filter(|kernel| only.is_none_or(|only| is_meant(&kernel.release, only)))
    {
        machines.push(boot(workspace, &parts, kernel, &programs)?);
    }
    if machines.is_empty() {
        let releases: Vec<_> = parts.kernels.iter().map(|kernel| kernel.release.as_str()).collect();
        bail!(
            "no kernel's release begins with {}; there are {}",
            only.unwrap_or_default(),
            releases.join(", ")
        );
    }
    let table = report::table(&machines);
    let file = workspace.target().join("kernels.md");
    fs::write(&file, &table).with_context(|| format!("write {}", file.display()))?;
    say(&format!("\n{table}"));
    Ok(machines.iter().fold(Tally::default(), |mut sum, machine| {
        sum.add(machine.tally());
        sum
    }))
}

/// Whether somebody who types `only` means a release: 6.1 is the beginning of 6.1.0, but not of 6.12.
fn is_meant(release: &str, only: &str) -> bool {
    let rest = release.strip_prefix(only);
    rest.is_some_and(|rest| !(only.ends_with(char::is_numeric) && rest.starts_with(char::is_numeric)))
}

/// The guest's programs by their names there.
fn programs(workspace: &Workspace) -> Result<Vec<(String, PathBuf)>> {
    let release = workspace.target().join("release");
    let mut programs: Vec<_> =
        guest::PROGRAMS.iter().map(|name| ((*name).to_owned(), release.join(name))).collect();
    let mut build = workspace.cargo(&["test", "--release", "--no-run", "-p", "netebpf-tests"]);
    for suite in core::suites() {
        build.args(["--test", suite]);
    }
    let ended = step::run("build the tests for virtual machines", build)?;
    for suite in core::suites() {
        let main = format!("tests/{suite}/main.rs (");
        let path = ended.lines.iter().find_map(|line| line.split_once(&main)?.1.strip_suffix(')'));
        let path = path.with_context(|| format!("cargo does not say where the tests of {suite} are"))?;
        programs.push((suite.to_owned(), workspace.root().join(path)));
    }
    Ok(programs)
}

fn boot(
    workspace: &Workspace,
    parts: &Parts,
    kernel: &Kernel,
    programs: &[(String, PathBuf)],
) -> Result<Machine> {
    let release = kernel.release.clone();
    let home = setup::machine_directory(workspace);
    let initrd = home.join(format!("{release}.initrd"));
    let log = home.join(format!("{release}.log"));
    fs::write(&initrd, guest_files(workspace, parts, kernel, programs)?)?;
    let started = Instant::now();
    let ended = step::watch(
        &format!("Linux {release}"),
        machine(workspace, parts, kernel, &initrd, &log),
        Show::Newest,
    )?;
    let wall = started.elapsed();
    let timed_out = ended.status.code() == Some(TIMED_OUT);
    let outcome = Outcome::read(&ended.lines);
    let machine = Machine { release, support: kernel.support, outcome, wall, timed_out };
    if machine.tally().failed > 0 {
        say(&format!("Linux {} says, in {}:", machine.release, log.display()));
        for line in report::complaints(&ended.lines) {
            say(&format!("  {line}"));
        }
    }
    Ok(machine)
}

/// The emulator's command line; the serial console goes to its output and to a file at once.
fn machine(workspace: &Workspace, parts: &Parts, kernel: &Kernel, initrd: &Path, log: &Path) -> Command {
    let mut qemu = workspace.command(TIMEOUT);
    qemu.arg("--kill-after=10").arg(DEADLINE.as_secs().to_string()).arg(&parts.qemu).args(MACHINE);
    let console = format!("stdio,id=console,signal=off,logappend=off,logfile={}", log.display());
    qemu.args(["-chardev", &console, "-serial", "chardev:console"]);
    qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(initrd);
    qemu
}

/// Everything that the guest has.
fn guest_files(
    workspace: &Workspace,
    parts: &Parts,
    kernel: &Kernel,
    programs: &[(String, PathBuf)],
) -> Result<Vec<u8>> {
    let mut files = Initramfs::default();
    for folder in guest::FOLDERS {
        files.folder(folder);
    }
    files.program("bin/busybox", &fs::read(&parts.busybox)?);
    files.link("bin/sh", "busybox");
    for (name, path) in programs {
        let program = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        files.program(&format!("bin/{name}"), &program);
    }
    for library in libraries(workspace, programs)? {
        let content = fs::read(&library).with_context(|| format!("read {}", library.display()))?;
        files.program(library.to_string_lossy().trim_start_matches('/'), &content);
    }
    let modules = modules::in_order(&kernel.modules, guest::MODULES, &parts.busybox)?;
    for module in &modules {
        files.file(&format!("modules/{}.ko", module.name), &module.content);
    }
    let order: Vec<_> = modules.iter().map(|module| module.name.as_str()).collect();
    files.file("modules/order", (order.join("\n") + "\n").as_bytes());
    files.file("tests", guest::tests().as_bytes());
    files.program("init", guest::INIT.as_bytes());
    Ok(files.finish())
}

/// The shared libraries of the programs, and what loads them.
fn libraries(workspace: &Workspace, programs: &[(String, PathBuf)]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for (_, program) in programs {
        let output = workspace.command("ldd").arg(program).output().context("start ldd")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if text.contains("not found") {
            bail!("{} lacks libraries:\n{text}", program.display());
        }
        let paths = text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from);
        found.extend(paths);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::is_meant;

    #[test]
    fn a_kernel_is_meant_by_whole_numbers() {
        for (release, only, meant) in [
            ("6.1.0-50-cloud-amd64", "6.1", true),
            ("6.12.95+deb12-cloud-amd64", "6.1", false),
            ("6.12.95+deb12-cloud-amd64", "6.", true),
            ("7.2.13", "6.1", false),
        ] {
            assert_eq!(is_meant(release, only), meant, "{release} by {only}");
        }
    }
}
