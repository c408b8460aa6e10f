//! Why something cannot be printed as asked, in the words of Docker's client.

use super::template;

/// Why something cannot be printed as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A format of a list is no template, or a format does not fit what is listed or inspected.
    #[error("template parsing error: {0}")]
    Template(#[source] template::Error),
    /// A format of `inspect` is no template.
    #[error("template parsing error: {0}")]
    InspectSyntax(#[source] template::Error),
    /// A format for containers is no template: Docker tries such formats out, and says it in other words then.
    #[error("failed to parse template: {0}")]
    Rehearsal(#[source] template::Error),
    /// A format for containers does not fit an empty one.
    #[error("failed to execute template: {0}")]
    Execution(#[source] template::Error),
    /// A filter has no `=`.
    #[error("invalid argument {quoted} for \"{flag}\" flag: bad format of filter (expected name=value)")]
    Filter {
        /// What was typed, in quotes.
        quoted: String,
        /// The flag in all its spellings: `-f, --filter`.
        flag: &'static str,
    },
    /// A port that is asked for is no number.
    #[error("Error: invalid port ({port}): strconv.ParseUint: parsing {quoted}: {problem}")]
    Port {
        /// What was typed.
        port: String,
        /// The same in quotes.
        quoted: String,
        /// `invalid syntax` or `value out of range`.
        problem: &'static str,
    },
    /// A port that is asked for is not published.
    #[error("Error: No public port '{port}' published for {container}")]
    NotPublished {
        /// What was typed.
        port: String,
        /// Whose port was asked for, as typed.
        container: String,
    },
    /// What is printed cannot be taken apart.
    #[error("cannot print this: {0}")]
    Value(#[from] serde_json::Error),
}

impl Error {
    /// The exit code of Docker's client: 125 for a flag's value, 64 for a format of `inspect` that is no template.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Filter { .. } => 125,
            Self::InspectSyntax(_) => 64,
            Self::Template(_)
            | Self::Rehearsal(_)
            | Self::Execution(_)
            | Self::Port { .. }
            | Self::NotPublished { .. }
            | Self::Value(_) => 1,
        }
    }
}
