//! What a new network or sandbox costs where there are a thousand, beside where there are ten. Needs root.
#![forbid(unsafe_code)]

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{engine::Engine, topology::World, wait};

const FEW: usize = 10;
const MANY: usize = 1000;

/// Measurements of one kind; their median counts.
const SAMPLES: usize = 15;

/// How much slower a new endpoint may come among many.
const LIMIT: f64 = 1.5;

/// Names on one command line when things are removed.
const BATCH: usize = 100;

fn subnet(number: usize) -> String {
    format!("10.{}.{}.0/24", 100 + number / 250, number % 250)
}

/// Makes networks and sandboxes, one on each, up to a number.
fn fill(engine: &Engine, from: usize, to: usize) -> Result<Duration> {
    let begin = Instant::now();
    for number in from..to {
        let (network, sandbox) = (format!("net{number}"), format!("box{number}"));
        engine.ok(&["network", "create", "--subnet", &subnet(number), &network])?;
        engine.ok(&["run", "-d", "--name", &sandbox, "--network", &network, "--", "sleep", "1d"])?;
    }
    Ok(begin.elapsed())
}

/// The median time of making a sandbox with one endpoint and giving it another.
fn cost(engine: &Engine) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..SAMPLES {
        let begin = Instant::now();
        engine.ok(&["run", "-d", "--name", "new", "--network", "net0", "--", "sleep", "1d"])?;
        engine.ok(&["network", "connect", "net1", "new"])?;
        times.push(begin.elapsed());
        engine.ok(&["rm", "-f", "new"])?;
    }
    times.sort_unstable();
    Ok(times[SAMPLES / 2])
}

/// Memory of the daemon, in kibibytes.
fn memory(engine: &Engine) -> Result<u64> {
    let status = engine.json(&["status", "--json"])?;
    let pid = status["pid"].as_u64().context("status tells no pid")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn names(kind: &str) -> Vec<String> {
    (0..MANY).map(|number| format!("{kind}{number}")).collect()
}

fn remove(engine: &Engine, command: &[&str], names: &[String]) -> Result<()> {
    for batch in names.chunks(BATCH) {
        let names: Vec<_> = batch.iter().map(String::as_str).collect();
        engine.ok(&[command, &names].concat())?;
    }
    Ok(())
}

#[test]
fn a_new_endpoint_comes_as_fast_among_a_thousand_as_among_ten() -> Result<()> {
    let engine = Engine::start(Arc::new(World::new("thousand")?))?;
    fill(&engine, 0, FEW)?;
    let among_few = cost(&engine)?;
    let made = fill(&engine, FEW, MANY)?;
    let memory = memory(&engine)?;

    let begin = Instant::now();
    ensure!(engine.ok(&["network", "ls", "-q", "--filter", "type=custom"])?.lines().count() == MANY);
    ensure!(engine.ok(&["ps", "-q"])?.lines().count() == MANY);
    let listed = begin.elapsed();

    // Other tests may have the machine to themselves for a while.
    let mut among_many = cost(&engine)?;
    let is_fair = |among_many: Duration| among_many.as_secs_f64() <= LIMIT * among_few.as_secs_f64();
    for _ in 0..2 {
        if !is_fair(among_many) {
            among_many = among_many.min(cost(&engine)?);
        }
    }

    let begin = Instant::now();
    remove(&engine, &["rm", "-f"], &names("box"))?;
    remove(&engine, &["network", "rm"], &names("net"))?;
    let removed = begin.elapsed();
    eprintln!(
        "{MANY} networks and sandboxes: made in {made:.1?}, listed in {listed:.1?}, removed in {removed:.1?}; \
         {memory} KiB; a new sandbox with two endpoints {among_few:.1?} among {FEW}, {among_many:.1?} among {MANY}"
    );
    ensure!(is_fair(among_many), "{among_many:?} among {MANY}, {among_few:?} among {FEW}");
    wait::until("nothing is to do", wait::LONG, || {
        (engine.ok(&["plan"]).ok()?.trim() == "nothing to do").then_some(())
    })?;
    ensure!(engine.ok(&["ps", "-aq"])?.is_empty());
    Ok(())
}
