//! What is inside a virtual machine, and what it does from its start to its end.

use crate::test::core::CORE;

/// Programs of the workspace that the tests need.
pub(super) const PROGRAMS: &[&str] = &["netebpf", "netebpf-probe"];

/// Kernel modules that may be needed and that nothing in the guest would load on demand.
pub(super) const MODULES: &[&str] = &[
    "veth",
    "bridge",
    "br_netfilter",
    "cls_bpf",
    "sch_ingress",
    "sctp",
    "inet_diag",
    "tcp_diag",
    "udp_diag",
    "dummy",
];

/// Folders to be mounted on or written to.
pub(super) const FOLDERS: &[&str] =
    &["bin", "dev", "etc", "modules", "proc", "root", "run", "sys", "tmp", "var", "var/lib"];

/// Marks a line of the guest that is for the reader on the other side.
pub(super) const MARK: &str = "@@@ ";

/// The guest's first program.
pub(super) const INIT: &str = include_str!("init.sh");

/// The core tests as the first program reads them: a suite and its parts in each line.
pub(super) fn tests() -> String {
    CORE.iter().fold(String::new(), |lines, (suite, parts)| lines + suite + " " + &parts.join(" ") + "\n")
}
