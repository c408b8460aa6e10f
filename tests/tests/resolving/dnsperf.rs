//! dnsperf, as users run it against their servers: what does it say?

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    installed::{Output, Program},
    netns::Namespace,
};

use super::question::{NAME, Question};

/// What dnsperf reports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    pub(super) per_second: f64,
    /// Mean time to an answer, in seconds.
    pub(super) latency: f64,
    /// Queries without answer, as a share of all.
    pub(super) lost: f64,
}

/// Asks for `seconds`, as four clients with 200 queries under way; keeps what it reads in `directory`.
pub(super) fn run(
    place: &Namespace,
    server: SocketAddr,
    question: Question,
    seconds: u32,
    directory: &Path,
) -> Result<Report> {
    let file = directory.join("questions");
    fs::write(&file, format!("{NAME} A\n"))?;
    let (address, port, option, file) = (server.ip(), server.port(), question.for_dnsperf(), file.display());
    let arguments = format!("-s {address} -p {port} -d {file} -c 4 -q 200 -l {seconds} -t 1 {option}");
    Report::read(&Program::Dnsperf.run(place, &arguments)?)
}

impl Report {
    fn read(output: &Output) -> Result<Self> {
        ensure!(output.succeeded, "{}", output.told);
        let value = |label: &str| {
            let mut lines = output.stdout.lines();
            let line = lines.find_map(|line| line.trim().strip_prefix(label)?.strip_prefix(':'));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            number.with_context(|| format!("dnsperf does not say \"{label}\": {}", output.told))
        };
        let (sent, lost) = (value("Queries sent")?, value("Queries lost")?);
        ensure!(output.stdout.contains("NOERROR"), "not one answer: {}", output.told);
        Ok(Self {
            per_second: value("Queries per second")?,
            latency: value("Average Latency (s)")?,
            lost: lost / sent,
        })
    }
}
