//! Which folder may import what: the arrows of ARCHITECTURE.md as tables.

/// The import rules of one crate.
#[derive(Debug)]
pub(super) struct Rules {
    /// The crate's source folder.
    pub(super) sources: &'static str,
    /// Each folder (or file) right below it, with what it may import of its own crate; several lines of
    /// one folder add up, and no line at all means no such rule.
    pub(super) arrows: &'static [(&'static str, &'static [&'static str])],
    /// What only some folders may name.
    pub(super) reserved: &'static [Reserved],
    /// Folders that hold no `async` code.
    pub(super) blocking: &'static [&'static str],
}

/// Paths of other crates that are kept to a few folders.
#[derive(Debug)]
pub(super) struct Reserved {
    /// The paths, each with all that lies below it.
    pub(super) paths: &'static [&'static str],
    /// Who may name them.
    pub(super) folders: &'static [&'static str],
    /// Why nobody else may.
    pub(super) reason: &'static str,
}

/// Everything that is pure: no clock, no file, no socket.
const PURE: &[&str] = &["model", "ipam", "change", "compile", "plan"];

/// What the pure folders see of `kernel`: its state as data.
const OBSERVED: &[&str] = &[
    "kernel::Observed",
    "kernel::Interface",
    "kernel::Link",
    "kernel::LinkRole",
    "kernel::Namespace",
    "kernel::Owner",
    "kernel::TableContents",
];

/// The crates that have rules.
pub(super) const RULES: &[Rules] = &[
    Rules {
        sources: "netebpf/src",
        arrows: &[
            ("model", &[]),
            ("ipam", &["model"]),
            ("change", &["model", "ipam"]),
            ("compile", &["model", "ipam"]),
            ("compile", OBSERVED),
            ("plan", &["model", "ipam", "compile"]),
            ("plan", OBSERVED),
            ("dns", &["model", "compile"]),
            ("kernel", &["model", "plan::Action", "plan::Entry", "plan::InterfaceSetup", "plan::Key"]),
            ("store", &["model"]),
            ("config", &["model", "ipam"]),
            ("reconcile", &["model", "ipam", "compile", "plan", "kernel"]),
            (
                "daemon",
                &["model", "ipam", "change", "compile", "plan", "kernel", "store", "reconcile", "dns"],
            ),
            ("frontend", &["model", "ipam", "change", "plan", "dns", "kernel::Settings", "daemon"]),
            ("cli", &["model", "change", "config", "kernel", "store", "daemon", "frontend", "telemetry"]),
            ("telemetry", &[]),
            ("lib", &[]),
            ("main", &["cli", "telemetry"]),
        ],
        reserved: &[
            Reserved {
                paths: &["aya", "rtnetlink"],
                folders: &["kernel"],
                reason: "only kernel/ talks to the kernel (invariant 4)",
            },
            Reserved {
                paths: &["nix", "std::process"],
                folders: &["dns", "kernel", "store", "daemon", "frontend", "cli", "telemetry", "main"],
                reason: "system calls belong below kernel/ or at the edges",
            },
            Reserved {
                paths: &["std::os"],
                folders: &["dns", "kernel", "store", "daemon", "frontend", "cli", "telemetry", "main"],
                reason: "descriptors belong to those who make system calls, and to servers",
            },
            Reserved {
                paths: &["std::fs", "std::env"],
                folders: &["config", "kernel", "store", "daemon", "frontend", "cli", "telemetry", "main"],
                reason: "files and the environment belong at the edges",
            },
            Reserved {
                paths: &["tokio"],
                folders: &["dns", "kernel", "store", "daemon", "frontend", "cli", "telemetry", "main"],
                reason: "the run time belongs at the edges",
            },
            Reserved {
                paths: &["std::time::Instant", "std::time::SystemTime", "std::thread", "std::io"],
                folders: &[
                    "config",
                    "dns",
                    "kernel",
                    "store",
                    "reconcile",
                    "daemon",
                    "frontend",
                    "cli",
                    "telemetry",
                    "main",
                ],
                reason: "pure folders take time and input as values (invariant 5)",
            },
            Reserved {
                paths: &["serde"],
                folders: &["config", "store", "frontend", "cli"],
                reason: "wire formats are types of their own, converted at the edge (invariant 11)",
            },
        ],
        blocking: PURE,
    },
    Rules {
        sources: "netebpf-ebpf/src",
        arrows: &[],
        reserved: &[Reserved {
            paths: &["aya_ebpf::helpers", "aya_ebpf::maps", "aya_ebpf::macros::map"],
            folders: &["kernel"],
            reason: "only kernel/ calls BPF helpers or touches maps (invariant 4)",
        }],
        blocking: &[],
    },
];
