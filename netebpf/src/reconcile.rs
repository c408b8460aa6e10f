//! Drives a kernel to what the spec asks for.

mod failures;
mod scope;
#[cfg(test)]
mod tests;

use crate::{
    compile::{Links, compile},
    kernel::{Kernel, Observed},
    model::{EngineOptions, Spec},
    plan::{Action, plan},
};

use failures::Failures;
use scope::Scope;

/// How often the kernel is observed at most; a chain of links, programs and addresses takes four rounds.
const ROUNDS: u32 = 8;

/// What a reconcile did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The changes, in order.
    pub applied: Vec<Action>,
}

/// Why the kernel is not as the spec asks.
#[derive(Debug, thiserror::Error)]
pub enum Error<E: std::error::Error + 'static> {
    /// The kernel's state could not be read.
    #[error("cannot read the state of the kernel")]
    Observe(#[source] E),
    /// Changes failed; everything that does not depend on them was done.
    #[error("cannot {action}")]
    Apply {
        /// The first change that failed.
        action: Box<Action>,
        /// Why.
        source: E,
        /// The other changes that failed, with their reasons.
        others: Vec<(Action, E)>,
    },
    /// The kernel does not keep what it is given.
    #[error("the state of the kernel does not settle, there is still to do: {}", list(.0))]
    Unsettled(Vec<Action>),
}

/// Observes, plans and applies until there is nothing left to do. A change that fails does not keep others from being
/// made, except those that may only come after it.
pub async fn reconcile<K: Kernel>(
    kernel: &mut K,
    spec: &Spec,
    options: &EngineOptions,
) -> Result<Report, Error<K::Error>> {
    drive(kernel, spec, options, None).await
}

/// The same for a kernel that is as another spec asks: only what differs between the two is looked at.
pub async fn reconcile_change<K: Kernel>(
    kernel: &mut K,
    settled: &Spec,
    spec: &Spec,
    options: &EngineOptions,
) -> Result<Report, Error<K::Error>> {
    drive(kernel, spec, options, Some(Scope::between(settled, spec))).await
}

async fn drive<K: Kernel>(
    kernel: &mut K,
    spec: &Spec,
    options: &EngineOptions,
    scope: Option<Scope>,
) -> Result<Report, Error<K::Error>> {
    let mut report = Report::default();
    let mut failures = Failures::default();
    let mut round = 0;
    loop {
        let planned = match &scope {
            Some(scope) => {
                let observed = kernel.observe().await.map_err(Error::Observe)?;
                plan_for(&scope.spec, options, &scope.restrict(observed))
            }
            None => preview(kernel, spec, options).await.map_err(Error::Observe)?,
        };
        let actions = failures.remaining(planned);
        if actions.is_empty() || round == ROUNDS {
            return conclude(report, failures, actions);
        }
        for action in actions {
            if failures.block(&action) {
                continue;
            }
            tracing::debug!(%action, "apply");
            match kernel.apply(&action).await {
                Ok(()) => report.applied.push(action),
                Err(error) => failures.add(action, error),
            }
        }
        round += 1;
    }
}

/// Returns what a reconcile would change first; later changes may depend on links that are not there yet.
pub async fn preview<K: Kernel>(
    kernel: &mut K,
    spec: &Spec,
    options: &EngineOptions,
) -> Result<Vec<Action>, K::Error> {
    Ok(plan_for(spec, options, kernel.observe().await?))
}

fn plan_for(spec: &Spec, options: &EngineOptions, observed: &Observed) -> Vec<Action> {
    let links = Links::of(spec, observed);
    plan(spec, &compile(spec, options, observed, &links), observed, &links)
}

fn conclude<E: std::error::Error + 'static>(
    report: Report,
    failures: Failures<E>,
    rest: Vec<Action>,
) -> Result<Report, Error<E>> {
    let mut failures = failures.all.into_iter();
    match failures.next() {
        Some((action, source)) => {
            Err(Error::Apply { action: Box::new(action), source, others: failures.collect() })
        }
        None if rest.is_empty() => Ok(report),
        None => Err(Error::Unsettled(rest)),
    }
}

fn list(actions: &[Action]) -> String {
    actions.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
