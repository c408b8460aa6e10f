//! Go's `text/template` with the functions of Docker's client: parsed once, executed for each value.
//!
//! Left out, because formats on a command line have no use for it: `define`, `template` and `block`, and the functions
//! `call`, `html`, `js` and `urlquery`.

#[expect(clippy::wildcard_enum_match_arm, reason = "all other values are one error")]
mod call;
mod evaluate;
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values are one error")]
mod functions;
mod lex;
mod node;
#[expect(clippy::wildcard_enum_match_arm, reason = "all other tokens are one error")]
mod parse;
#[expect(clippy::wildcard_enum_match_arm, reason = "all other tokens are one error")]
mod pipeline;
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values are one error")]
mod printf;
mod token;

use super::data::Data;

/// What Go's templates take for white space.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// Parentheses within parentheses and branches within branches; each takes some stack.
const MAXIMUM_DEPTH: usize = 200;

/// Why a template cannot be parsed or executed, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no template.
    #[error("template: :{line}: {problem}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// It does not fit the value.
    #[error("template: :{line}:{column}: executing \"\" at <{node}>: {problem}")]
    Execution {
        /// The line, from 1.
        line: usize,
        /// Bytes before it in its line.
        column: usize,
        /// The part that fails.
        node: String,
        /// Why it does.
        problem: String,
    },
}

/// A template that can be executed.
#[derive(Debug)]
pub(super) struct Template {
    source: String,
    nodes: Vec<node::Node>,
}

/// How a template is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// What a map does not hold is `<no value>`.
    Values,
    /// What a map does not hold is an error: Go's option `missingkey=error`.
    Strict,
    /// On the headings of a table, which Docker's functions leave as they are.
    Headings,
}

impl Template {
    /// Parses a template.
    pub(super) fn parse(source: &str) -> Result<Self, Error> {
        Ok(Self { source: source.to_owned(), nodes: parse::parse(source)? })
    }

    /// What the template makes of a value, and why it ended early if it did.
    pub(super) fn execute(&self, value: &Data, mode: Mode) -> (String, Result<(), Error>) {
        evaluate::evaluate(&self.source, &self.nodes, value, mode)
    }
}

/// The number, from 1, of the line that a position lies in.
fn line(source: &str, position: usize) -> usize {
    1 + source[..position].matches('\n').count()
}
