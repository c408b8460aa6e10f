//! What a sandbox's command has written, as Docker frames it.
//!
//! The daemon keeps one file for each sandbox, without telling standard output from standard error; all of it counts as
//! standard output here.

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

use super::lines::{Choice, Lines};
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

/// Parameters of `GET /containers/{id}/logs`.
#[derive(Deserialize)]
pub(in crate::frontend::api) struct LogParameters {
    stdout: Option<String>,
    stderr: Option<String>,
    follow: Option<String>,
    tail: Option<String>,
    pub(super) timestamps: Option<String>,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
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
    let choice = Choice::read(&parameters)?;
    let sandbox = change::find_sandbox(&context.daemon.spec(), &id)?.id;
    let ended = context.daemon.wait(&id, WaitCondition::NotRunning)?.ended();
    let follow = is_set(parameters.follow.as_deref()).then(|| choice.end(ended));
    let path = context.settings.log(sandbox);
    let file = open(&path, parameters.tail.as_deref()).await.map_err(Error::Log)?;
    let (file, position) = file.filter(|_| has_stdout).unzip();
    let lines = Lines { position: position.unwrap_or_default(), path, choice, times: None, is_over: false };
    let log = Log { file, follow, unfinished: Vec::new(), lines };
    let frames = stream::try_unfold(log, async |mut log: Log| {
        Ok::<_, io::Error>(log.next().await?.map(|frames| (frames, log)))
    });
    let kind = if version < ApiVersion::WITH_STREAM_TYPES { RAW } else { MULTIPLEXED };
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(frames)))
}

const RAW: &str = "application/vnd.docker.raw-stream";
const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

/// Ready when the command has ended, or when nothing is wanted any more.
type Ended = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A log that is read, to its end or until the command ends.
struct Log {
    /// None if there is nothing to read.
    file: Option<File>,
    /// None if the end of the file is the end.
    follow: Option<Ended>,
    /// A line that has no end yet.
    unfinished: Vec<u8>,
    lines: Lines,
}

impl Log {
    /// Waits for the next frames.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let block = self.read().await?;
            self.unfinished.extend_from_slice(&block);
            let is_end = block.is_empty();
            let frames = self.lines.frames(&mut self.unfinished, is_end && self.follow.is_none());
            if !frames.is_empty() {
                return Ok(Some(frames.into()));
            }
            if self.lines.is_over {
                return Ok(None);
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

/// Opens a log at the beginning of its last `tail` lines; none if the command never wrote to one. What is no number of
/// lines stands for all of them, as for Docker.
async fn open(path: &Path, tail: Option<&str>) -> io::Result<Option<(File, u64)>> {
    let mut file = match File::open(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let start = match tail.and_then(|text| text.parse().ok()) {
        Some(lines) => start_of_last(&mut file, lines).await?,
        None => 0,
    };
    file.seek(SeekFrom::Start(start)).await?;
    Ok(Some((file, start)))
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
            let (mut file, _) = open(&path, Some(lines)).await.expect("it is read").expect("it is there");
            let mut read = String::new();
            file.read_to_string(&mut read).await.expect("it is read");
            assert_eq!(read, wanted, "{lines} of {} bytes", text.len());
        }
        assert!(open(&directory.path().join("none"), None).await.expect("no error").is_none());
    }
}
