//! What is to be reached, compared with Docker's server on the same machine in the same minutes.

use std::fmt;

use anyhow::{Result, ensure};

use super::results::{Course, Metric, Results};

/// The share of queries without answer that does not matter: a machine may stand still for a moment.
const NEGLIGIBLE: f64 = 0.001;

/// How netebpf's figure is to be, as a multiple of Docker's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure of netebpf that is compared with Docker's.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) course: Course,
    pub(super) metric: Metric,
    pub(super) bound: Bound,
}

pub(super) const GOALS: &[Goal] = &[
    Goal { course: Course::Kernel, metric: Metric::DnsperfRate, bound: Bound::AtLeast(2.2) },
    Goal { course: Course::Kernel, metric: Metric::DnsperfLatency, bound: Bound::AtMost(1.0 / 20.0) },
    Goal { course: Course::Kernel, metric: Metric::OwnRate, bound: Bound::AtLeast(4.0) },
    Goal { course: Course::Kernel, metric: Metric::SingleMedian, bound: Bound::AtMost(1.0 / 2.0) },
    Goal { course: Course::Server, metric: Metric::DnsperfRate, bound: Bound::AtLeast(1.0) },
    Goal { course: Course::Server, metric: Metric::OwnRate, bound: Bound::AtLeast(1.0) },
];

impl Goal {
    /// The goal of a figure, if it has one.
    pub(super) fn of(course: Course, metric: Metric) -> Option<&'static Self> {
        GOALS.iter().find(|goal| goal.course == course && goal.metric == metric)
    }

    /// Whether the median of all rounds is as it is to be.
    pub(super) fn is_met(&self, results: &Results) -> bool {
        let ratio = results.ratio(self.course, self.metric).median;
        match self.bound {
            Bound::AtLeast(bound) => ratio >= bound,
            Bound::AtMost(bound) => ratio <= bound,
        }
    }

    pub(super) fn check(&self, results: &Results) -> Result<()> {
        let ratio = results.ratio(self.course, self.metric);
        ensure!(self.is_met(results), "{:.3} times Docker's, {} was meant", ratio.median, self.bound);
        Ok(())
    }
}

/// Fails if netebpf has left more than a few queries without answer.
pub(super) fn check_loss(results: &Results) -> Result<()> {
    for course in [Course::Kernel, Course::Server] {
        for metric in [Metric::DnsperfLost, Metric::OwnLost] {
            let lost = results.figure(course, metric).median;
            ensure!(lost <= NEGLIGIBLE, "{course}: {metric} {:.1} %", 100.0 * lost);
        }
    }
    Ok(())
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "at least {bound}"),
            Self::AtMost(bound) => write!(f, "at most {bound}"),
        }
    }
}

/// As the name of a test.
impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{}/{}", self.course, self.metric).replace(", ", "-").replace(' ', "-"))
    }
}
