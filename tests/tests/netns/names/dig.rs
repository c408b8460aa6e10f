//! What dig shows of an answer, in parts.

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{engine::Engine, installed::Program};

use super::run_in;

/// An answer as dig shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Dug {
    /// Such as `NOERROR`.
    pub(super) status: String,
    /// Such as `qr rd ra`.
    pub(super) flags: String,
    /// What the server tells by EDNS, if it does: such as `version: 0, flags:; udp: 1232`.
    pub(super) edns: Option<String>,
    /// The name asked for, as the answer repeats it.
    pub(super) question: String,
    /// The records in their order.
    pub(super) records: Vec<Record>,
}

/// A record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The name that it is about.
    pub(super) owner: String,
    /// Seconds that it holds.
    pub(super) ttl: u32,
    /// Type and data, such as `A 172.18.0.2`.
    pub(super) data: String,
}

/// Asks with dig in a sandbox, once: `words` are a question and options in dig's own language.
pub(super) fn dig(engine: &Engine, sandbox: &str, words: &str) -> Result<Dug> {
    const SHOWN: &str = "+noall +comments +question +answer +tries=1 +time=5";
    let arguments: Vec<_> = SHOWN.split(' ').chain(words.split_whitespace()).collect();
    let said = run_in(engine, sandbox, Program::Dig, &arguments)?.ok()?;
    read(&said).with_context(|| format!("`dig {words}` in {sandbox} said {said}"))
}

fn read(said: &str) -> Result<Dug> {
    let mut dug = Dug::default();
    for line in said.lines() {
        if let Some((_, rest)) = line.split_once("status: ") {
            rest.split(',').next().unwrap_or_default().clone_into(&mut dug.status);
        } else if let Some(rest) = line.strip_prefix(";; flags: ") {
            rest.split(';').next().unwrap_or_default().clone_into(&mut dug.flags);
        } else if let Some(rest) = line.strip_prefix("; EDNS: ") {
            dug.edns = Some(rest.to_owned());
        } else if let Some(name) = line.strip_prefix(';').and_then(asked) {
            name.clone_into(&mut dug.question);
        } else if !line.starts_with(';') && !line.is_empty() {
            dug.records.push(record(line)?);
        }
    }
    ensure!(!dug.status.is_empty(), "no status");
    Ok(dug)
}

/// The name in a line of the question.
fn asked(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    (words.next() == Some("IN")).then_some(name)
}

fn record(line: &str) -> Result<Record> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [owner, ttl, "IN", data @ ..] = words.as_slice() else { anyhow::bail!("no record: {line}") };
    Ok(Record { owner: (*owner).to_owned(), ttl: ttl.parse()?, data: data.join(" ") })
}
