//! What a sandbox's command has written, as Docker frames it.
//!
//! The daemon keeps one file for each sandbox, without times and without telling standard output from standard error;
//! all of it counts as standard output here.

use std::{io, path::Path, pin::Pin, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderName, header},
};
use bytes::Bytes;
use futures::stream;
use serde::Deserialize;
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom},
    time::sleep,
};

use crate::{
    change,
    daemon::WaitCondition,
    frontend::api::{
        Context, Error,
        body::{Id, Parameters, is_set},
        version::ApiVersion,
    },
};

/// Between two looks at the end of a file that is followed.
const PAUSE: Duration = Duration::from_millis(100);

/// What is read at once, in bytes.
const BLOCK: usize = 1 << 16;

/// Docker cuts longer lines, in bytes.
const LONGEST_LINE: usize = 1 << 14;

/// The number of standard output in the head of a frame.
const STDOUT: u8 = 1;

/// Parameters of `GET /containers/{id}/logs`.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct LogParameters {
    stdout: Option<String>,
    stderr: Option<String>,
    follow: Option<String>,
    tail: Option<String>,
    timestamps: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

pub(in crate::frontend::api) async fn logs(
    State(context): State<Context>,
    Extension(version): Extension<ApiVersion>,
    Id(id): Id,
    Parameters(parameters): Parameters<LogParameters>,
) -> Result<([(HeaderName, &'static str); 1], Body), Error> {
    let has_stdout = is_set(parameters.stdout.as_deref());
    if !has_stdout && !is_set(parameters.stderr.as_deref()) {
        return Err(Error::NoStream);
    }
    parameters.check()?;
    let sandbox = change::find_sandbox(&context.daemon.spec(), &id)?.id;
    let ended = context.daemon.wait(&id, WaitCondition::NotRunning)?.ended();
    let follow = is_set(parameters.follow.as_deref()).then(|| {
        let ended: Ended = Box::pin(async { drop(ended.await) });
        ended
    });
    let path = context.settings.log(sandbox);
    let file = open(&path, parameters.tail.as_deref()).await.map_err(Error::Log)?;
    let log = Log { file: file.filter(|_| has_stdout), follow, unfinished: Vec::new() };
    let frames = stream::try_unfold(log, async |mut log: Log| {
        Ok::<_, io::Error>(log.next().await?.map(|frames| (frames, log)))
    });
    let kind = if version < ApiVersion::WITH_STREAM_TYPES { RAW } else { MULTIPLEXED };
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(frames)))
}

const RAW: &str = "application/vnd.docker.raw-stream";
const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

impl LogParameters {
    /// Refuses what a file without times cannot answer.
    fn check(&self) -> Result<(), Error> {
        let is_time = |text: &Option<String>| text.as_deref().is_some_and(|text| !matches!(text, "" | "0"));
        if is_set(self.timestamps.as_deref()) || is_time(&self.since) || is_time(&self.until) {
            return Err(Error::NotHere(
                "the log of a sandbox has no times: it can be read from its beginning or by its last lines, not with \
                 timestamps, since or until",
            ));
        }
        Ok(())
    }
}

/// Ready when the command has ended.
type Ended = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A log that is read, to its end or until the command ends.
struct Log {
    /// None if there is nothing to read.
    file: Option<File>,
    /// None if the end of the file is the end.
    follow: Option<Ended>,
    /// A line that has no end yet.
    unfinished: Vec<u8>,
}

impl Log {
    /// Waits for the next frames.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let block = self.read().await?;
            self.unfinished.extend_from_slice(&block);
            let is_end = block.is_empty();
            let frames = frames(&mut self.unfinished, is_end && self.follow.is_none());
            if !frames.is_empty() {
                return Ok(Some(frames.into()));
            }
            match &mut self.follow {
                None if is_end => return Ok(None),
                Some(ended) if is_end => {
                    let has_ended = tokio::select! {
                        () = sleep(PAUSE) => false,
                        () = ended => true,
                    };
                    if has_ended {
                        self.follow = None;
                    }
                }
                None | Some(_) => {}
            }
        }
    }

    async fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut block = Vec::new();
        if let Some(file) = &mut self.file {
            block.resize(BLOCK, 0);
            let length = file.read(&mut block).await?;
            block.truncate(length);
        }
        Ok(block)
    }
}

/// Takes whole lines, or at the end all that is left, and puts each into a frame: stream, three zeros, length (4 bytes,
/// big endian), line.
fn frames(bytes: &mut Vec<u8>, is_end: bool) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut rest = &bytes[..];
    while let Some(length) =
        line_length(rest).or_else(|| is_end.then_some(rest.len()).filter(|length| *length > 0))
    {
        let (line, after) = rest.split_at(length);
        let size = u32::try_from(length).expect("a line is cut before").to_be_bytes();
        frames.extend_from_slice(&[STDOUT, 0, 0, 0]);
        frames.extend_from_slice(&size);
        frames.extend_from_slice(line);
        rest = after;
    }
    *bytes = rest.to_vec();
    frames
}

/// The length of the first line with its end, or of as much as fits into a frame.
fn line_length(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(LONGEST_LINE)];
    let end = head.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    end.or_else(|| (head.len() == LONGEST_LINE).then_some(LONGEST_LINE))
}

/// Opens a log at the beginning of its last `tail` lines; none if the command never wrote to one. What is no number of
/// lines stands for all of them, as for Docker.
async fn open(path: &Path, tail: Option<&str>) -> io::Result<Option<File>> {
    let mut file = match File::open(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if let Some(lines) = tail.and_then(|text| text.parse().ok()) {
        let start = start_of_last(&mut file, lines).await?;
        file.seek(SeekFrom::Start(start)).await?;
    }
    Ok(Some(file))
}

/// Where the last lines of a file begin.
async fn start_of_last(file: &mut File, lines: u64) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0)).await?;
    if lines == 0 {
        return Ok(length);
    }
    let (mut position, mut missing) = (length, lines);
    let mut block = vec![0; BLOCK];
    while position > 0 {
        let size = position.min(BLOCK as u64);
        position -= size;
        file.seek(SeekFrom::Start(position)).await?;
        let block = &mut block[..usize::try_from(size).expect("a block fits into memory")];
        file.read_exact(block).await?;
        // The end of the last line ends nothing before it.
        let ends = (position..).zip(block.iter()).filter(|(at, byte)| **byte == b'\n' && at + 1 < length);
        for (at, _) in ends.collect::<Vec<_>>().into_iter().rev() {
            missing -= 1;
            if missing == 0 {
                return Ok(at + 1);
            }
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(line: &[u8]) -> Vec<u8> {
        let length = u8::try_from(line.len()).expect("a short line");
        [&[1, 0, 0, 0, 0, 0, 0, length], line].concat()
    }

    #[test]
    fn each_line_has_a_frame_and_an_unfinished_one_waits() {
        let mut bytes = b"one\n\ntw".to_vec();
        assert_eq!(frames(&mut bytes, false), [framed(b"one\n"), framed(b"\n")].concat());
        assert_eq!(bytes, b"tw");
        assert_eq!(frames(&mut bytes, true), framed(b"tw"));
        assert_eq!((frames(&mut bytes, true), bytes), (Vec::new(), Vec::new()));
        let mut long = vec![b'x'; LONGEST_LINE + 1];
        assert_eq!(frames(&mut long, false).len(), 8 + LONGEST_LINE);
        assert_eq!(long, b"x");
    }

    #[tokio::test]
    async fn the_last_lines_are_found_across_blocks() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let long = "y".repeat(BLOCK);
        for (text, lines, wanted) in [
            ("a\nb\nc\n", "2", "b\nc\n"),
            ("a\nb\nc", "2", "b\nc"),
            ("a\nb\n", "9", "a\nb\n"),
            ("a\nb\n", "0", ""),
            ("a\nb\n", "all", "a\nb\n"),
            ("", "3", ""),
            (&format!("a\n{long}\nb\n"), "2", &format!("{long}\nb\n")),
        ] {
            std::fs::write(&path, text).expect("it is written");
            let mut file = open(&path, Some(lines)).await.expect("it is read").expect("it is there");
            let mut read = String::new();
            file.read_to_string(&mut read).await.expect("it is read");
            assert_eq!(read, wanted, "{lines} of {} bytes", text.len());
        }
        assert!(open(&directory.path().join("none"), None).await.expect("no error").is_none());
    }
}
