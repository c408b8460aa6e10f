//! One stage for all tests that leave it as it was.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use netebpf_tests::scenario::{Phase, Stage, StepResult};

/// One test's turn on the shared stage: nobody else changes it meanwhile.
pub(crate) struct Turn {
    stage: Arc<Stage>,
    _alone: MutexGuard<'static, ()>,
}

impl Deref for Turn {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

/// The stage that tests take turns on; the last one of those that wait for it strikes it.
pub(crate) fn shared() -> Turn {
    static SHARED: Mutex<Weak<Stage>> = Mutex::new(Weak::new());
    static ALONE: Mutex<()> = Mutex::new(());

    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = shared.upgrade().unwrap_or_else(|| {
        let stage = Arc::new(alone("shared"));
        *shared = Arc::downgrade(&stage);
        stage
    });
    drop(shared);
    Turn { stage, _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner) }
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
