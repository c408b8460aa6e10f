//! Finds or builds bpf-linker, which links the BPF programs and writes their BTF.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{Compiler, ask, debian};
use crate::{
    step,
    workspace::{self, Workspace},
};

/// The version that is installed; a later one does as well.
const VERSION: [u32; 3] = [0, 13, 0];

/// The LLVM of Debian's rustc-web, for instructions given before it is here.
const DEBIAN_LLVM: u32 = 22;

/// A bpf-linker that starts.
#[derive(Debug)]
pub(crate) struct Linker {
    /// The program.
    pub(crate) path: PathBuf,
    version: [u32; 3],
}

impl Linker {
    /// Looks on `PATH` and where `cargo install` puts programs.
    pub(super) fn find(workspace: &Workspace) -> Option<Self> {
        let candidates = workspace::on_path("bpf-linker").into_iter().chain(cargo_programs());
        candidates.filter(|path| path.is_file()).find_map(|path| {
            let version = parse(&ask(workspace, &path, &["--version"])?)?;
            (version >= VERSION).then_some(Self { path, version })
        })
    }
}

impl fmt::Display for Linker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bpf-linker {}", dotted(self.version))
    }
}

/// Builds bpf-linker with the LLVM that the compiler uses.
pub(super) fn install(workspace: &Workspace, compiler: &Compiler) -> Result<()> {
    let llvm =
        compiler.llvm(workspace).with_context(|| format!("{compiler} does not tell its LLVM version"))?;
    // Without the -dev package the folder may hold only the library's versioned name, which programs load.
    if !prefix(llvm).join("lib/libLLVM.so").exists() {
        debian::install(workspace, &[&format!("llvm-{llvm}-dev")])?;
    }
    let mut cargo = workspace.command("cargo");
    cargo.args(arguments(llvm)).env("LLVM_PREFIX", prefix(llvm));
    // The linker is a program of the host; this machine's default target and flags are not for it.
    cargo.env_remove("CARGO_BUILD_TARGET").env_remove("CARGO_TARGET_DIR");
    step::run(&format!("build bpf-linker {}", dotted(VERSION)), cargo).map(drop)
}

/// The commands that install it, for someone to type.
pub(super) fn commands(workspace: &Workspace, compiler: Option<&Compiler>) -> Vec<String> {
    let llvm = compiler.and_then(|found| found.llvm(workspace)).unwrap_or(DEBIAN_LLVM);
    let build = format!("LLVM_PREFIX={} cargo {}", prefix(llvm).display(), arguments(llvm).join(" "));
    if debian::is_here() {
        vec![debian::command(&[&format!("llvm-{llvm}-dev")]), build]
    } else {
        vec![format!("cargo install cargo-binstall && cargo binstall bpf-linker@{}", dotted(VERSION))]
    }
}

fn arguments(llvm: u32) -> Vec<String> {
    let version = dotted(VERSION);
    let feature = format!("llvm-{llvm}");
    [
        "install",
        "bpf-linker",
        "--version",
        &version,
        "--locked",
        "--no-default-features",
        "--features",
        &feature,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Where Debian puts an LLVM.
fn prefix(llvm: u32) -> PathBuf {
    PathBuf::from(format!("/usr/lib/llvm-{llvm}"))
}

fn cargo_programs() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|user| user.join(".cargo")))?;
    Some(Path::new(&home).join("bin/bpf-linker"))
}

fn parse(answer: &str) -> Option<[u32; 3]> {
    let numbers = answer.strip_prefix("bpf-linker ")?.split_whitespace().next()?;
    let numbers: Vec<u32> = numbers.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

fn dotted(version: [u32; 3]) -> String {
    version.map(|number| number.to_string()).join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_linker_does_not_count_and_a_newer_one_does() {
        assert_eq!(parse("bpf-linker 0.13.0"), Some([0, 13, 0]));
        assert!(parse("bpf-linker 0.9.15").unwrap() < VERSION);
        assert!(parse("bpf-linker 0.14.1 (abc)").unwrap() >= VERSION);
        assert_eq!(parse("bpf-linker unknown"), None);
    }
}
