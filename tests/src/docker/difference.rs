//! What did the two say differently, and is it meant?

use std::{collections::BTreeSet, fmt};

use anyhow::{Context as _, Result, ensure};
use regex::Regex;

use super::{canonical, subject::Said};

/// Lines in a row that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// What Docker said.
    pub docker: Vec<String>,
    /// What netebpf said in its place.
    pub netebpf: Vec<String>,
}

/// A difference that is meant.
#[derive(Debug, Clone)]
struct Known {
    id: String,
    /// A part of each command that says it.
    command: String,
    /// The beginnings of the engine's versions that have it; none for all.
    engines: Vec<String>,
    how: How,
}

/// How the two differ.
#[derive(Debug, Clone)]
enum How {
    /// One says these lines, the other those; patterns for whole lines.
    Lines { docker: Vec<Regex>, netebpf: Vec<Regex> },
    /// Docker's lines are netebpf's without what matches this.
    Added(Regex),
    /// All the lines match this, whoever says them.
    Either(Regex),
}

/// The differences that are meant.
#[derive(Debug, Clone, Default)]
pub struct KnownDifferences(Vec<Known>);

impl Said {
    /// Everything that was said as lines: `=` before the exit code, `|` before output and `!` before errors.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let code =
            self.code.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}"));
        let output = canonical::text(&self.stdout);
        let output = output.lines().map(|line| format!("| {line}"));
        // A program calls itself by its name.
        let errors = self.stderr.replace("netebpf network ", "docker network ");
        let errors = errors.lines().filter_map(unframed).map(|line| format!("! {line}"));
        [format!("= {code}")].into_iter().chain(output).chain(errors).collect()
    }
}

/// A line of errors without what a program says of itself around them: its name, how it is used, and where to find help.
fn unframed(line: &str) -> Option<&str> {
    let is_frame = line.is_empty()
        || line.starts_with("Run 'docker ")
        || line.starts_with("Run 'netebpf ")
        || line.starts_with("Usage:  docker ")
        || line.starts_with("Usage:  netebpf ");
    let names = ["docker: ", "netebpf: "];
    (!is_frame).then(|| names.iter().find_map(|name| line.strip_prefix(name)).unwrap_or(line))
}

impl KnownDifferences {
    /// Reads the file: each table of `difference` has an `id` and a `reason`; patterns of the lines that `docker` and
    /// `netebpf` say, or of what netebpf has `added`, or of lines that `either` may say; perhaps the beginnings of the `engines`' versions that differ, and a
    /// `command` that must be part of the step.
    pub fn parse(text: &str) -> Result<Self> {
        let file: toml::Table = text.parse().context("known_differences.toml")?;
        let entries =
            file.get("difference").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let known: Vec<_> = entries.iter().map(Known::read).collect::<Result<_>>()?;
        let ids: BTreeSet<_> = known.iter().map(|known| &known.id).collect();
        ensure!(ids.len() == known.len(), "two known differences have the same id");
        Ok(Self(known))
    }

    /// Forgets what is not known of this version of the engine.
    pub fn keep_those_of(&mut self, version: &str) {
        self.0.retain(|known| {
            known.engines.is_empty() || known.engines.iter().any(|begin| version.starts_with(begin))
        });
    }

    /// The id of the difference that this hunk of a step's output is, if it is meant.
    #[must_use]
    pub fn find(&self, step: &str, hunk: &Hunk) -> Option<&str> {
        let is_it = |known: &&Known| step.contains(&known.command) && known.how.is(hunk);
        self.0.iter().find(is_it).map(|known| known.id.as_str())
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|known| known.id.as_str())
    }
}

impl Known {
    fn read(entry: &toml::Value) -> Result<Self> {
        let text = |name: &str| entry.get(name).and_then(toml::Value::as_str).map(str::to_owned);
        let id = text("id").context("a known difference has no id")?;
        text("reason").with_context(|| format!("the known difference {id} has no reason"))?;
        let engines = entry.get("engines").and_then(toml::Value::as_array).map(Vec::as_slice);
        let engines = engines.unwrap_or_default().iter().filter_map(|begin| Some(begin.as_str()?.to_owned()));
        let lines = |name: &str| {
            let text = text(name).unwrap_or_default();
            text.lines()
                .map(|line| Ok(Regex::new(&format!("^(?:{})$", line.trim()))?))
                .collect::<Result<Vec<_>>>()
        };
        let how = match (text("added"), text("either")) {
            (Some(pattern), _) => How::Added(Regex::new(&pattern)?),
            (None, Some(pattern)) => How::Either(Regex::new(&format!("^(?:{pattern})$"))?),
            (None, None) => How::Lines { docker: lines("docker")?, netebpf: lines("netebpf")? },
        };
        if let How::Lines { docker, netebpf } = &how {
            ensure!(!(docker.is_empty() && netebpf.is_empty()), "the known difference {id} is none");
        }
        Ok(Self { command: text("command").unwrap_or_default(), engines: engines.collect(), how, id })
    }
}

impl How {
    fn is(&self, hunk: &Hunk) -> bool {
        match self {
            Self::Lines { docker, netebpf } => {
                match_all(docker, &hunk.docker) && match_all(netebpf, &hunk.netebpf)
            }
            Self::Either(pattern) => {
                hunk.docker.iter().chain(&hunk.netebpf).all(|line| pattern.is_match(bare(line)))
            }
            Self::Added(pattern) => {
                // A line of its own, of which nothing is left, is not said by the other at all.
                let rest = |lines: &[String]| -> Vec<String> {
                    let rest = lines.iter().map(|line| pattern.replace_all(line, "").into_owned());
                    rest.filter(|line| !bare(line).is_empty()).collect()
                };
                let parts = |lines: &[String]| -> Vec<String> {
                    let parts = lines.iter().flat_map(|line| pattern.find_iter(line));
                    parts.map(|part| part.as_str().trim_matches(',').to_owned()).collect()
                };
                let mut added = parts(&hunk.netebpf).into_iter();
                let says_the_same = parts(&hunk.docker).iter().all(|part| added.any(|other| other == *part));
                says_the_same && rest(&hunk.docker) == rest(&hunk.netebpf)
            }
        }
    }
}

fn match_all(patterns: &[Regex], lines: &[String]) -> bool {
    patterns.len() == lines.len()
        && patterns.iter().zip(lines).all(|(pattern, line)| pattern.is_match(bare(line)))
}

/// A line without its mark and indentation.
fn bare(line: &str) -> &str {
    line.get(1..).unwrap_or_default().trim()
}

impl fmt::Display for Hunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let docker = self.docker.iter().map(|line| format!("    docker  {line}"));
        let netebpf = self.netebpf.iter().map(|line| format!("    netebpf {line}"));
        f.write_str(&docker.chain(netebpf).collect::<Vec<_>>().join("\n"))
    }
}

/// The hunks in which two texts differ: what is left of both without their longest common subsequence.
#[must_use]
pub fn compare(docker: &[String], netebpf: &[String]) -> Vec<Hunk> {
    let common = lengths(docker, netebpf);
    let (mut row, mut column) = (0, 0);
    let mut hunks = Vec::new();
    let mut open = Hunk { docker: Vec::new(), netebpf: Vec::new() };
    while row < docker.len() || column < netebpf.len() {
        let (left, right) = (docker.get(row), netebpf.get(column));
        if left == right {
            close(&mut open, &mut hunks);
            (row, column) = (row + 1, column + 1);
        } else if left.is_some() && (right.is_none() || common[row + 1][column] >= common[row][column + 1]) {
            open.docker.extend(left.cloned());
            row += 1;
        } else {
            open.netebpf.extend(right.cloned());
            column += 1;
        }
    }
    close(&mut open, &mut hunks);
    hunks
}

fn close(open: &mut Hunk, hunks: &mut Vec<Hunk>) {
    if !open.docker.is_empty() || !open.netebpf.is_empty() {
        hunks.push(Hunk {
            docker: std::mem::take(&mut open.docker),
            netebpf: std::mem::take(&mut open.netebpf),
        });
    }
}

/// How long the longest common subsequence is of what follows each pair of places.
fn lengths(left: &[String], right: &[String]) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
    for row in (0..left.len()).rev() {
        for column in (0..right.len()).rev() {
            table[row][column] = if left[row] == right[column] {
                table[row + 1][column + 1] + 1
            } else {
                table[row + 1][column].max(table[row][column + 1])
            };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split(' ').filter(|word| !word.is_empty()).map(|word| format!("| {word}")).collect()
    }

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(compare(&lines("a b c"), &lines("a b c")), []);
        let hunks = compare(&lines("a b c d"), &lines("a x c d e"));
        assert_eq!(
            hunks,
            [
                Hunk { docker: lines("b"), netebpf: lines("x") },
                Hunk { docker: Vec::new(), netebpf: lines("e") }
            ]
        );
    }

    #[test]
    fn errors_are_compared_without_the_program_that_says_them() {
        let stderr = "docker: x is not a valid mac address\n\nRun 'docker run --help' for more information\n";
        let said = Said { code: Some(125), stdout: String::new(), stderr: stderr.to_owned() };
        assert_eq!(said.lines(), ["= exit code 125", "! x is not a valid mac address"]);
    }

    #[test]
    fn a_difference_is_known_by_its_lines_and_its_command() {
        let file =
            "[[difference]]\nid = 'order'\nreason = 'r'\ncommand = 'ls'\ndocker = 'b'\nnetebpf = 'x'\n";
        let known = KnownDifferences::parse(file).expect("it parses");
        let hunk = Hunk { docker: lines("b"), netebpf: lines("x") };
        assert_eq!(known.find("docker network ls", &hunk), Some("order"));
        assert_eq!(known.find("docker network rm", &hunk), None);
        assert_eq!(known.find("docker network ls", &Hunk { docker: lines("c"), ..hunk }), None);
    }

    #[test]
    fn what_netebpf_adds_may_be_a_part_of_a_line_or_a_line() {
        let file = "[[difference]]\nid = 'gateway'\nreason = 'r'\nengines = ['28.']\nadded = ',?\"G\": ?\"[^\"]*\",?'\n";
        let mut known = KnownDifferences::parse(file).expect("it parses");
        let part = Hunk { docker: lines("{\"S\":\"a\"}"), netebpf: lines("{\"S\":\"a\",\"G\":\"b\"}") };
        let line = Hunk { docker: Vec::new(), netebpf: vec!["|   \"G\": \"b\",".to_owned()] };
        let other = Hunk { docker: lines("{\"S\":\"c\"}"), ..part.clone() };
        assert_eq!(known.find("x", &part), Some("gateway"));
        assert_eq!(known.find("x", &line), Some("gateway"));
        assert_eq!(known.find("x", &other), None);
        known.keep_those_of("28.5.2");
        assert_eq!(known.find("x", &part), Some("gateway"));
        known.keep_those_of("29.0.0");
        assert_eq!(known.find("x", &part), None);
    }

    #[test]
    fn lines_may_be_of_no_account_whoever_says_them() {
        let file = "[[difference]]\nid = 'names'\nreason = 'r'\neither = 'ns .|x'\n";
        let known = KnownDifferences::parse(file).expect("it parses");
        let ns = |text: &str| vec![format!("| ns {text}")];
        assert_eq!(known.find("x", &Hunk { docker: ns("1"), netebpf: lines("x") }), Some("names"));
        assert_eq!(known.find("x", &Hunk { docker: Vec::new(), netebpf: ns("2") }), Some("names"));
        assert_eq!(known.find("x", &Hunk { docker: ns("1"), netebpf: lines("y") }), None);
        assert_eq!(known.find("x", &Hunk { docker: ns("10"), netebpf: Vec::new() }), None);
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let error =
            KnownDifferences::parse("[[difference]]\nid = 'order'\ndocker = 'b'\n").expect_err("no reason");
        assert!(error.to_string().contains("order has no reason"), "{error}");
    }
}
