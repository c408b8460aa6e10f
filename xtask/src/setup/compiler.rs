//! Finds a compiler for `bpfel-unknown-none`.
//!
//! No rustup component holds a compiled `core` for that target: a nightly compiles its own from `rust-src`, and
//! Debian packages one for its `rustc-web`.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{ask, debian};
use crate::workspace::{self, Workspace};

/// The packages that bring a compiler with a compiled `core`.
pub(super) const PACKAGES: &[&str] = &["rustc-web", "libstd-rust-web-dev-bpf", "rust-web-llvm"];

/// The target of the BPF programs: as the host, little-endian.
pub(crate) const TARGET: &str = "bpfel-unknown-none";

/// A way to compile for [`TARGET`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    /// rustup's nightly with `rust-src`, which compiles `core` along.
    Nightly,
    /// A rustc that brings a compiled `core`.
    Prebuilt {
        /// The compiler.
        rustc: PathBuf,
    },
}

impl Compiler {
    /// Looks for a nightly with `rust-src` first, then for a rustc with a compiled `core`.
    pub(super) fn find(workspace: &Workspace) -> Option<Self> {
        Self::nightly(workspace).or_else(|| Self::prebuilt(workspace))
    }

    fn nightly(workspace: &Workspace) -> Option<Self> {
        let sysroot = ask(workspace, Path::new("rustc"), &["+nightly", "--print", "sysroot"])?;
        Path::new(&sysroot).join("lib/rustlib/src/rust/library/core").is_dir().then_some(Self::Nightly)
    }

    fn prebuilt(workspace: &Workspace) -> Option<Self> {
        // rustup usually hides the distribution's compiler.
        let candidates = [PathBuf::from("/usr/bin/rustc")].into_iter().chain(workspace::on_path("rustc"));
        candidates.filter(|rustc| rustc.is_file()).find_map(|rustc| {
            let sysroot = ask(workspace, &rustc, &["--print", "sysroot"])?;
            let core = Path::new(&sysroot).join("lib/rustlib").join(TARGET);
            core.is_dir().then_some(Self::Prebuilt { rustc })
        })
    }

    /// A cargo command that uses this compiler for [`TARGET`].
    pub(crate) fn cargo(&self, workspace: &Workspace, subcommand: &str) -> Command {
        let mut cargo = match self {
            Self::Nightly => {
                let mut cargo = workspace.command("rustup");
                cargo.args(["run", "nightly", "cargo", subcommand, "-Z", "build-std=core"]);
                cargo
            }
            Self::Prebuilt { rustc } => {
                let mut cargo = workspace.command("cargo");
                // A stable compiler must be told that it may: aya-ebpf uses an experimental feature.
                cargo.arg(subcommand).env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
                cargo
            }
        };
        // What the user has set for programs of the host would not do here.
        for set in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER"] {
            cargo.env_remove(set);
        }
        cargo.env("RUSTFLAGS", format!("{FLAGS} --cfg=bpf_target_arch=\"{}\"", env::consts::ARCH));
        cargo.args(["--target", TARGET]);
        cargo
    }

    /// The major version of its LLVM, which the linker's must not be older than.
    pub(super) fn llvm(&self, workspace: &Workspace) -> Option<u32> {
        let version = match self {
            Self::Nightly => ask(workspace, Path::new("rustc"), &["+nightly", "-vV"]),
            Self::Prebuilt { rustc } => ask(workspace, rustc, &["-vV"]),
        }?;
        llvm_major(&version)
    }
}

/// BTF and debug info give the maps, functions and verifier messages their names. LLVM's block placement may let control
/// fall into the middle of a loop, which verifiers before Linux 6.3 refuse as a back-edge that is no jump. What bpf-linker
/// turns on by default makes a loop over bytes of each move and fill of memory: a third more instructions for the verifier
/// and half as much time again for a packet.
const FLAGS: &str = "-C link-arg=--btf -C debuginfo=2 -C link-arg=--llvm-args=-disable-block-placement \
    -C link-arg=--disable-expand-memcpy-in-order";

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nightly => f.write_str("rustup's nightly with rust-src"),
            Self::Prebuilt { rustc } => write!(f, "{} with a BPF core library", rustc.display()),
        }
    }
}

/// The commands that install a compiler, for someone to type.
pub(super) fn commands() -> Vec<String> {
    if debian::is_here() {
        vec![debian::command(PACKAGES)]
    } else {
        vec!["rustup toolchain install nightly --component rust-src".to_owned()]
    }
}

fn llvm_major(version: &str) -> Option<u32> {
    let llvm = version.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    llvm.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llvm_version_is_read_from_the_compilers_own_words() {
        assert_eq!(
            llvm_major("rustc 1.96.0\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.8"),
            Some(22)
        );
        assert_eq!(llvm_major("rustc 1.96.0"), None);
    }

    #[test]
    fn the_users_flags_do_not_reach_the_bpf_programs() {
        let rustc = PathBuf::from("/usr/bin/rustc");
        let cargo = Compiler::Prebuilt { rustc }.cargo(&Workspace::locate(), "build");
        let removed =
            cargo.get_envs().any(|(name, value)| name == "CARGO_ENCODED_RUSTFLAGS" && value.is_none());
        assert!(removed);
        assert!(cargo.get_envs().any(|(name, _)| name == "RUSTFLAGS"));
    }
}
