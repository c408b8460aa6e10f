//! The demo: netebpf on real packets, in throw-away network namespaces. Exit code 0 only if all was as
//! expected.
#![forbid(unsafe_code)]

use std::{process::ExitCode, thread, time::Instant};

use anyhow::{Result, bail};
use netebpf_tests::{
    bench,
    scenario::{STEPS, Stage},
    wait,
};
use nix::unistd::Uid;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use report::Report;

mod report;

/// As shells report a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let mut report = Report::new();
    let played = watch_signals().and_then(|()| play(&mut report));
    if wait::check_interrupt().is_err() {
        report.say("interrupted; everything is cleaned up");
        return ExitCode::from(INTERRUPTED);
    }
    match played {
        Ok(()) => report.conclude(),
        Err(error) => {
            report.failed("the demo could not go on", &error);
            ExitCode::FAILURE
        }
    }
}

fn play(report: &mut Report) -> Result<()> {
    if !Uid::effective().is_root() {
        bail!("the demo makes network namespaces and loads BPF programs: run it as root");
    }
    report.section(
        "On stage: a host, a client and a server outside it, networks front and back, four sandboxes",
    );
    report.busy("setting the stage");
    let start = Instant::now();
    let mut stage = Stage::new("demo")?;
    report.introduce(&stage, start.elapsed());

    report.section("Who reaches whom");
    for step in STEPS {
        wait::check_interrupt()?;
        report.busy(&step.title());
        let start = Instant::now();
        let result = (step.run)(&stage);
        wait::check_interrupt()?;
        report.step(&step.title(), result, start.elapsed());
    }

    report.section("How fast (TCP ping-pong of 64 bytes, bulk TCP; medians of interleaved rounds)");
    let bar = report.bar(bench::MEASUREMENTS as u64);
    let rows = bench::compare(&stage, |what| {
        bar.set_message(what.to_owned());
        bar.inc(1);
    });
    bar.finish_and_clear();
    report.speeds(&rows?);

    report.section("What became of the packets");
    report.counters(&stage.engine.json(&["status", "--json"])?)?;

    report.section("Clean-up");
    report.busy("cleaning up");
    let start = Instant::now();
    let struck = stage.strike();
    report.clean(struck, start.elapsed());
    Ok(())
}

/// Makes Ctrl-C and SIGTERM end the demo through its clean-up.
fn watch_signals() -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = runtime.block_on(async {
        anyhow::Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    })?;
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        wait::interrupt();
    });
    Ok(())
}
