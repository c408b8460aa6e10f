//! As many bytes as wanted, in either direction, with a checksum over all of them.

use std::{
    hash::{DefaultHasher, Hasher as _},
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::PATIENT;
use crate::wait;

const BLOCK: usize = 1 << 18;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The client.
    Up,
    /// The server.
    Down,
}

/// Moves bytes from or to a `bulk` service; fails unless all arrive as they were sent.
pub fn bulk(to: SocketAddr, direction: Direction, bytes: u64) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENT).with_context(|| format!("connect to {to}"))?;
    stream.set_read_timeout(Some(wait::LONG))?;
    stream.set_write_timeout(Some(wait::LONG))?;
    let code = match direction {
        Direction::Up => 0,
        Direction::Down => 1,
    };
    stream.write_all(&[code])?;
    stream.write_all(&bytes.to_be_bytes())?;
    let ours = match direction {
        Direction::Up => send(&mut stream, bytes)?,
        Direction::Down => receive(&mut stream, bytes)?,
    };
    let mut theirs = [0; 8];
    stream.read_exact(&mut theirs)?;
    ensure!(u64::from_be_bytes(theirs) == ours, "the checksums differ");
    stream.shutdown(Shutdown::Both)?;
    Ok(())
}

/// The server's side.
pub(super) fn serve(mut stream: TcpStream) -> Result<()> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let [code, length @ ..] = head;
    let bytes = u64::from_be_bytes(length);
    let sum = match code {
        0 => receive(&mut stream, bytes)?,
        1 => send(&mut stream, bytes)?,
        other => bail!("{other} is no direction"),
    };
    Ok(stream.write_all(&sum.to_be_bytes())?)
}

/// Each block begins with the number of bytes that are left, so that no two are the same.
fn send(stream: &mut impl Write, bytes: u64) -> Result<u64> {
    let mut sum = DefaultHasher::new();
    let mut left = bytes;
    let mut block: Vec<_> =
        (0_u32..).map(|number| number.wrapping_mul(0x9e37_79b9).to_be_bytes()[0]).take(BLOCK).collect();
    while left > 0 {
        block.iter_mut().zip(left.to_be_bytes()).for_each(|(to, from)| *to = from);
        let part = block.get(..length(left)).unwrap_or_default();
        stream.write_all(part).with_context(|| format!("{left} bytes were still to be sent"))?;
        sum.write(part);
        left -= part.len() as u64;
    }
    Ok(sum.finish())
}

fn receive(stream: &mut impl Read, bytes: u64) -> Result<u64> {
    let mut sum = DefaultHasher::new();
    let mut left = bytes;
    let mut block = vec![0; BLOCK];
    while left > 0 {
        let part = block.get_mut(..length(left)).unwrap_or_default();
        stream.read_exact(part).with_context(|| format!("{left} bytes were still to come"))?;
        sum.write(part);
        left -= part.len() as u64;
    }
    Ok(sum.finish())
}

/// The next block's length, when so many bytes are left.
fn length(left: u64) -> usize {
    usize::try_from(left).unwrap_or(BLOCK).min(BLOCK)
}
