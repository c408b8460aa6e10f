//! Legacy links: what `--link` asks for, and what becomes of it.

use std::{fmt, str::FromStr};

use super::SandboxId;

/// A sandbox that another one is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxLink {
    /// Which.
    pub sandbox: SandboxId,
    /// What the one that links calls it.
    pub alias: String,
}

/// A sandbox to link to, as `NAME[:ALIAS]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRequest {
    /// Name, identifier or unique prefix of it.
    pub sandbox: String,
    /// What it is to be called; its name where nothing else is said.
    pub alias: String,
}

/// Text that links to nothing, with Docker's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no text.
    #[error("empty string specified for links")]
    Empty,
    /// The text has more than two parts, or an empty one.
    #[error("bad format for links: {0}")]
    Format(String),
}

impl FromStr for LinkRequest {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        if text.is_empty() {
            return Err(LinkError::Empty);
        }
        let (sandbox, alias) = text.split_once(':').unwrap_or((text, text));
        if sandbox.is_empty() || alias.is_empty() || alias.contains(':') {
            return Err(LinkError::Format(text.to_owned()));
        }
        Ok(Self { sandbox: sandbox.to_owned(), alias: alias.to_owned() })
    }
}

/// As it is typed: without an alias that is the name.
impl fmt::Display for LinkRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sandbox)?;
        if self.alias == self.sandbox { Ok(()) } else { write!(f, ":{}", self.alias) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_an_alias_or_its_own_name() {
        let link = |text: &str| text.parse().map(|LinkRequest { sandbox, alias }| (sandbox, alias));
        assert_eq!(link("db"), Ok(("db".to_owned(), "db".to_owned())));
        assert_eq!(link("db:store"), Ok(("db".to_owned(), "store".to_owned())));
        assert_eq!(link(""), Err(LinkError::Empty));
        for text in [":", "db:", ":store", "a:b:c"] {
            assert_eq!(link(text), Err(LinkError::Format(text.to_owned())));
        }
    }
}
