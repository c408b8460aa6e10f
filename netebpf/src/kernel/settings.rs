//! Where an engine keeps its things: the three directories and the paths below them.

use std::path::PathBuf;

use crate::model::SandboxId;

/// The directories of one engine; engines with different ones live side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Socket and namespaces; lost at reboot.
    pub run_dir: PathBuf,
    /// Store and logs.
    pub state_dir: PathBuf,
    /// Pinned maps, programs and links; on a BPF file system.
    pub bpffs: PathBuf,
}

impl Settings {
    /// The socket that the daemon answers on.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.run_dir.join("netebpf.sock")
    }

    /// The name that Docker's clients know, which leads to the socket.
    #[must_use]
    pub fn docker_socket(&self) -> PathBuf {
        self.run_dir.join("docker.sock")
    }

    /// The directory of the sandboxes' namespace files.
    #[must_use]
    pub fn namespaces(&self) -> PathBuf {
        self.run_dir.join("netns")
    }

    /// A sandbox's namespace file, a bind mount.
    #[must_use]
    pub fn namespace(&self, sandbox: SandboxId) -> PathBuf {
        self.namespaces().join(sandbox.to_string())
    }

    /// The name server's namespace file, a bind mount.
    #[must_use]
    pub fn resolver_namespace(&self) -> PathBuf {
        self.namespaces().join("resolver")
    }

    /// The directory of a sandbox's own files.
    #[must_use]
    pub fn sandbox_dir(&self, sandbox: SandboxId) -> PathBuf {
        self.state_dir.join("sandboxes").join(sandbox.to_string())
    }

    /// What a detached sandbox's command writes.
    #[must_use]
    pub fn log(&self, sandbox: SandboxId) -> PathBuf {
        self.sandbox_dir(sandbox).join("log")
    }

    /// The mount point of cgroup v2, used when the system has none.
    pub(super) fn own_cgroup(&self) -> PathBuf {
        self.run_dir.join("cgroup2")
    }

    /// Pins of maps.
    pub(super) fn maps(&self) -> PathBuf {
        self.bpffs.join("maps")
    }

    /// Pins of programs.
    pub(super) fn programs(&self) -> PathBuf {
        self.bpffs.join("programs")
    }

    /// Pins of bpf links.
    pub(super) fn bpf_links(&self) -> PathBuf {
        self.bpffs.join("links")
    }

    /// Records of filters and qdiscs: pins of programs.
    pub(super) fn bpf_filters(&self) -> PathBuf {
        self.bpffs.join("filters")
    }
}
