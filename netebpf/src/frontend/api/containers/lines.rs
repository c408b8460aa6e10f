//! The lines of a log that are wanted, each in a frame.

use std::{path::PathBuf, pin::Pin, time::Duration};

use tokio::time::sleep;

use super::logs::LogParameters;
use crate::{
    daemon::Times,
    frontend::api::{
        Error,
        body::is_set,
        timestamp::{now, rfc3339_fixed, seconds},
    },
};

/// Docker cuts longer lines, in bytes.
const LONGEST_LINE: usize = 1 << 14;

/// The number of standard output in the head of a frame.
const STDOUT: u8 = 1;

/// Which lines are wanted, and whether with times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// Not before this time, in nanoseconds since the Unix epoch.
    since: Option<u64>,
    /// Not after this time.
    until: Option<u64>,
    timestamps: bool,
}

impl Choice {
    pub(super) fn read(parameters: &LogParameters) -> Result<Self, Error> {
        let moment = |name, text: &Option<String>| match text.as_deref() {
            None | Some("" | "0") => Ok(None),
            Some(text) => {
                seconds(text).map(Some).ok_or_else(|| Error::Moment { name, value: text.to_owned() })
            }
        };
        Ok(Self {
            since: moment("since", &parameters.since)?,
            until: moment("until", &parameters.until)?,
            timestamps: is_set(parameters.timestamps.as_deref()),
        })
    }

    /// Ready when the command has ended, or when nothing that comes is wanted any more.
    pub(super) fn end<T>(
        self,
        ended: impl Future<Output = T> + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let Some(until) = self.until else { return drop(ended.await) };
            tokio::select! {
                _ = ended => {}
                () = sleep(Duration::from_nanos(until.saturating_sub(now()))) => {}
            }
        })
    }

    const fn needs_times(&self) -> bool {
        self.timestamps || self.since.is_some() || self.until.is_some()
    }
}

/// Where in a log the next line begins, and when lines were written.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) path: PathBuf,
    /// In bytes from the beginning.
    pub(super) position: u64,
    pub(super) choice: Choice,
    /// Read when they are needed.
    pub(super) times: Option<Times>,
    /// No later line is wanted.
    pub(super) is_over: bool,
}

impl Lines {
    /// Takes whole lines, or at the end all that is left, and puts each that is wanted into a frame: stream, three zeros,
    /// length (4 bytes, big endian), line.
    pub(super) fn frames(&mut self, bytes: &mut Vec<u8>, is_end: bool) -> Vec<u8> {
        let mut frames = Vec::new();
        let mut rest = &bytes[..];
        while let Some(length) =
            line_length(rest).or_else(|| is_end.then_some(rest.len()).filter(|length| *length > 0))
        {
            let (line, after) = rest.split_at(length);
            self.position += length as u64;
            rest = after;
            if let Some(heading) = self.heading() {
                let size = u32::try_from(heading.len() + length).expect("a line is cut before").to_be_bytes();
                frames.extend_from_slice(&[STDOUT, 0, 0, 0]);
                frames.extend_from_slice(&size);
                frames.extend_from_slice(heading.as_bytes());
                frames.extend_from_slice(line);
            }
        }
        *bytes = rest.to_vec();
        frames
    }

    /// What is written before the line that ends here; `None` if the line is not wanted.
    fn heading(&mut self) -> Option<String> {
        if !self.choice.needs_times() {
            return Some(String::new());
        }
        let time = self.time();
        let Choice { since, until, timestamps } = self.choice;
        self.is_over |= until.is_some_and(|until| time > until);
        let is_wanted = !self.is_over && since.is_none_or(|since| time >= since);
        is_wanted.then(|| if timestamps { rfc3339_fixed(time) + " " } else { String::new() })
    }

    fn time(&mut self) -> u64 {
        let position = self.position;
        let times = self.times.take().filter(|times| times.has(position));
        let times = times.unwrap_or_else(|| Times::read(&self.path));
        let time = times.at(position);
        self.times = Some(times);
        time
    }
}

/// The length of the first line with its end, or of as much as fits into a frame.
fn line_length(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(LONGEST_LINE)];
    let end = head.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    end.or_else(|| (head.len() == LONGEST_LINE).then_some(LONGEST_LINE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(line: &[u8]) -> Vec<u8> {
        let length = u8::try_from(line.len()).expect("a short line");
        [&[1, 0, 0, 0, 0, 0, 0, length], line].concat()
    }

    fn lines(choice: Choice, path: PathBuf) -> Lines {
        Lines { path, position: 0, choice, times: None, is_over: false }
    }

    #[test]
    fn each_line_has_a_frame_and_an_unfinished_one_waits() {
        let mut lines = lines(Choice::default(), PathBuf::new());
        let mut bytes = b"one\n\ntw".to_vec();
        assert_eq!(lines.frames(&mut bytes, false), [framed(b"one\n"), framed(b"\n")].concat());
        assert_eq!(bytes, b"tw");
        assert_eq!(lines.frames(&mut bytes, true), framed(b"tw"));
        assert_eq!((lines.frames(&mut bytes, true), bytes), (Vec::new(), Vec::new()));
        let mut long = vec![b'x'; LONGEST_LINE + 1];
        assert_eq!(lines.frames(&mut long, false).len(), 8 + LONGEST_LINE);
        assert_eq!(long, b"x");
    }

    #[test]
    fn lines_are_chosen_by_their_times_and_shown_with_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let second = 1_000_000_000_u64;
        let notes = [(2_u64, second), (4, 2 * second), (6, 3 * second)];
        let notes = notes.map(|(length, time)| [length.to_le_bytes(), time.to_le_bytes()].concat());
        std::fs::write(path.with_extension("times"), notes.concat()).expect("it is written");
        let read = |choice| lines(choice, path.clone()).frames(&mut b"a\nb\nc\n".to_vec(), true);
        let since = Choice { since: Some(2 * second), ..Choice::default() };
        assert_eq!(read(since), [framed(b"b\n"), framed(b"c\n")].concat());
        let until = Choice { until: Some(2 * second), ..Choice::default() };
        assert_eq!(read(until), [framed(b"a\n"), framed(b"b\n")].concat());
        let shown = Choice { timestamps: true, until: Some(second), ..Choice::default() };
        assert_eq!(read(shown), framed(b"1970-01-01T00:00:01.000000000Z a\n"));
    }
}
