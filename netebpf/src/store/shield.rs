//! Turns a panic of the database library into an error: on a damaged file it can come to a state that it holds impossible.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    static IS_SHIELDED: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work`; `None` if it panicked, in which case nothing is printed either.
pub(super) fn shielded<T>(work: impl FnOnce() -> T) -> Option<T> {
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_SHIELDED.get() {
                usual(panic);
            }
        }));
    });
    IS_SHIELDED.set(true);
    // What `work` leaves half done is dropped with it: callers hand in whole databases and get them back or not.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    IS_SHIELDED.set(false);
    outcome.ok()
}
