//! `cargo xtask setup`: is everything here that the BPF programs and the demo need, and if not, how does it get here?

mod compiler;
mod debian;
mod docker;
mod linker;
mod machine;
mod programs;
mod python;

use anyhow::{Context, Result, bail};

pub(crate) use compiler::{Compiler, TARGET};
pub(crate) use docker::engine;
pub(crate) use linker::Linker;
pub(crate) use machine::{
    Freshness, Kernel, Parts, Support, directory as machine_directory, parts as machines,
};
pub(crate) use programs::{comparison, packaging, programs};
pub(crate) use python::docker_package;

use crate::{
    step::say,
    workspace::{self, Workspace},
};

/// What the user typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only report what is there and what is missing
    #[arg(long)]
    check: bool,
    /// Also fetch what only some need
    #[arg(value_enum)]
    extra: Option<Extra>,
}

/// What most people can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Extra {
    /// A Docker Engine in a root file system of its own, for the test layer docker: some 400 MB, below target/docker
    Docker,
    /// qemu, busybox and Debian's newest kernels, for the test layer vm: some 120 MB, below target/vm
    Vm,
}

/// What turns the BPF programs into an object.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// Compiles them.
    pub(crate) compiler: Compiler,
    /// Links them.
    pub(crate) linker: Linker,
}

/// Reports what is there and, unless only asked to check, installs what is not.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.check {
        return check(workspace);
    }
    let found = toolchain(workspace)?;
    programs(workspace)?;
    docker_package(workspace)?;
    match args.extra {
        None => {}
        Some(Extra::Docker) => engine(workspace)?,
        Some(Extra::Vm) => {
            let parts = machines(workspace, Freshness::Newest)?;
            let kernels = parts.kernels.iter().map(|kernel| kernel.release.as_str());
            say(&format!("virtual machines: {}", kernels.collect::<Vec<_>>().join(", ")));
        }
    }
    say(&format!("ready: {}, {}, and the programs that tests run", found.compiler, found.linker));
    Ok(())
}

/// The toolchain of the BPF programs; what is missing is installed where that is possible.
pub(crate) fn toolchain(workspace: &Workspace) -> Result<Toolchain> {
    let compiler = Compiler::find(workspace).map_or_else(|| install_compiler(workspace), Ok)?;
    let linker = Linker::find(workspace).map_or_else(|| install_linker(workspace, &compiler), Ok)?;
    Ok(Toolchain { compiler, linker })
}

fn install_compiler(workspace: &Workspace) -> Result<Compiler> {
    let mut commands = compiler::commands();
    if Linker::find(workspace).is_none() {
        commands.extend(linker::commands(workspace, None));
    }
    may_install("no compiler for BPF programs", &commands)?;
    say("No compiler for BPF programs is here: installing Debian's rustc with its BPF core library.");
    debian::install(workspace, compiler::PACKAGES)?;
    Compiler::find(workspace).context("Debian's packages are installed but hold no BPF core library")
}

fn install_linker(workspace: &Workspace, compiler: &Compiler) -> Result<Linker> {
    may_install("no linker for BPF programs", &linker::commands(workspace, Some(compiler)))?;
    say("No linker for BPF programs is here: installing LLVM's libraries and building bpf-linker with them.");
    linker::install(workspace, compiler)?;
    Linker::find(workspace).context("bpf-linker is installed but does not start")
}

fn check(workspace: &Workspace) -> Result<()> {
    let compiler = Compiler::find(workspace);
    let linker = Linker::find(workspace);
    let rows = [
        ("BPF compiler", compiler.map(|found| found.to_string())),
        ("BPF linker", linker.map(|found| found.to_string())),
    ];
    let programs = programs::report().map(|(name, is_here)| (name, is_here.then(|| "found".to_owned())));
    let mut missing = 0;
    for (name, found) in rows.into_iter().chain(programs) {
        missing += usize::from(found.is_none());
        say(&format!("{name}: {}", found.as_deref().unwrap_or("missing")));
    }
    if missing > 0 {
        bail!("{missing} missing: `cargo xtask setup` installs what it can");
    }
    Ok(())
}

/// Whether we may install; if not, the error holds the commands for someone who may.
fn may_install(missing: &str, commands: &[String]) -> Result<()> {
    if workspace::is_root() && debian::is_here() {
        return Ok(());
    }
    let reason =
        if debian::is_here() { "only root can install packages" } else { "this is not a Debian system" };
    bail!("{missing}, and {reason}; these commands install what is missing:\n  {}", commands.join("\n  "));
}

/// Runs a command that answers a question; nothing when there is no such program or it fails.
fn ask(workspace: &Workspace, program: &std::path::Path, arguments: &[&str]) -> Option<String> {
    // A question must not make rustup download a toolchain.
    let output = workspace.command(program).args(arguments).env("RUSTUP_AUTO_INSTALL", "0").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
