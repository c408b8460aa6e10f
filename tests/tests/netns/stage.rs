//! One stage for all tests that leave it as it was.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use netebpf_tests::scenario::{Phase, Stage, StepResult};

/// The stage that tests share while any of them runs; the last one strikes it.
pub(crate) fn shared() -> Arc<Stage> {
    static SHARED: Mutex<Weak<Stage>> = Mutex::new(Weak::new());

    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let stage = Arc::new(alone("shared"));
        *shared = Arc::downgrade(&stage);
        stage
    })
}

/// A stage for one test.
pub(crate) fn alone(name: &str) -> Stage {
    Stage::new(name).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Fails unless every phase came as it should.
#[track_caller]
pub(crate) fn holds(result: StepResult) {
    let phases = result.unwrap_or_else(|error| panic!("{error:#}"));
    let wrong: Vec<_> = phases.iter().filter(|phase| !phase.holds()).map(Phase::to_string).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
