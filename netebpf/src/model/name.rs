//! Names of networks and sandboxes, as Docker allows them.

use std::fmt;

/// The longest name, in bytes.
const MAX_LENGTH: usize = 255;

/// First words of names that nobody chose.
const QUALITIES: [&str; 32] = [
    "agile", "bold", "brisk", "calm", "clear", "clever", "crisp", "eager", "early", "fair", "fast", "fond",
    "fresh", "gentle", "glad", "keen", "kind", "lively", "lucid", "merry", "mild", "neat", "noble", "proud",
    "quick", "quiet", "ready", "sharp", "steady", "sunny", "swift", "wise",
];

/// Second words of names that nobody chose: birds.
const THINGS: [&str; 32] = [
    "avocet", "bittern", "bunting", "chough", "crane", "curlew", "dipper", "dunlin", "falcon", "finch",
    "gannet", "godwit", "grebe", "heron", "hoopoe", "ibis", "jay", "kestrel", "kite", "knot", "lark",
    "linnet", "martin", "osprey", "pipit", "plover", "puffin", "raven", "siskin", "swift", "tern", "wren",
];

/// A valid name. That of a sandbox is a letter or digit, then letters, digits, `_`, `.` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Text that cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A sandbox's name has other characters than Docker allows, or less than two.
    #[error("Invalid container name ({0}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")]
    Sandbox(String),
    /// A network without a name.
    #[error("invalid name: name is empty")]
    Empty,
    /// The name is longer than 255 bytes.
    #[error("invalid name: it has {0} characters, at most {MAX_LENGTH} are allowed")]
    TooLong(usize),
}

impl Name {
    /// Checks the name of a sandbox; it has at least two characters.
    pub fn of_sandbox(text: &str) -> Result<Self, NameError> {
        if text.len() < 2 || !is_well_formed(text) {
            return Err(NameError::Sandbox(text.to_owned()));
        }
        Self::of_bounded_length(text)
    }

    /// Checks the name of a network: any text with more than white space.
    pub fn of_network(text: &str) -> Result<Self, NameError> {
        if text.trim().is_empty() {
            return Err(NameError::Empty);
        }
        Self::of_bounded_length(text)
    }

    /// A name of two words that random bytes choose.
    #[must_use]
    pub fn made_up(random: [u8; 32]) -> Self {
        let pick = |words: [&'static str; 32], byte: u8| words[usize::from(byte) % words.len()];
        Self(format!("{}_{}", pick(QUALITIES, random[0]), pick(THINGS, random[1])))
    }

    /// The name with a number at its end.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        Self(format!("{self}{number}"))
    }

    fn of_bounded_length(text: &str) -> Result<Self, NameError> {
        if text.len() > MAX_LENGTH { Err(NameError::TooLong(text.len())) } else { Ok(Self(text.to_owned())) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_well_formed(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_docker_takes_are_taken() {
        for name in ["web", "web-1", "Web_1.test", "0a", &"a".repeat(255)] {
            assert_eq!(Name::of_sandbox(name).map(|name| name.to_string()), Ok(name.to_owned()));
            assert!(Name::of_network(name).is_ok());
        }
        assert!(Name::of_network("n").is_ok());
    }

    #[test]
    fn other_names_are_refused_with_dockers_text() {
        for name in ["", "a", "-web", ".web", "we b", "wéb", "a/b", "web\n"] {
            let text = Name::of_sandbox(name).map_err(|error| error.to_string());
            let expected =
                format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
            assert_eq!(text, Err(expected));
        }
        for name in ["_x", "a b", "a/b", "ä"] {
            assert!(Name::of_network(name).is_ok(), "Docker takes it for a network");
        }
        assert_eq!(
            Name::of_network(" ").map_err(|error| error.to_string()),
            Err("invalid name: name is empty".into())
        );
        assert_eq!(Name::of_network(&"a".repeat(256)), Err(NameError::TooLong(256)));
    }
}
