//! `netebpf logs`: what the command of a sandbox has written in the background.

use std::io::{self, Write as _};

use crate::{
    cli::{Client, Error, Output, args::LogsArgs, client::segment, follow::query},
    frontend::api,
};

use super::OptionError;

/// What precedes each piece in a stream of both outputs: which one it is, three zeros, the length (big endian).
const HEADER: usize = 8;

/// The number of standard error in a header.
const STDERR: u8 = 2;

pub(in crate::cli) async fn run(args: &LogsArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let text = |value: &str| Some(value.to_owned());
    let (since, until) = (time("since", args.since.as_deref())?, time("until", args.until.as_deref())?);
    let path = query(
        &format!("/containers/{}/logs", segment(&args.sandbox)),
        &[
            ("stdout", text("1")),
            ("stderr", text("1")),
            ("follow", args.follow.then(|| "1".to_owned())),
            ("tail", text(&args.tail)),
            ("timestamps", args.timestamps.then(|| "1".to_owned())),
            ("since", since),
            ("until", until),
        ],
    );
    let mut stream = client.stream(&path).await?;
    let mut pieces = Pieces::default();
    while let Some(bytes) = stream.next().await? {
        pieces.pending.extend_from_slice(&bytes);
        while let Some((number, piece)) = pieces.next() {
            if number == STDERR {
                io::stderr().write_all(&piece)?;
            } else {
                output.bytes(&piece)?;
            }
        }
        output.flush()?;
    }
    Ok(())
}

/// An option's time as the API reads it.
fn time(option: &'static str, text: Option<&str>) -> Result<Option<String>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    api::in_seconds(text)
        .map(Some)
        .ok_or_else(|| Error::Usage(OptionError::Time { option, text: text.to_owned() }))
}

/// A stream of both outputs, taken apart.
#[derive(Debug, Default)]
struct Pieces {
    pending: Vec<u8>,
}

impl Pieces {
    /// The next whole piece, with the number of its output.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let (header, rest) = self.pending.split_first_chunk::<HEADER>()?;
        let [number, _, _, _, length @ ..] = *header;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let piece = rest.get(..length)?.to_vec();
        self.pending.drain(..HEADER + length);
        Some((number, piece))
    }
}

#[cfg(test)]
mod tests {
    use super::Pieces;

    #[test]
    fn pieces_may_arrive_in_pieces() {
        let stream =
            [b"\x01\0\0\0\0\0\0\x03out".as_slice(), b"\x02\0\0\0\0\0\0\0", b"\x02\0\0\0\0\0\0\x02er"]
                .concat();
        let mut pieces = Pieces::default();
        let mut found = Vec::new();
        for byte in stream {
            pieces.pending.push(byte);
            while let Some(piece) = pieces.next() {
                found.push(piece);
            }
        }
        assert_eq!(found, [(1, b"out".to_vec()), (2, Vec::new()), (2, b"er".to_vec())]);
        assert!(pieces.pending.is_empty());
    }
}
