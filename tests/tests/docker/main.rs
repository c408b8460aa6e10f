//! The differential suite: the same commands of Docker's client, put to a real Docker Engine and to netebpf, must be answered
//! alike. Docker is right. Needs root, and the engine that `cargo xtask setup docker` installs.
//!
//! Every scenario of the documents in `scenarios/` is a test (where a document says what name servers answer, both must),
//! those of networks a second one in which netebpf's own program
//! is in the place of Docker's client; `known_differences.toml` lists what is meant to differ.
#![forbid(unsafe_code)]

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use netebpf_tests::docker::{
    difference::KnownDifferences,
    script::{Scenario, scenarios},
};

use crate::duel::Duel;

mod duel;

const DOCUMENTS: &[(&str, &str)] = &[
    ("create", include_str!("scenarios/create.md")),
    ("refused", include_str!("scenarios/refused.md")),
    ("list", include_str!("scenarios/list.md")),
    ("inspect", include_str!("scenarios/inspect.md")),
    ("remove", include_str!("scenarios/remove.md")),
    ("prune", include_str!("scenarios/prune.md")),
    ("configuration", include_str!("scenarios/configuration.md")),
    ("engine", include_str!("scenarios/engine.md")),
    ("addresses", include_str!("scenarios/addresses.md")),
    ("files", include_str!("scenarios/files.md")),
    ("ports", include_str!("scenarios/ports.md")),
    ("attach", include_str!("scenarios/attach.md")),
    ("links", include_str!("scenarios/links.md")),
    ("names", include_str!("scenarios/names.md")),
];

/// The documents about what both programs can do.
const OF_NETWORKS: &[&str] = &["create", "refused", "list", "inspect", "remove", "prune", "configuration"];

fn main() -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let known = KnownDifferences::parse(include_str!("known_differences.toml"))?;
    let duel = Arc::new(Mutex::new(Duel::new(known)));
    let mut all: Vec<_> = DOCUMENTS.iter().flat_map(|(name, text)| scenarios(name, text)).collect();
    let of_networks = DOCUMENTS.iter().filter(|(name, _)| OF_NETWORKS.contains(name));
    let own = of_networks.flat_map(|(name, text)| scenarios(name, text));
    all.extend(own.map(|scenario| scenario.for_own_programs()).collect::<Vec<_>>());
    let mut trials: Vec<_> = all.into_iter().map(|scenario| trial(&duel, scenario)).collect();
    if arguments.filter.is_none() && arguments.skip.is_empty() {
        let duel = Arc::clone(&duel);
        // Runs last: one engine cannot be in two scenarios at once, so there is no second thread.
        trials.push(Trial::test("every-known-difference-is-still-there", move || {
            Ok(duel.lock().unwrap_or_else(PoisonError::into_inner).unseen()?)
        }));
    }
    let arguments = Arguments { test_threads: Some(1), ..arguments };
    let conclusion = libtest_mimic::run(&arguments, trials);
    Ok(conclusion.exit_code())
}

fn trial(duel: &Arc<Mutex<Duel>>, scenario: Scenario) -> Trial {
    let duel = Arc::clone(duel);
    Trial::test(scenario.name.clone(), move || {
        Ok(duel.lock().unwrap_or_else(PoisonError::into_inner).fight(&scenario)?)
    })
}
