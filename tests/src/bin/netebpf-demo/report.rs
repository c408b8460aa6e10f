//! What the demo prints: one line for each thing tried on standard output, progress on standard error.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use netebpf_tests::{
    bench::{Carrier, Route, Row},
    scenario::{Phase, Stage, StepResult},
};
use serde_json::Value;

const TICK: Duration = Duration::from_millis(100);
const MICRO: f64 = 1e6;
const GIGA: f64 = 1e9;

/// Writes the demo's report and keeps count.
pub(crate) struct Report {
    colour: bool,
    spinner: ProgressBar,
    tried: usize,
    wrong: usize,
}

#[derive(Clone, Copy)]
enum Paint {
    Bold = 1,
    Faint = 2,
    Red = 31,
    Green = 32,
}

impl Report {
    pub(crate) fn new() -> Self {
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        spinner.enable_steady_tick(TICK);
        Self { colour: io::stdout().is_terminal(), spinner, tried: 0, wrong: 0 }
    }

    /// Shows on standard error what is going on.
    pub(crate) fn busy(&self, what: &str) {
        self.spinner.set_message(what.to_owned());
    }

    /// A bar with `length` ticks, in place of the spinner.
    pub(crate) fn bar(&self, length: u64) -> ProgressBar {
        self.busy("measuring");
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar
    }

    pub(crate) fn say(&self, line: &str) {
        self.spinner.suspend(|| {
            // A reader that went away is no reason to stop before the clean-up.
            drop(writeln!(io::stdout().lock(), "{line}"));
        });
    }

    pub(crate) fn section(&self, title: &str) {
        self.say("");
        self.say(&self.paint(Paint::Bold, title));
    }

    pub(crate) fn introduce(&self, stage: &Stage, took: Duration) {
        for network in [&stage.front, &stage.back] {
            self.say(&format!(
                "  network {:<7} {:<16} gateway {}",
                network.name, network.subnet, network.gateway
            ));
        }
        for sandbox in [&stage.web, &stage.app, &stage.db, &stage.worker] {
            self.say(&format!("  sandbox {:<7} {}", sandbox.namespace.name(), sandbox.address));
        }
        self.say(&self.paint(Paint::Faint, format!("  set up in {}", time(took))));
    }

    pub(crate) fn step(&mut self, title: &str, result: StepResult, took: Duration) {
        match result {
            Ok(phases) => {
                let holds = phases.iter().all(Phase::holds);
                self.verdict(holds, title, took);
                for phase in phases {
                    self.phase(&phase);
                }
            }
            Err(error) => {
                self.verdict(false, title, took);
                self.say(&format!("      {error:#}"));
            }
        }
    }

    pub(crate) fn clean(&mut self, struck: Result<()>, took: Duration) {
        let title = "nothing is left: links, namespaces, pins, programs, processes, files";
        self.step(title, struck.map(|()| Vec::new()), took);
    }

    pub(crate) fn failed(&mut self, what: &str, error: &Error) {
        self.spinner.finish_and_clear();
        self.say(&self.paint(Paint::Red, format!("✘ {what}: {error:#}")));
    }

    /// The last line, and the exit code.
    pub(crate) fn conclude(self) -> ExitCode {
        self.spinner.finish_and_clear();
        let right = self.tried - self.wrong;
        self.say("");
        if self.wrong == 0 {
            self.say(&self.paint(Paint::Green, format!("all {right} steps came out as expected")));
            ExitCode::SUCCESS
        } else {
            self.say(&self.paint(Paint::Red, format!("{} of {} steps did not", self.wrong, self.tried)));
            ExitCode::FAILURE
        }
    }

    pub(crate) fn speeds(&self, rows: &[Row]) {
        for route in Route::ALL {
            self.say(&format!(
                "  {:<26}{:>10}{:>10}{:>14}{:>10}{:>24}",
                route.as_str(),
                "p50 µs",
                "p99 µs",
                "round trips/s",
                "Gbit/s",
                "p50, rate against bare"
            ));
            let of = |row: &&Row| row.route == route;
            let bare = rows.iter().filter(of).find(|row| row.carrier == Carrier::BareVethPair);
            for row in rows.iter().filter(of) {
                let latency = row.latency;
                let against = bare.map_or_else(String::new, |bare| {
                    let slower = latency.p50.as_secs_f64() / bare.latency.p50.as_secs_f64();
                    format!("× {slower:.2}, × {:.2}", row.throughput / bare.throughput)
                });
                self.say(&format!(
                    "    {:<24}{:>10.1}{:>10.1}{:>14.0}{:>10.2}{against:>24}",
                    row.carrier.as_str(),
                    latency.p50.as_secs_f64() * MICRO,
                    latency.p99.as_secs_f64() * MICRO,
                    latency.per_second,
                    row.throughput / GIGA,
                ));
            }
        }
    }

    /// The counters of `netebpf status --json` that are not zero.
    pub(crate) fn counters(&self, status: &Value) -> Result<()> {
        let counters =
            status.get("counters").and_then(Value::as_array).context("`status --json` has no counters")?;
        for counter in counters {
            let text = |name| counter.get(name).and_then(Value::as_str).unwrap_or_default();
            let packets = counter.get("packets").and_then(Value::as_u64).unwrap_or_default();
            if packets > 0 {
                let meaning = self.paint(Paint::Faint, text("meaning"));
                self.say(&format!("  {packets:>10}  {:<15}{:<22}{meaning}", text("hook"), text("outcome")));
            }
        }
        Ok(())
    }

    fn verdict(&mut self, holds: bool, title: &str, took: Duration) {
        self.tried += 1;
        self.wrong += usize::from(!holds);
        let mark = if holds { self.paint(Paint::Green, "✔") } else { self.paint(Paint::Red, "✘") };
        self.say(&format!("{mark} {title:<90}{:>10}", time(took)));
    }

    fn phase(&self, phase: &Phase) {
        let Phase { who, tried, expected, seen } = phase;
        let mark = if phase.holds() { " ".to_owned() } else { self.paint(Paint::Red, "✘") };
        let line = format!("{mark}   {who:<8} {tried:<34} expected {expected:<24} seen {seen}");
        self.say(&if phase.holds() { self.paint(Paint::Faint, &line) } else { line });
    }

    fn paint(&self, paint: Paint, text: impl Display) -> String {
        if self.colour { format!("\x1b[{}m{text}\x1b[0m", paint as u8) } else { text.to_string() }
    }
}

fn time(took: Duration) -> String {
    let milliseconds = took.as_secs_f64() * 1e3;
    if milliseconds < 1e3 { format!("{milliseconds:.1} ms") } else { format!("{:.1} s", milliseconds / 1e3) }
}
