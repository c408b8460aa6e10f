//! A long transfer at a bounded rate, every block of which is acknowledged with a checksum.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};

use super::PATIENT;
use crate::{netns::Namespace, wait};

const BLOCK: usize = 16 * 1024;
/// Sixteen kibibytes each two milliseconds: 8 MiB/s.
const INTERVAL: Duration = Duration::from_millis(2);

/// A transfer under way, driven by a thread of its own.
#[derive(Debug)]
pub struct Transfer {
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Summary>>,
}

/// What a finished transfer tells.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// Bytes sent and acknowledged with the right checksum.
    pub bytes: u64,
    /// The longest time from a block to its acknowledgement.
    pub longest_pause: Duration,
}

impl Transfer {
    /// Starts a transfer from a namespace to a `stream` service.
    pub fn start(from: &Namespace, to: SocketAddr) -> Result<Self> {
        let stream = from.run(|| {
            TcpStream::connect_timeout(&to, wait::stretched(PATIENT))
                .with_context(|| format!("connect to {to}"))
        })?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(wait::stretched(wait::LONG)))?;
        let (acknowledged, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let thread = thread::spawn({
            let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
            move || send(stream, &acknowledged, &stop)
        });
        Ok(Self { acknowledged, stop, thread })
    }

    /// Waits until another `bytes` are acknowledged.
    pub fn advance(&self, bytes: u64) -> Result<()> {
        let goal = self.acknowledged.load(Ordering::Relaxed) + bytes;
        wait::until("the transfer goes on", wait::LONG, || {
            let done = self.acknowledged.load(Ordering::Relaxed) >= goal;
            (done || self.thread.is_finished()).then_some(done)
        })
        .and_then(|done| done.then_some(()).context("the transfer broke"))
    }

    /// Ends the transfer in order.
    pub fn finish(self) -> Result<Summary> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the transfer panicked"))?
    }
}

fn send(stream: TcpStream, acknowledged: &AtomicU64, stop: &AtomicBool) -> Result<Summary> {
    let mut stream = stream;
    let mut checksum = Checksum::new();
    let mut summary = Summary { bytes: 0, longest_pause: Duration::ZERO };
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let block = block(summary.bytes);
        let start = Instant::now();
        stream.write_all(&block)?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).context("the transfer broke")?;
        ensure!(
            checksum.add(&block) == u64::from_be_bytes(answer),
            "wrong checksum after {} bytes",
            summary.bytes
        );
        summary.longest_pause = summary.longest_pause.max(start.elapsed());
        summary.bytes += BLOCK as u64;
        acknowledged.store(summary.bytes, Ordering::Relaxed);
        next = Instant::now().max(next + INTERVAL);
        wait::pace(next);
    }
    Ok(summary)
}

/// The server's side: answers each block with the checksum of all so far.
pub(super) fn acknowledge(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut checksum = Checksum::new();
    let mut block = vec![0; BLOCK];
    loop {
        stream.read_exact(&mut block)?;
        stream.write_all(&checksum.add(&block).to_be_bytes())?;
    }
}

/// A block that differs from all before it.
fn block(offset: u64) -> Vec<u8> {
    let words = (0..BLOCK as u64 / 8).map(|word| (offset + word).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    words.flat_map(u64::to_be_bytes).collect()
}

/// FNV-1a over everything transferred.
struct Checksum(u64);

impl Checksum {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) -> u64 {
        self.0 =
            bytes.iter().fold(self.0, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        self.0
    }
}
