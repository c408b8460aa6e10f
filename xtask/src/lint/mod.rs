//! `cargo xtask lint`: what can be said about the sources without running them.

mod bpf;
mod documents;
mod imports;
mod rules;
mod source;
mod tidy;

use std::fmt;

use anyhow::{Result, bail};

use crate::{
    step::{self, say},
    test::Tally,
    workspace::{self, Workspace},
};

/// What a check came to; an error is a check that failed.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// Could not be made here, for this reason.
    Skipped(&'static str),
}

type Check = fn(&Workspace) -> Result<Outcome>;

const CHECKS: &[(&str, Check)] = &[
    ("formatting", formatting),
    ("imports", imports::check),
    ("tidiness", tidy::check),
    ("clippy", clippy),
    ("clippy for the BPF programs", bpf::clippy),
    ("documentation", documentation),
    ("commands in the documents", documents::check),
    ("licences and sources of dependencies", dependencies),
];

/// Runs every check; an error says how many failed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let Tally { passed, failed, .. } = all(workspace);
    say(&format!("{passed} checks passed, {failed} failed"));
    if failed > 0 {
        bail!("the sources do not keep the rules shown above");
    }
    Ok(())
}

/// Runs every check and counts; each failure is shown where it happens.
pub(crate) fn all(workspace: &Workspace) -> Tally {
    let mut tally = Tally::default();
    for (name, check) in CHECKS {
        match check(workspace) {
            Ok(Outcome::Passed) => {
                tally.passed += 1;
                say(&format!("lint {name}: ok"));
            }
            Ok(Outcome::Skipped(reason)) => say(&format!("lint {name}: skipped, {reason}")),
            Err(error) => {
                tally.failed += 1;
                say(&format!("lint {name}: FAILED\n{error:#}"));
            }
        }
    }
    tally
}

fn formatting(workspace: &Workspace) -> Result<Outcome> {
    step::run("cargo fmt", workspace.cargo(&["fmt", "--all", "--check", "--", "--color", "never"]))?;
    Ok(Outcome::Passed)
}

fn clippy(workspace: &Workspace) -> Result<Outcome> {
    step::run("cargo clippy", workspace.cargo(&["clippy", "--all-targets", "--", "-D", "warnings"]))?;
    Ok(Outcome::Passed)
}

fn documentation(workspace: &Workspace) -> Result<Outcome> {
    let mut cargo = workspace.cargo(&["doc", "--no-deps"]);
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    step::run("cargo doc", cargo)?;
    Ok(Outcome::Passed)
}

fn dependencies(workspace: &Workspace) -> Result<Outcome> {
    if workspace::on_path("cargo-deny").is_empty() {
        return Ok(Outcome::Skipped("cargo-deny is not installed"));
    }
    step::run("cargo deny", workspace.cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
    Ok(Outcome::Passed)
}

/// A place in a file that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Passes when there is nothing to show.
fn none_of(findings: &[Finding]) -> Result<Outcome> {
    if findings.is_empty() {
        return Ok(Outcome::Passed);
    }
    bail!("{}", findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n"))
}
