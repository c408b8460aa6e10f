//! How fast are names resolved, by Docker's embedded server and by netebpf? Needs root, a quiet machine and some minutes, the
//! engine that `cargo xtask setup docker` installs, and dnsperf.
//!
//! Everything is measured in one run, in rounds in which all take turns; each goal is a test of its own.
#![forbid(unsafe_code)]

use std::{
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use anyhow::{Error, Result};
use libtest_mimic::{Arguments, Trial};

use crate::{
    goals::{GOALS, Goal},
    results::Results,
};

mod asker;
mod dnsperf;
mod generator;
mod goals;
mod question;
mod results;
mod rounds;
mod table;

/// What was measured, once for all goals.
type Measurement = Arc<OnceLock<Result<Results, String>>>;

fn main() -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let measurement = Measurement::default();
    let trials = GOALS.iter().map(|goal| trial(&measurement, goal));
    let mut trials: Vec<_> = trials.collect();
    let once = Arc::clone(&measurement);
    trials.push(Trial::test("no-query-is-lost", move || Ok(goals::check_loss(results(&once)?)?)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(measurement: &Measurement, goal: &'static Goal) -> Trial {
    let measurement = Arc::clone(measurement);
    Trial::test(goal.to_string(), move || Ok(goal.check(results(&measurement)?)?))
}

fn results(measurement: &Measurement) -> Result<&Results> {
    let measure = || {
        let results = rounds::measure().map_err(|error| format!("{error:#}"))?;
        eprint!("\n{}", table::Table(&results));
        Ok(results)
    };
    measurement.get_or_init(measure).as_ref().map_err(|error| Error::msg(error.clone()))
}
