//! The connectivity matrix: every cell of `matrix.md` is a test, with real sockets on a real host. Needs root.
//!
//! Names are paths into the document, `nat/outside/any@H/IPv6/tcp`; a filter picks a network, a client or a target.
#![forbid(unsafe_code)]

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use anyhow::{Error, Result};
use libtest_mimic::{Arguments, Trial};

use crate::{
    hall::Hall,
    rounds::{Outcome, Try},
    table::Table,
};

mod hall;
mod rounds;
mod table;

/// All tests and, once the first of them has run, what came of each.
struct Matrix {
    table: Table,
    tries: Vec<Try>,
    outcomes: OnceLock<Result<Vec<Outcome>, String>>,
    /// What went wrong when the stage was struck.
    residue: Mutex<Option<Error>>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let table = Table::parse(include_str!("matrix.md"))?;
    let wanted = |tried: &Try| arguments.filter.as_ref().is_none_or(|filter| tried.name().contains(filter));
    let tries: Vec<_> = table.cells.iter().flat_map(Try::of).filter(wanted).collect();
    let matrix = Arc::new(Matrix { table, tries, outcomes: OnceLock::new(), residue: Mutex::default() });
    let trials = matrix.tries.iter().enumerate().map(|(number, tried)| {
        let matrix = Arc::clone(&matrix);
        Trial::test(tried.name(), move || matrix.outcome(number).map_err(Into::into))
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if let Some(error) = matrix.residue.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    Ok(conclusion.exit_code())
}

impl Matrix {
    fn outcome(&self, number: usize) -> Outcome {
        let outcomes = self.outcomes.get_or_init(|| self.play().map_err(|error| format!("{error:#}")));
        let outcomes = outcomes.as_ref().map_err(|error| format!("the stage was not set: {error}"))?;
        outcomes.get(number).cloned().unwrap_or_else(|| Err("it was not tried".to_owned()))
    }

    fn play(&self) -> Result<Vec<Outcome>> {
        let mut hall = Hall::new(&self.table.sections)?;
        let outcomes = rounds::play(&hall, &self.tries);
        if let Err(error) = hall.engine.clean_up() {
            *self.residue.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        Ok(outcomes)
    }
}
