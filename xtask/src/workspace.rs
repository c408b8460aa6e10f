//! Where things are in the workspace, and how cargo is called from inside a cargo command.

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

/// What `cargo run` and rustup tell the program they start. Passed on, it would bind every later cargo to the
/// compiler and the package of this one.
const SET_BY_CARGO: &[&str] = &[
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "LD_LIBRARY_PATH",
    "OUT_DIR",
    "RUST_RECURSION_COUNT",
];

/// This checkout.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the checkout that this xtask belongs to.
    pub(crate) fn locate() -> Self {
        let xtask = env::var_os("CARGO_MANIFEST_DIR").map_or_else(built_in, PathBuf::from);
        let root = xtask.parent().map_or_else(|| xtask.clone(), Path::to_path_buf);
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(set) => env::current_dir().unwrap_or_default().join(set),
            None => root.join("target"),
        };
        Self { root, target }
    }

    /// The folder of the workspace's manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder, absolute.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where the BPF object lies once it has been built.
    pub(crate) fn bpf_object(&self) -> PathBuf {
        self.target.join("bpf/netebpf.o")
    }

    /// A cargo command with the toolchain that the user chose; it embeds the BPF object when there is one.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = self.command("cargo");
        cargo.args(arguments);
        let object = self.bpf_object();
        if object.is_file() {
            cargo.env("NETEBPF_BPF_OBJECT", object);
        }
        cargo
    }

    /// A command that starts in the root, without what the outer cargo has set.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        for name in SET_BY_CARGO {
            command.env_remove(name);
        }
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_PKG_") {
                command.env_remove(name);
            }
        }
        command
    }
}

fn built_in() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether this process may do everything: the owner of its entry in /proc is its effective user.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// The files called `name` in the folders of `PATH`, in that order.
pub(crate) fn on_path(name: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(name)).filter(|file| file.is_file()).collect()
}
