//! The core tests: what has to hold on every kernel and with every way of attaching programs.

/// A suite and the parts of it that are core. No part at all means the whole suite.
///
/// Left out is what does not depend on the kernel, and what needs more of a system than a virtual machine has.
pub(super) const CORE: &[(&str, &[&str])] =
    &[("netns", &["steps::", "restart::", "cleanup::", "spoofing::", "side_by_side::"]), ("matrix", &[])];

/// The suites that core tests are from.
pub(super) fn suites() -> impl Iterator<Item = &'static str> {
    CORE.iter().map(|(suite, _)| *suite)
}
