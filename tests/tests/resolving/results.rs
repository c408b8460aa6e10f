//! What is measured, the figures of all rounds, and what they say.

use std::{collections::BTreeMap, fmt};

use super::question::Question;

/// Who answers which question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Course {
    /// Docker's server, the plain question.
    Docker,
    /// netebpf in the kernel, the same question.
    Kernel,
    /// Docker's server, the question that netebpf's kernel part leaves alone.
    DockerWithOption,
    /// netebpf's server, the same question.
    Server,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    DnsperfRate,
    DnsperfLatency,
    DnsperfLost,
    OwnRate,
    OwnLost,
    SingleMedian,
    SingleSlow,
}

/// The middle of some values, and the outermost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    pub(super) least: f64,
    pub(super) median: f64,
    pub(super) most: f64,
}

/// The values of all rounds; rates each second, times in seconds.
#[derive(Debug)]
pub(super) struct Results {
    /// The version of the Docker Engine.
    pub(super) docker: String,
    values: BTreeMap<(Course, Metric), Vec<f64>>,
}

impl Course {
    pub(super) const ALL: [Self; 4] = [Self::Docker, Self::Kernel, Self::DockerWithOption, Self::Server];

    pub(super) const fn question(self) -> Question {
        match self {
            Self::Docker | Self::Kernel => Question::Plain,
            Self::DockerWithOption | Self::Server => Question::WithOption,
        }
    }

    /// Docker's answer to the same question.
    pub(super) const fn of_docker(self) -> Self {
        match self.question() {
            Question::Plain => Self::Docker,
            Question::WithOption => Self::DockerWithOption,
        }
    }
}

impl Metric {
    pub(super) const ALL: [Self; 7] = [
        Self::DnsperfRate,
        Self::DnsperfLatency,
        Self::DnsperfLost,
        Self::OwnRate,
        Self::OwnLost,
        Self::SingleMedian,
        Self::SingleSlow,
    ];

    /// Whether it is a share of queries, which nothing is to be divided by.
    pub(super) const fn is_lost(self) -> bool {
        matches!(self, Self::DnsperfLost | Self::OwnLost)
    }
}

impl Results {
    /// Nothing yet.
    pub(super) fn new(docker: String) -> Self {
        Self { docker, values: BTreeMap::new() }
    }

    /// Adds what one measurement of a course has found.
    pub(super) fn add(&mut self, course: Course, values: Vec<(Metric, f64)>) {
        for (metric, value) in values {
            self.values.entry((course, metric)).or_default().push(value);
        }
    }

    /// The values of one course.
    pub(super) fn figure(&self, course: Course, metric: Metric) -> Spread {
        Spread::of(self.rounds(course, metric).to_vec())
    }

    /// A course's values as multiples of Docker's, round by round.
    pub(super) fn ratio(&self, course: Course, metric: Metric) -> Spread {
        let (ours, docker) = (self.rounds(course, metric), self.rounds(course.of_docker(), metric));
        Spread::of(ours.iter().zip(docker).map(|(ours, docker)| ours / docker).collect())
    }

    fn rounds(&self, course: Course, metric: Metric) -> &[f64] {
        self.values.get(&(course, metric)).map_or(&[], Vec::as_slice)
    }
}

impl Spread {
    /// All zero if there are no values.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or_default();
        Self { least: at(0), median: at(values.len() / 2), most: at(values.len().saturating_sub(1)) }
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Kernel => "in the kernel",
            Self::DockerWithOption => "Docker, with an option",
            Self::Server => "by the server",
        })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DnsperfRate => "dnsperf, queries each second",
            Self::DnsperfLatency => "dnsperf, mean latency",
            Self::DnsperfLost => "dnsperf, lost",
            Self::OwnRate => "own generator, queries each second",
            Self::OwnLost => "own generator, lost",
            Self::SingleMedian => "one at a time, p50",
            Self::SingleSlow => "one at a time, p99",
        })
    }
}
