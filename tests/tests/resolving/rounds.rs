//! All courses take turns, round by round, so that whatever else the machine does meets all of them alike.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{docker::subject::Engine, wait};

use super::{
    asker::{Asker, SERVER},
    dnsperf, generator,
    question::Question,
    results::{Course, Metric, Results},
};

/// Odd, so that there is a median; each second round goes the other way round.
const ROUNDS: usize = 7;

/// The kernel answers who seeks the server by ARP as well, but not so many times.
const FEW: u64 = 100;

const DNSPERF_SECONDS: u32 = 2;
const ONE_FLOOD: Duration = Duration::from_millis(1500);
const ONE_BY_ONE: Duration = Duration::from_millis(500);

/// Starts both engines and measures.
pub(super) fn measure() -> Result<Results> {
    let (docker, netebpf) = (Asker::start(Engine::Docker)?, Asker::start(Engine::Netebpf)?);
    let mut results = Results::new(docker.version()?);
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
