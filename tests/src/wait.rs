//! How do tests wait? Only here: on a condition, with a deadline.

use std::{
    cell::Cell,
    env,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Names how many times longer every wait may take, for machines that are emulated.
const PATIENCE: &str = "NETEBPF_TEST_PATIENCE";

/// Long enough for anything that happens on an overloaded machine.
pub const LONG: Duration = Duration::from_secs(20);

const INTERVAL: Duration = Duration::from_millis(5);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static SHIELDED: Cell<bool> = const { Cell::new(false) };
}

/// Makes every wait fail from now on, so that the program comes to its clean-up soon.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Runs a clean-up, which an interrupt does not cut short.
pub fn shielded<T>(clean_up: impl FnOnce() -> T) -> T {
    let before = SHIELDED.replace(true);
    let result = clean_up();
    SHIELDED.set(before);
    result
}

/// Fails once [`interrupt`] was called, except in a clean-up.
pub fn check_interrupt() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) && !SHIELDED.get() {
        bail!("interrupted");
    }
    Ok(())
}

/// Asks `check` until it gives a value; fails with `what` after `deadline` or an interrupt.
pub fn until<T>(what: &str, deadline: Duration, check: impl FnMut() -> Option<T>) -> Result<T> {
    let mut check = check;
    let deadline = stretched(deadline);
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = check() {
            return Ok(value);
        }
        check_interrupt()?;
        if Instant::now() >= end {
            bail!("{what}: not so within {deadline:?}");
        }
        thread::sleep(INTERVAL);
    }
}

/// How long a wait that would take `time` at most may take on this machine.
#[must_use]
pub fn stretched(time: Duration) -> Duration {
    time * env::var(PATIENCE).ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// As [`until`] for clean-ups: says whether the condition came true, and no interrupt cuts it short.
pub fn settled(deadline: Duration, check: impl FnMut() -> bool) -> bool {
    let mut check = check;
    shielded(|| until("settled", deadline, || check().then_some(()))).is_ok()
}

/// Holds a sender back until `moment`, to bound its rate.
pub fn pace(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}
