//! How fast is a way? Round trips of small messages, and bulk throughput.
//!
//! Servers stay on the last processor. A ping-pong's client joins them there, so that it costs what the way
//! costs and no wake-up of an idle processor; a bulk sender works on another one.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use super::{
    PATIENT,
    processor::{Processor, pin},
};

const MESSAGE: usize = 64;
const CHUNK: usize = 1 << 17;

/// Round-trip times of a TCP ping-pong.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// Half of the round trips were at most this long.
    pub p50: Duration,
    /// 99 of 100 round trips were at most this long.
    pub p99: Duration,
    /// Round trips each second.
    pub per_second: f64,
}

/// Sends 64 bytes to an `echo` service and back, again and again.
pub fn ping_pong(to: SocketAddr, duration: Duration) -> Result<Latency> {
    pin(Processor::Last)?;
    let mut stream = connect(to)?;
    let mut message = [7; MESSAGE];
    let mut times = Vec::with_capacity(1 << 16);
    let start = Instant::now();
    while start.elapsed() < duration {
        let sent = Instant::now();
        stream.write_all(&message)?;
        stream.read_exact(&mut message)?;
        times.push(sent.elapsed());
    }
    let elapsed = start.elapsed();
    times.sort_unstable();
    let share = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1)).copied();
    let (p50, p99) = share(50).zip(share(99)).context("not one round trip")?;
    Ok(Latency { p50, p99, per_second: per_second(times.len() as u64, elapsed) })
}

/// Sends to a `sink` service as fast as it takes it; bits each second, counted by the receiver.
pub fn throughput(to: SocketAddr, duration: Duration) -> Result<f64> {
    pin(Processor::First)?;
    let mut stream = connect(to)?;
    let chunk = vec![7; CHUNK];
    let start = Instant::now();
    let mut sent = 0_u64;
    while start.elapsed() < duration {
        stream.write_all(&chunk)?;
        sent += CHUNK as u64;
    }
    stream.shutdown(Shutdown::Write)?;
    let mut received = [0; 8];
    stream.read_exact(&mut received)?;
    ensure!(u64::from_be_bytes(received) == sent, "bytes were lost");
    Ok(8.0 * per_second(sent, start.elapsed()))
}

fn connect(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENT).with_context(|| format!("connect to {to}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENT))?;
    Ok(stream)
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
