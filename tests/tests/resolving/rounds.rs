//! All courses take turns, round by round, so that whatever else the machine does meets all of them alike.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{docker::subject::Engine, wait};

use super::{
    asker::{Asker, SERVER},
    dnsperf, generator,
    question::Question,
};

/// Odd, so that there is a median; each second round goes the other way round.
const ROUNDS: usize = 7;

/// The kernel answers who seeks the server by ARP as well, but not so many times.
const FEW: u64 = 100;

const DNSPERF_SECONDS: u32 = 2;
const ONE_FLOOD: Duration = Duration::from_millis(1500);
const ONE_BY_ONE: Duration = Duration::from_millis(500);

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

    const fn question(self) -> Question {
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

/// Starts both engines and measures.
pub(super) fn measure() -> Result<Results> {
    let (docker, netebpf) = (Asker::start(Engine::Docker)?, Asker::start(Engine::Netebpf)?);
    let mut results = Results { docker: docker.version()?, values: BTreeMap::new() };
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        let mut order = Course::ALL;
        if round.is_multiple_of(2) {
            order.reverse();
        }
        for generator in [by_dnsperf, by_own_generator, one_by_one] {
            for course in order {
                wait::check_interrupt()?;
                let asker = match course {
                    Course::Docker | Course::DockerWithOption => &docker,
                    Course::Kernel | Course::Server => &netebpf,
                };
                let before = netebpf.answered_in_kernel()?;
                let values = generator(asker, course.question());
                results.add(course, values.with_context(|| course.to_string())?);
                let in_kernel = netebpf.answered_in_kernel()? - before > FEW;
                ensure!(in_kernel == (course == Course::Kernel), "{course}: answered by somebody else");
            }
        }
    }
    Ok(results)
}

type Values = Vec<(Metric, f64)>;

fn by_dnsperf(asker: &Asker, question: Question) -> Result<Values> {
    let report = dnsperf::run(&asker.namespace, SERVER, question, DNSPERF_SECONDS, &asker.directory)?;
    Ok(vec![
        (Metric::DnsperfRate, report.per_second),
        (Metric::DnsperfLatency, report.latency),
        (Metric::DnsperfLost, report.lost),
    ])
}

fn by_own_generator(asker: &Asker, question: Question) -> Result<Values> {
    let flood = asker.namespace.run(|| generator::flood(SERVER, question, ONE_FLOOD))?;
    Ok(vec![(Metric::OwnRate, flood.per_second), (Metric::OwnLost, flood.lost)])
}

fn one_by_one(asker: &Asker, question: Question) -> Result<Values> {
    let single = asker.namespace.run(|| generator::one_by_one(SERVER, question, ONE_BY_ONE))?;
    let values = [(Metric::SingleMedian, single.p50), (Metric::SingleSlow, single.p99)];
    Ok(values.map(|(metric, time)| (metric, time.as_secs_f64())).to_vec())
}

impl Results {
    fn add(&mut self, course: Course, values: Values) {
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
