//! On which processor does a measurement run? Left to the scheduler, the answer changes from run to run, and
//! with it the result by more than any network costs.

use anyhow::{Context as _, Result};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// The calling thread, for the kernel.
const SELF: Pid = Pid::from_raw(0);

/// A processor that this process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Processor {
    /// The one with the lowest number.
    First,
    /// The one with the highest number; the same on a machine with one.
    Last,
}

/// Keeps the calling thread on a processor.
pub(super) fn pin(processor: Processor) -> Result<()> {
    // The main thread is never pinned, so its set is what the process was given.
    let allowed = sched_getaffinity(Pid::this())?;
    let mut numbers = (0..CpuSet::count()).filter(|number| allowed.is_set(*number).unwrap_or(false));
    let chosen = match processor {
        Processor::First => numbers.next(),
        Processor::Last => numbers.next_back(),
    };
    let mut only = CpuSet::new();
    only.set(chosen.context("this process may use no processor")?)?;
    Ok(sched_setaffinity(SELF, &only)?)
}
