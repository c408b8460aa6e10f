//! The test layers: what each needs, runs and proves.

use std::fmt;

use clap::ValueEnum;

/// A layer; the cheap ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layer {
    /// The rules of the repository
    Lint,
    /// Pure code
    Unit,
    /// BPF programs, one packet at a time
    Packet,
    /// Real sockets in network namespaces
    Netns,
    /// Docker's client, put to a real Docker Engine and to netebpf
    Docker,
    /// The packages that users are given, on a fresh Debian; only when asked for, because it downloads one
    Dist,
    /// Old and new kernels in virtual machines; only when asked for, because each takes minutes
    Vm,
}

impl Layer {
    /// What runs when no layer is named.
    pub(crate) const DEFAULT: &[Self] = &[Self::Lint, Self::Unit, Self::Packet, Self::Netns, Self::Docker];

    /// What the layer proves.
    pub(crate) fn proves(self) -> &'static str {
        match self {
            Self::Lint => "formatting, lints, documentation, import rules, commands in the documents",
            Self::Unit => "the decisions, on the host, with properties",
            Self::Packet => "the programs load, keep their budgets and decide as the host pipeline does",
            Self::Netns => "end to end: connections between sandboxes, host and client, restarts, bad input",
            Self::Docker => "Docker's commands are answered as a Docker Engine answers them",
            Self::Dist => {
                "archive and package: the same bytes twice, nothing for lintian, installed, used, purged"
            }
            Self::Vm => {
                "the programs load and the core tests hold on Debian's kernels, from 5.10 to the newest"
            }
        }
    }

    /// Whether it loads BPF programs or makes namespaces.
    pub(crate) fn needs_root(self) -> bool {
        matches!(self, Self::Packet | Self::Netns | Self::Docker | Self::Dist)
    }

    /// Whether it uses the built programs.
    pub(crate) fn needs_programs(self) -> bool {
        matches!(self, Self::Packet | Self::Netns | Self::Docker | Self::Dist | Self::Vm)
    }

    /// Cargo's arguments; the lint layer is not one command, and virtual machines are none.
    pub(crate) fn cargo(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Lint | Self::Vm => None,
            Self::Unit => {
                Some(&["test", "--no-fail-fast", "-p", "netebpf-common", "-p", "netebpf", "-p", "xtask"])
            }
            // Optimised, because it runs hundreds of thousands of packets; the output holds the budgets.
            Self::Packet => {
                Some(&["test", "--release", "-p", "netebpf-tests", "--test", "packet", "--", "--show-output"])
            }
            Self::Netns => Some(NETNS),
            Self::Docker => Some(&["test", "--release", "-p", "netebpf-tests", "--test", "docker"]),
            Self::Dist => Some(&["test", "--release", "-p", "netebpf-tests", "--test", "dist"]),
        }
    }
}

/// The worlds of two tests do not meet, but more at once would distort each other's deadlines on a small machine.
#[rustfmt::skip]
const NETNS: &[&str] = &[
    "test", "--release", "--no-fail-fast", "-p", "netebpf-tests", "--test", "netns", "--test", "walkthrough",
    "--test", "matrix", "--", "--test-threads=2",
];

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lint => "lint",
            Self::Unit => "unit",
            Self::Packet => "packet",
            Self::Netns => "netns",
            Self::Docker => "docker",
            Self::Dist => "dist",
            Self::Vm => "vm",
        })
    }
}
