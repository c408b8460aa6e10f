//! What a guest said, as a table for people and counts for the summary.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde_json::Value;

use super::guest::MARK;
use crate::{
    setup::Support,
    step,
    test::{Tally, core},
};

/// Half of what the verifier looks at before it gives up, so that a kernel that looks closer still takes the programs.
const VERIFIED_LIMIT: u64 = 500_000;

/// How many lines of the guest are repeated when something failed.
const TAIL: usize = 80;

/// One kernel's result.
#[derive(Debug)]
pub(super) struct Machine {
    /// Release of the kernel.
    pub(super) release: String,
    /// Whether netebpf is to run on it.
    pub(super) support: Support,
    /// What it said.
    pub(super) outcome: Outcome,
    /// From the start of the emulator to its end.
    pub(super) wall: Duration,
    /// Whether it was ended by the deadline.
    pub(super) timed_out: bool,
}

/// What can be read from a guest's console.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// How programs are attached; empty if the daemon did not start.
    attach_mode: String,
    /// Verified instructions of each program; 0 where the kernel does not count them.
    programs: BTreeMap<String, u64>,
    /// Features that the kernel lacks.
    missing: Vec<String>,
    /// What the daemon said to an unsupported kernel.
    refusal: Option<String>,
    /// Tests.
    tally: Tally,
    /// Suites that did not come to a good end, although no test of theirs is said to have failed.
    broken: Vec<&'static str>,
    /// Whether it came to its end.
    ended: bool,
}

impl Machine {
    /// The tests, one more each for the daemon's start, or refusal to, and for the end, and one for each broken suite.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = self.outcome.tally;
        let started = match self.support {
            Support::Supported => !self.outcome.programs.is_empty(),
            Support::TooOld => self.outcome.refusal.is_some(),
        };
        let is_roomy = self.outcome.programs.values().all(|count| *count <= VERIFIED_LIMIT);
        for holds in [started, is_roomy, self.outcome.ended && !self.timed_out] {
            tally.passed += usize::from(holds);
            tally.failed += usize::from(!holds);
        }
        if self.support == Support::Supported {
            tally.failed += self.outcome.broken.len();
        }
        tally
    }

    fn result(&self) -> &str {
        match &self.outcome.refusal {
            _ if self.timed_out => "out of time",
            Some(reason) => reason,
            None if self.outcome.programs.is_empty() => "the daemon does not start",
            None if self.tally().failed == 0 => "ok",
            None if !self.outcome.broken.is_empty() => "a suite broke off",
            None => "FAILED",
        }
    }
}

impl Outcome {
    /// Reads a console.
    pub(super) fn read(lines: &[String]) -> Self {
        let ended = section(lines, "end").is_some();
        let log = section(lines, "log").unwrap_or_default();
        let refusal = log.iter().find_map(|line| Some(line.split_once("Error: kernel ")?.1.to_owned()));
        let is_broken = |suite: &&str| {
            let failed = section(lines, &format!("tests {suite}")).map(|said| Tally::read(said).failed);
            section(lines, &format!("{suite} holds")).is_none() && failed.unwrap_or(0) == 0
        };
        let broken = core::suites().filter(is_broken).collect();
        let mut outcome = Self { tally: Tally::read(lines), refusal, ended, broken, ..Self::default() };
        let Some(status) = section(lines, "status").and_then(parse) else { return outcome };
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let list = |key: &str| status[key].as_array().cloned().unwrap_or_default();
        outcome.attach_mode = text(&status, "attach_mode");
        outcome.programs = list("programs")
            .iter()
            .map(|program| (text(program, "name"), program["instructions"].as_u64().unwrap_or(0)))
            .collect();
        let missing = list("features").into_iter().filter(|feature| feature["available"] == false);
        outcome.missing = missing.map(|feature| text(&feature, "name")).collect();
        outcome
    }
}

/// The table: a row for each program, a column for each kernel.
pub(super) fn table(machines: &[Machine]) -> String {
    let mut table = String::from("| program |");
    for machine in machines {
        write!(table, " {} |", machine.release).expect("a string takes everything");
    }
    table.push_str("\n|---|");
    table.push_str(&"---:|".repeat(machines.len()));
    let mut programs: Vec<_> = machines.iter().flat_map(|machine| machine.outcome.programs.keys()).collect();
    programs.sort();
    programs.dedup();
    let instructions = |machine: &Machine, program: &str| match machine.outcome.programs.get(program) {
        None => "-".to_owned(),
        // Counted since Linux 5.16.
        Some(0) => "loaded".to_owned(),
        Some(count) => count.to_string(),
    };
    for program in programs {
        row(&mut table, program, machines, |machine| instructions(machine, program));
    }
    row(&mut table, "attached by", machines, |machine| machine.outcome.attach_mode.clone());
    row(&mut table, "not in this kernel", machines, |machine| machine.outcome.missing.join(", "));
    row(&mut table, "tests passed", machines, |machine| machine.outcome.tally.passed.to_string());
    row(&mut table, "tests failed", machines, |machine| machine.outcome.tally.failed.to_string());
    row(&mut table, "time", machines, |machine| step::seconds(machine.wall));
    row(&mut table, "result", machines, |machine| machine.result().to_owned());
    table.push('\n');
    table
}

/// What went wrong, out of a console: the daemon's log, failed tests, or else the last lines.
pub(super) fn complaints(lines: &[String]) -> Vec<&str> {
    let shown = |line: &&String| {
        line.starts_with(MARK)
            || line.contains("FAILED")
            || line.contains("panicked")
            || line.starts_with("Error")
            || line.starts_with("    ")
    };
    let mut found: Vec<_> = lines.iter().filter(shown).map(String::as_str).collect();
    if let Some(log) = section(lines, "log") {
        found.splice(0..0, log.iter().map(String::as_str));
    }
    let skipped = found.len().saturating_sub(TAIL);
    found.split_off(skipped)
}

fn row(table: &mut String, name: &str, machines: &[Machine], cell: impl Fn(&Machine) -> String) {
    write!(table, "\n| {name} |").expect("a string takes everything");
    for machine in machines {
        write!(table, " {} |", cell(machine)).expect("a string takes everything");
    }
}

/// The lines between a mark and the next; the kernel may have written before the mark.
fn section<'a>(lines: &'a [String], name: &str) -> Option<&'a [String]> {
    let mark = format!("{MARK}{name}");
    let begin = lines.iter().position(|line| line.ends_with(&mark))? + 1;
    let rest = &lines[begin..];
    let end = rest.iter().position(|line| line.contains(MARK)).unwrap_or(rest.len());
    Some(&rest[..end])
}

fn parse(lines: &[String]) -> Option<Value> {
    serde_json::from_str(&lines.join("\n")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "\
        Booting\n\
        [0.1] @@@ up\n\
        @@@ status\n\
        { \"attach_mode\": \"clsact\",\n\
        \"programs\": [{\"name\": \"from_container\", \"instructions\": 7}],\n\
        \"features\": [{\"name\": \"tcx\", \"available\": false}, {\"name\": \"ipv6\", \"available\": true}] }\n\
        @@@ log\n\
        @@@ tests netns\n\
        test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
        @@@ netns holds\n\
        @@@ tests matrix\n\
        test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
        @@@ matrix holds\n\
        @@@ end\n\
        reboot: Power down";

    fn machine(console: &str, support: Support) -> Machine {
        let lines: Vec<_> = console.lines().map(str::to_owned).collect();
        let outcome = Outcome::read(&lines);
        Machine {
            release: "6.1".to_owned(),
            support,
            outcome,
            wall: Duration::from_secs(4),
            timed_out: false,
        }
    }

    #[test]
    fn a_console_is_read_into_a_table() {
        let machine = machine(CONSOLE, Support::Supported);
        assert_eq!(machine.tally(), Tally { passed: 8, failed: 0, ignored: 0 });
        let table = table(&[machine]);
        for line in [
            "| from_container | 7 |",
            "| attached by | clsact |",
            "| not in this kernel | tcx |",
            "| result | ok |",
        ] {
            assert!(table.contains(line), "{table}");
        }
    }

    #[test]
    fn a_program_that_the_verifier_looks_at_for_too_long_has_failed() {
        let long = CONSOLE.replace("\"instructions\": 7", "\"instructions\": 500001");
        assert_eq!(machine(&long, Support::Supported).tally().failed, 1);
    }

    #[test]
    fn a_guest_that_does_not_come_to_its_end_has_failed() {
        let panicked = CONSOLE.replace("@@@ end\n", "Kernel panic\n");
        assert_eq!(machine(&panicked, Support::Supported).tally().failed, 1);
        let refused = "@@@ up\n@@@ status\n@@@ log\nError: the verifier refuses it\n@@@ end";
        assert_eq!(machine(refused, Support::Supported).tally().failed, 3);
        assert!(table(&[machine(refused, Support::Supported)]).contains("does not start"));
        let lines: Vec<_> = refused.lines().map(str::to_owned).collect();
        assert_eq!(complaints(&lines).first(), Some(&"Error: the verifier refuses it"));
    }

    #[test]
    fn a_suite_that_breaks_off_has_failed_once() {
        let broken = CONSOLE.replace("@@@ matrix holds\n", "");
        assert_eq!(machine(&broken, Support::Supported).tally().failed, 1);
        assert!(table(&[machine(&broken, Support::Supported)]).contains("a suite broke off"));
        let failed = broken.replace("2 passed; 0 failed", "1 passed; 1 failed");
        assert_eq!(machine(&failed, Support::Supported).tally().failed, 1);
    }

    #[test]
    fn a_kernel_that_is_too_old_has_to_be_refused_with_a_reason() {
        let refused = "@@@ up\n@@@ status\n@@@ log\nError: kernel 5.10 lacks netns_cookie\n@@@ end";
        assert_eq!(machine(refused, Support::TooOld).tally().failed, 0);
        assert_eq!(machine(refused, Support::Supported).tally().failed, 3);
        assert!(table(&[machine(refused, Support::TooOld)]).contains("| result | 5.10 lacks netns_cookie |"));
        assert_eq!(machine(CONSOLE, Support::TooOld).tally().failed, 1);
    }
}
