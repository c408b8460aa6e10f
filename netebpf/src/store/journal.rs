//! A second copy of the state, in a form of its own, so that one damaged file costs nothing.
//!
//! A text file, one line for each commit: a digest, then JSON. The first line holds everything as it was when the
//! journal began, each later one what changed. A digest covers the lines before as well, so a line is good only if
//! all before it are: what cannot be read ends the journal there.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{
    FORMAT,
    contents::{self, Changes, Contents},
    directory,
    rows::Patch,
};
use crate::model::{IdError, NetworkId, SandboxId};

/// Name of the journal in the state directory.
const FILE: &str = "state.journal";

/// A journal may become this much longer than a new one, in bytes, before a new one takes its place.
const MOST_CHANGES: u64 = 1 << 20;

/// Bytes before the JSON of a line: hexadecimal digits and a space.
const DIGEST_LENGTH: usize = 17;

/// What one line holds.
#[derive(Serialize, Deserialize)]
struct Line {
    format: u64,
    generation: u64,
    /// Seconds since the Unix epoch.
    written: u64,
    numbers: BTreeMap<String, u64>,
    networks: BTreeMap<String, Option<String>>,
    sandboxes: BTreeMap<String, Option<String>>,
}

/// The journal that commits are added to.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Of all lines.
    digest: u64,
    /// Bytes since it began.
    added: u64,
}

/// What a journal tells.
#[derive(Debug)]
pub(super) struct Replayed {
    /// The state after its last good line.
    pub(super) contents: Contents,
    /// When that line was written.
    pub(super) written: SystemTime,
    /// Whether there is something after that line.
    pub(super) is_cut: bool,
}

/// Where the journal of a state directory is.
pub(super) fn path(state_dir: &Path) -> PathBuf {
    state_dir.join(FILE)
}

/// Reads a journal; `None` if there is none, or if not even its first line is good.
pub(super) fn read(state_dir: &Path) -> io::Result<Option<Replayed>> {
    match fs::read(path(state_dir)) {
        Ok(bytes) => Ok(replay(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn replay(bytes: &[u8]) -> Option<Replayed> {
    let mut contents = Contents::default();
    let mut written = None;
    let mut digest = contents::SEED;
    let mut is_cut = false;
    for text in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = parse(text, &mut digest) else {
            is_cut = true;
            break;
        };
        written = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(line.written));
        let generation = line.generation;
        contents.apply(line.into_changes()?);
        contents.generation = generation;
    }
    written.map(|written| Replayed { contents, written, is_cut })
}

/// Reads a line that follows those with this digest; `None` if it is not what was written.
fn parse(text: &[u8], digest: &mut u64) -> Option<Line> {
    let (found, json) = text.strip_suffix(b"\n")?.split_at_checked(DIGEST_LENGTH)?;
    *digest = contents::fnv(*digest, json.iter().copied());
    if found != prefix(*digest).as_bytes() {
        return None;
    }
    serde_json::from_slice(json).ok().filter(|line: &Line| line.format == FORMAT)
}

/// What a line begins with.
fn prefix(digest: u64) -> String {
    format!("{digest:016x} ")
}

impl Line {
    fn into_changes(self) -> Option<Changes> {
        Some(Changes {
            numbers: self.numbers,
            networks: patch(self.networks, |id| Ok(*id.parse::<NetworkId>()?.as_bytes())).ok()?,
            sandboxes: patch(self.sandboxes, |id| Ok(*id.parse::<SandboxId>()?.as_bytes())).ok()?,
        })
    }
}

impl Journal {
    /// Begins a journal with everything there is, in place of the last one; it is on disk when this returns.
    pub(super) fn begin(state_dir: &Path, contents: &Contents) -> io::Result<Self> {
        let unfinished = path(state_dir).with_extension("journal.new");
        let mut journal = Self { file: File::create(&unfinished)?, digest: contents::SEED, added: 0 };
        journal.add(&Changes::from(contents), contents.generation)?;
        journal.file.sync_all()?;
        fs::rename(unfinished, path(state_dir))?;
        directory::sync(state_dir)?;
        Ok(Self { added: 0, ..journal })
    }

    /// Adds a commit. The kernel writes it to the disk when it sees fit: waiting for that would double what a commit
    /// costs, and the state file has it already.
    pub(super) fn add(&mut self, changes: &Changes, generation: u64) -> io::Result<()> {
        let written = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let json = serde_json::to_vec(&Line {
            format: FORMAT,
            generation,
            written,
            numbers: changes.numbers.clone(),
            networks: names(&changes.networks, |id| NetworkId::new(id).to_string()),
            sandboxes: names(&changes.sandboxes, |id| SandboxId::new(id).to_string()),
        })?;
        self.digest = contents::fnv(self.digest, json.iter().copied());
        let mut text = prefix(self.digest).into_bytes();
        text.extend(json);
        text.push(b'\n');
        // All of a line at once, so that a kill leaves it whole or not there.
        self.file.write_all(&text)?;
        self.added += text.len() as u64;
        Ok(())
    }

    /// Whether it is time for a new one.
    pub(super) fn is_long(&self) -> bool {
        self.added > MOST_CHANGES
    }
}

fn names(patch: &Patch, name: impl Fn([u8; 32]) -> String) -> BTreeMap<String, Option<String>> {
    let text = |row: &Vec<u8>| String::from_utf8_lossy(row).into_owned();
    patch.iter().map(|(id, row)| (name(*id), row.as_ref().map(text))).collect()
}

fn patch(
    names: BTreeMap<String, Option<String>>,
    id: impl Fn(&str) -> Result<[u8; 32], IdError>,
) -> Result<Patch, IdError> {
    names.into_iter().map(|(name, row)| Ok((id(&name)?, row.map(String::into_bytes)))).collect()
}
