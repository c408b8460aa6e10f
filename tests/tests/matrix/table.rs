//! Reads `matrix.md`: which cells are there, and what does each expect?

use anyhow::{Context as _, Result, bail, ensure};

/// A network under test: a section of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    /// What follows `netebpf network create`.
    pub(crate) options: Vec<String>,
}

/// One expectation: a client, a target and an IP version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The section's name.
    pub(crate) network: String,
    pub(crate) client: String,
    /// A port's role, such as `any`.
    pub(crate) port: String,
    /// An address's role, such as `H`.
    pub(crate) address: String,
    pub(crate) version: Version,
    pub(crate) expected: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V4,
    V6,
}

/// What must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The server saw an address with this role.
    Reached(String),
    Echo,
    Silence,
    Refused,
    Unreachable,
    /// Not reached, in whichever way.
    Lost,
}

/// The whole document.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) sections: Vec<Section>,
    pub(crate) cells: Vec<Cell>,
}

impl Table {
    pub(crate) fn parse(document: &str) -> Result<Self> {
        let mut table = Self { sections: Vec::new(), cells: Vec::new() };
        let (mut network, mut head) = (None, None);
        for (number, line) in document.lines().enumerate() {
            let parsed = if let Some(title) = line.strip_prefix("## ") {
                (network, head) = (Some(title.to_owned()), None);
                Ok(())
            } else if let (Some(name), Some(options)) = (&network, code(line)) {
                let options = options.split_whitespace().map(str::to_owned).collect();
                table.sections.push(Section { name: name.clone(), options });
                Ok(())
            } else if let (Some(name), Some(row)) = (&network, row(line)) {
                match &head {
                    None => {
                        head = Some(row);
                        Ok(())
                    }
                    Some(_) if row.iter().all(|cell| cell.chars().all(|dash| dash == '-')) => Ok(()),
                    Some(head) => table.add_row(name, head, &row),
                }
            } else {
                Ok(())
            };
            parsed.with_context(|| format!("line {}: {line}", number + 1))?;
        }
        ensure!(!table.cells.is_empty(), "no table was found");
        Ok(table)
    }

    fn add_row(&mut self, network: &str, head: &[&str], row: &[&str]) -> Result<()> {
        ensure!(head.len() == row.len(), "{} cells under {} heads", row.len(), head.len());
        let (Some((kind, targets)), Some((first, cells))) = (head.split_first(), row.split_first()) else {
            bail!("an empty row");
        };
        // In the table of the way out, the row names the network and its neighbour is the client.
        let (network, client) = if *kind == "from" { (*first, "neighbour") } else { (network, *first) };
        for (target, cell) in targets.iter().zip(cells) {
            let (port, address) =
                target.split_once('@').with_context(|| format!("{target}: no PORT@ADDRESS"))?;
            let (v4, v6) = cell.split_once(" / ").unwrap_or((cell, cell));
            for (version, word) in [(Version::V4, v4), (Version::V6, v6)] {
                // A v4-mapped address is an IPv4 one.
                let is_there = word != "none" && !(client == "host mapped" && version == Version::V6);
                let expected = Expected::parse(word)?;
                let cell = Cell {
                    network: network.to_owned(),
                    client: client.to_owned(),
                    port: port.to_owned(),
                    address: address.to_owned(),
                    version,
                    expected,
                };
                self.cells.extend(is_there.then_some(cell));
            }
        }
        Ok(())
    }
}

impl Expected {
    fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "own" | "G" | "G4" | "H" | "H2" | "F" | "new" => Self::Reached(word.to_owned()),
            "ok" => Self::Echo,
            "silence" => Self::Silence,
            "refused" => Self::Refused,
            "unreachable" => Self::Unreachable,
            "lost" | "none" => Self::Lost,
            _ => bail!("`{word}` means nothing"),
        })
    }

    /// Whether the target should answer the client.
    pub(crate) fn is_positive(&self) -> bool {
        matches!(self, Self::Reached(_) | Self::Echo)
    }
}

/// The content of a line that is nothing but code.
fn code(line: &str) -> Option<&str> {
    line.strip_prefix('`')?.strip_suffix('`').filter(|code| !code.contains('`'))
}

/// The cells of a line of a table.
fn row(line: &str) -> Option<Vec<&str>> {
    let cells = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(cells.split('|').map(str::trim).collect())
}
