//! The figures, for people.

use std::fmt;

use super::{
    goals::Goal,
    results::{Course, Metric, Results, Spread},
};

/// All that was measured, as text.
pub(super) struct Table<'a>(pub(super) &'a Results);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let docker = format!("Docker {}", self.0.docker);
        for course in [Course::Kernel, Course::Server] {
            let heading = format!("answered {course}");
            writeln!(f, "{heading:36}{docker:>27}{:>27}{:>23}", "netebpf", "netebpf / Docker")?;
            for metric in Metric::ALL {
                self.row(f, course, metric)?;
            }
        }
        Ok(())
    }
}

impl Table<'_> {
    fn row(&self, f: &mut fmt::Formatter<'_>, course: Course, metric: Metric) -> fmt::Result {
        let figure = |course| Figure(metric, self.0.figure(course, metric)).to_string();
        let (docker, netebpf) = (figure(course.of_docker()), figure(course));
        write!(f, "  {:34}{docker:>27}{netebpf:>27}", metric.to_string())?;
        if !metric.is_lost() {
            let Spread { least, median, most } = self.0.ratio(course, metric);
            write!(f, "{:>23}", format!("{median:.3} ({least:.3}–{most:.3})"))?;
        }
        if let Some(goal) = Goal::of(course, metric) {
            let met = if goal.is_met(self.0) { "met" } else { "MISSED" };
            write!(f, "  {}: {met}", goal.bound)?;
        }
        writeln!(f)
    }
}

/// A median and its spread.
struct Figure(Metric, Spread);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(metric, Spread { least, median, most }) = self;
        match metric {
            Metric::DnsperfRate | Metric::OwnRate => write!(f, "{median:.0} ({least:.0}–{most:.0})"),
            Metric::DnsperfLost | Metric::OwnLost => write!(f, "{:.2} %", 100.0 * median),
            Metric::DnsperfLatency | Metric::SingleMedian | Metric::SingleSlow => {
                let [least, median, most] = [least, median, most].map(|seconds| 1e6 * seconds);
                write!(f, "{median:.1} ({least:.1}–{most:.1}) µs")
            }
        }
    }
}
