//! `cargo xtask test`: runs the layers in order and sums up what their runners report.

mod core;
mod layer;
mod tally;
mod vm;

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::ValueEnum;

pub(crate) use tally::Tally;

use self::layer::Layer;
use crate::{
    build::{self, Profile},
    dist, lint, setup,
    step::{self, Ended, Show, say},
    workspace::{self, Workspace},
};

/// What the user typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Layers to run, by default all but dist and vm
    #[arg(value_enum)]
    layers: Vec<Layer>,
    /// Only say which layers there are
    #[arg(long)]
    list: bool,
    /// In the layer vm, only kernels whose release begins like this, such as 6.1
    #[arg(long, value_name = "RELEASE")]
    kernel: Option<String>,
}

/// What one layer came to.
struct Row {
    layer: Layer,
    tally: Tally,
    wall: Duration,
}

/// Runs the layers; an error means that a test failed or that none could run.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.list {
        return list();
    }
    let layers = if args.layers.is_empty() { Layer::DEFAULT } else { &args.layers };
    if let Some(layer) = layers.iter().find(|layer| layer.needs_root() && !workspace::is_root()) {
        bail!(
            "layer {layer} needs root, for BPF programs and network namespaces; \
             without root these run: `cargo xtask test lint unit`"
        );
    }
    if layers.iter().any(|layer| layer.needs_programs()) {
        build::programs(workspace, Profile::Release)?;
    }
    let mut rows = Vec::new();
    for &layer in layers {
        let started = Instant::now();
        let tally = one(workspace, layer, args.kernel.as_deref()).unwrap_or_else(|error| {
            say(&format!("layer {layer}: {error:#}"));
            Tally { failed: 1, ..Tally::default() }
        });
        rows.push(Row { layer, tally, wall: started.elapsed() });
    }
    report(&rows)
}

/// Runs a layer; an error means that it could not run, which says nothing about the others.
fn one(workspace: &Workspace, layer: Layer, kernel: Option<&str>) -> Result<Tally> {
    let Some(arguments) = layer.cargo() else {
        return if layer == Layer::Vm { vm::run(workspace, kernel) } else { Ok(lint::all(workspace)) };
    };
    let mut cargo = workspace.cargo(arguments);
    match layer {
        Layer::Netns => {
            setup::programs(workspace)?;
            setup::docker_package(workspace)?;
        }
        Layer::Docker => setup::engine(workspace)?,
        Layer::Dist => {
            setup::packaging(workspace)?;
            cargo.env("NETEBPF_DIST", dist::twice(workspace)?);
        }
        Layer::Lint | Layer::Unit | Layer::Packet | Layer::Vm => {}
    }
    let mut tally = judge(layer, &step::watch(&format!("layer {layer}"), cargo, Show::All)?);
    if layer == Layer::Netns {
        tally.add(filters(workspace)?);
    }
    Ok(tally)
}

/// Runs the core tests with the programs attached by filters, as on kernels without TCX.
fn filters(workspace: &Workspace) -> Result<Tally> {
    let mut sum = Tally::default();
    for (suite, parts) in core::CORE {
        let mut cargo = workspace.cargo(&["test", "--release", "-p", "netebpf-tests", "--test", suite, "--"]);
        cargo.arg("--test-threads=2").args(*parts).env("NETEBPF_ATTACH", "clsact");
        sum.add(judge(
            Layer::Netns,
            &step::watch(&format!("{suite}, attached by clsact"), cargo, Show::All)?,
        ));
    }
    Ok(sum)
}

/// Counts tests; one that was ignored and a run without any have failed.
fn judge(layer: Layer, ended: &Ended) -> Tally {
    let mut tally = Tally::read(&ended.lines);
    if tally.ignored > 0 {
        say(&format!(
            "layer {layer}: {} ignored tests count as failed: let them run or remove them",
            tally.ignored
        ));
    }
    tally.failed += tally.ignored;
    if tally.failed == 0 && (tally.passed == 0 || !ended.status.success()) {
        let command = &ended.command;
        say(&format!(
            "layer {layer}: `{command}` ended with {}, {} tests passed",
            ended.status, tally.passed
        ));
        tally.failed = 1;
    }
    tally
}

fn report(rows: &[Row]) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n{:<8} {:<8} {:>7} {:>7} {:>9}", "layer", "result", "passed", "failed", "time")?;
    let mut sum = Tally::default();
    for Row { layer, tally, wall } in rows {
        let result = if tally.failed == 0 { "ok" } else { "FAILED" };
        let (passed, failed, wall) = (tally.passed, tally.failed, step::seconds(*wall));
        writeln!(out, "{:<8} {result:<8} {passed:>7} {failed:>7} {wall:>9}", layer.to_string())?;
        sum.add(*tally);
    }
    // The last line is for machines; the exit code says the same, so there is no error text after it.
    writeln!(out, "\n{} passed, {} failed", sum.passed, sum.failed)?;
    out.flush()?;
    if sum.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

fn list() -> Result<()> {
    let mut out = io::stdout().lock();
    for layer in Layer::value_variants() {
        let needs = if layer.needs_root() { "root" } else { "-" };
        writeln!(out, "{:<8} {needs:<6} {}", layer.to_string(), layer.proves())?;
    }
    Ok(())
}
