//! The core tests: what has to hold on every kernel and with every way of attaching programs.

/// A suite and the parts of it that are core. No part at all means the whole suite.
///
/// Left out is what does not depend on the kernel, what needs more of a system than a virtual machine has, and most of what
/// starts a daemon of its own: an emulated kernel verifies the programs for half a minute each time.
pub(super) const CORE: &[(&str, &[&str])] = &[("netns", NETNS), ("matrix", &[])];

const NETNS: &[&str] = &[
    "steps::",
    "restart::a_link_removed_while_the_daemon_was_dead_is_made_again",
    "cleanup::cleanup_after_a_crash_leaves_nothing",
    "spoofing::a_forged_source_address_is_dropped_and_counted",
    "fragments::fragments_in_order_are_translated_both_ways",
    "sctp::",
    "errors::a_container_learns_the_mtu_of_the_path_through_masquerade",
];

/// The suites that core tests are from.
pub(super) fn suites() -> impl Iterator<Item = &'static str> {
    CORE.iter().map(|(suite, _)| *suite)
}
