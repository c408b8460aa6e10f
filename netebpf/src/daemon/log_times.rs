//! When was each line of a sandbox's log written?
//!
//! Commands write into their logs themselves, so that they go on without a daemon. The daemon hears of each growth and
//! notes in a file beside the log how long it was at what time. What was written while no daemon ran counts as written
//! when the log was changed last.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use tracing::warn;

use super::{
    Handle, Settings, Silence,
    engine::{nanoseconds, now},
};
use crate::change::{Happening, SandboxAction};

/// A length of the log and the time when it was that long, in bytes.
const RECORD: usize = 16;

/// Room for some hundred notices.
const BUFFER: usize = 1 << 13;

/// Follows the logs of all sandboxes until the daemon ends.
///
/// An error says that the kernel does not tell of changed files.
pub fn follow_logs(handle: &Handle, settings: &Settings) -> io::Result<()> {
    let logs = Arc::new(Logs {
        notices: inotify::init(CreateFlags::CLOEXEC)?,
        followed: Mutex::default(),
        settings: settings.clone(),
    });
    let mut follow = handle.follow();
    logs.follow_all(handle);
    thread::Builder::new().name("log times".to_owned()).spawn({
        let logs = Arc::clone(&logs);
        move || logs.listen()
    })?;
    let handle = handle.clone();
    tokio::spawn(async move {
        loop {
            match follow.next().await {
                Ok(told) => {
                    if let Happening::Sandbox { id, action: SandboxAction::Start, .. } = told.happening {
                        logs.follow(&logs.settings.log(id));
                    }
                }
                Err(Silence::Missed) => logs.follow_all(&handle),
                Err(Silence::Ended) => return,
            }
        }
    });
    Ok(())
}

struct Logs {
    notices: OwnedFd,
    /// By the number of the notice.
    followed: Mutex<BTreeMap<i32, Followed>>,
    settings: Settings,
}

struct Followed {
    log: PathBuf,
    /// How much of the log has a time, in bytes.
    noted: u64,
}

impl Logs {
    fn follow_all(&self, handle: &Handle) {
        // Those who change the spec do not wait for files.
        let sandboxes: Vec<_> = handle.spec().sandboxes.keys().copied().collect();
        for sandbox in sandboxes {
            self.follow(&self.settings.log(sandbox));
        }
    }

    /// Hears of what is written into a log from now on. What a client has started has none.
    fn follow(&self, log: &Path) {
        let Ok(number) = inotify::add_watch(&self.notices, log, WatchFlags::MODIFY) else { return };
        let times = Times::read(log);
        let mut followed = Followed { log: log.to_owned(), noted: times.noted() };
        followed.note(times.otherwise);
        let mut all = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(number, followed);
    }

    fn listen(&self) {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.notices, &mut buffer);
        loop {
            let (number, is_last) = match reader.next() {
                Ok(event) => (event.wd(), event.events().contains(ReadFlags::IGNORED)),
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return warn!(%error, "lines of logs get no times any more"),
            };
            let mut all = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
            if is_last {
                all.remove(&number);
            } else if let Some(followed) = all.get_mut(&number) {
                followed.note(now());
            }
        }
    }
}

impl Followed {
    /// Notes how long the log is, if it has grown. A note that cannot be written costs lines their time only.
    fn note(&mut self, time: u64) {
        let Ok(length) = fs::metadata(&self.log).map(|metadata| metadata.len()) else { return };
        if length <= self.noted {
            return;
        }
        let file = OpenOptions::new().append(true).create(true).open(path_of(&self.log));
        if file.and_then(|mut file| file.write_all(&record(length, time))).is_ok() {
            self.noted = length;
        }
    }
}

/// The times of a log, as far as they have been noted.
#[derive(Debug, Default)]
pub struct Times {
    /// Lengths with times, both rising.
    notes: Vec<(u64, u64)>,
    /// Of what has none: when the log was changed last.
    otherwise: u64,
}

impl Times {
    /// Reads what is noted of a log by now.
    #[must_use]
    pub fn read(log: &Path) -> Self {
        let bytes = fs::read(path_of(log)).unwrap_or_default();
        let (records, _) = bytes.as_chunks::<RECORD>();
        let modified = fs::metadata(log).and_then(|metadata| metadata.modified());
        Self {
            notes: records.iter().map(parse).collect(),
            otherwise: modified.map_or_else(|_| now(), nanoseconds),
        }
    }

    /// When the log had grown to this length, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn at(&self, length: u64) -> u64 {
        let next = self.notes.partition_point(|(noted, _)| *noted < length);
        self.notes.get(next).map_or(self.otherwise, |(_, time)| *time)
    }

    /// Whether it is noted when the log had grown to this length.
    #[must_use]
    pub fn has(&self, length: u64) -> bool {
        length <= self.noted()
    }

    fn noted(&self) -> u64 {
        self.notes.last().map_or(0, |(length, _)| *length)
    }
}

fn path_of(log: &Path) -> PathBuf {
    log.with_extension("times")
}

fn record(length: u64, time: u64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    let (head, tail) = record.split_at_mut(8);
    head.copy_from_slice(&length.to_le_bytes());
    tail.copy_from_slice(&time.to_le_bytes());
    record
}

fn parse(record: &[u8; RECORD]) -> (u64, u64) {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let (head, tail) = record.split_at(8);
    (number(head), number(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_time_at_which_the_log_was_first_seen_that_long() {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join("log");
        let mut followed = Followed { log: log.clone(), noted: 0 };
        followed.note(1);
        assert!(!path_of(&log).exists(), "there is no log yet");
        for (text, time) in [("one\n", 7), ("one\n", 8), ("one\ntwo\nthree", 9)] {
            fs::write(&log, text).expect("it is written");
            followed.note(time);
        }
        let times = Times::read(&log);
        assert_eq!([1, 4, 5, 13].map(|length| times.at(length)), [7, 7, 9, 9]);
        assert!(times.has(13) && !times.has(14));
        assert!(times.at(14) > 1_600_000_000_000_000_000, "changed just now");
        fs::write(path_of(&log), [0; RECORD + 3]).expect("it is written");
        assert_eq!(Times::read(&log).notes, [(0, 0)], "half a note is none");
    }
}
