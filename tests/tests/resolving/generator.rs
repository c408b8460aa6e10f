//! A generator that is not the limit: queries lie ready, and one system call sends or receives many.

use std::{
    io::{ErrorKind, IoSlice, IoSliceMut},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    os::fd::{AsFd as _, AsRawFd as _},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Error, Result, ensure};
use netebpf_tests::wait;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{MsgFlags, MultiHeaders, recvmmsg, sendmmsg},
};

use super::question::{self, Question};

/// Queries that are under way at a time: as many as dnsperf has.
const OUTSTANDING: usize = 200;

/// After as long a silence, what is under way counts as lost.
const SILENCE: Duration = Duration::from_millis(200);

/// Bytes that an answer may have.
const LONGEST: usize = 512;

/// What a server has done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flood {
    /// Answers each second.
    pub(super) per_second: f64,
    /// Queries without answer, as a share of those with one.
    pub(super) lost: f64,
}

/// Round trips of queries of which each waits for the answer to the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Single {
    /// Half of them took at most as long.
    pub(super) p50: Duration,
    /// 99 of 100 took at most as long.
    pub(super) p99: Duration,
}

/// Asks as fast as answers come, from a thread for each processor.
pub(super) fn flood(server: SocketAddr, question: Question, duration: Duration) -> Result<Flood> {
    let threads = thread::available_parallelism()?.get();
    let window = (OUTSTANDING / threads).max(1);
    let begin = Instant::now();
    let counts = thread::scope(|scope| {
        let one = || scope.spawn(|| ask(server, question, window, begin + duration));
        let all: Vec<_> = (0..threads).map(|_| one()).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Counts>>| {
            thread.join().map_err(|_| Error::msg("a generator panicked"))?
        };
        all.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let elapsed = begin.elapsed().as_secs_f64();
    let sum = |of: fn(&Counts) -> usize| count(counts.iter().map(of).sum());
    let (answered, lost) = (sum(|counts| counts.answered), sum(|counts| counts.lost));
    ensure!(answered > 0.0, "not one answer");
    Ok(Flood { per_second: answered / elapsed, lost: lost / answered })
}

/// Asks one question at a time. One that is not answered took as long as was waited for it.
pub(super) fn one_by_one(server: SocketAddr, question: Question, duration: Duration) -> Result<Single> {
    let (query, mut answer, mut times) = (question.query(1), [0; LONGEST], Vec::with_capacity(1 << 16));
    let mut socket = connect(server)?;
    let begin = Instant::now();
    while begin.elapsed() < duration {
        let sent = Instant::now();
        socket.send(&query)?;
        match socket.recv(&mut answer) {
            Ok(length) => {
                question::check(&answer[..length])?;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => socket = connect(server)?,
            Err(error) => return Err(error).context("ask one question"),
        }
        times.push(sent.elapsed());
    }
    times.sort_unstable();
    let share = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1)).copied();
    let (p50, p99) = share(50).zip(share(99)).context("not one round trip")?;
    Ok(Single { p50, p99 })
}

/// What became of one thread's queries.
#[derive(Debug, Default)]
struct Counts {
    answered: usize,
    lost: usize,
}

fn ask(server: SocketAddr, question: Question, window: usize, end: Instant) -> Result<Counts> {
    let ids = 0..u16::try_from(window)?;
    let queries: Vec<_> = ids.clone().map(|id| question.query(id)).collect();
    let slices: Vec<_> = queries.iter().map(|query| [IoSlice::new(query)]).collect();
    let mut traffic = Traffic::new(server, window)?;
    let (mut counts, mut free) = (Counts::default(), ids.clone().collect::<Vec<_>>());
    loop {
        let is_over = Instant::now() >= end;
        if !is_over {
            traffic.send(&slices, &mut free)?;
        }
        let before = free.len();
        if is_over && before == window {
            return Ok(counts);
        }
        if traffic.wait()? {
            traffic.receive(&mut free)?;
            counts.answered += free.len() - before;
        } else {
            // A socket of its own for what follows: a late answer would be taken for that to a later query.
            counts.lost += window - before;
            traffic = Traffic::new(server, window)?;
            free = ids.clone().collect();
        }
    }
}

/// A socket and what system calls for many datagrams need.
struct Traffic {
    socket: UdpSocket,
    to_send: MultiHeaders<()>,
    to_receive: MultiHeaders<()>,
    answers: Vec<[u8; LONGEST]>,
}

impl Traffic {
    fn new(server: SocketAddr, window: usize) -> Result<Self> {
        let headers = || MultiHeaders::preallocate(window, None);
        let answers = vec![[0; LONGEST]; window];
        Ok(Self { socket: connect(server)?, to_send: headers(), to_receive: headers(), answers })
    }

    /// Sends the queries whose numbers are free, as many as the socket takes.
    fn send(&mut self, slices: &[[IoSlice<'_>; 1]], free: &mut Vec<u16>) -> Result<()> {
        let chosen = free.iter().map(|id| &slices[usize::from(*id)]);
        let nowhere = vec![None::<()>; free.len()];
        let sent =
            sendmmsg(self.socket.as_raw_fd(), &mut self.to_send, chosen, nowhere, [], MsgFlags::MSG_DONTWAIT);
        match sent {
            Ok(sent) => {
                let sent = sent.count();
                free.drain(..sent);
                Ok(())
            }
            Err(Errno::EAGAIN) => Ok(()),
            Err(error) => Err(error).context("send queries"),
        }
    }

    /// Waits for an answer; false if there is none.
    fn wait(&self) -> Result<bool> {
        let mut socket = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        Ok(poll(&mut socket, PollTimeout::try_from(wait::stretched(SILENCE))?)? > 0)
    }

    /// Takes what answers are there, and frees their numbers.
    fn receive(&mut self, free: &mut Vec<u16>) -> Result<()> {
        let mut places: Vec<_> = self.answers.iter_mut().map(|answer| [IoSliceMut::new(answer)]).collect();
        let received = recvmmsg(
            self.socket.as_raw_fd(),
            &mut self.to_receive,
            &mut places,
            MsgFlags::MSG_DONTWAIT,
            None,
        );
        for answer in received.context("receive answers")? {
            free.push(question::check(answer.iovs().next().unwrap_or_default())?);
        }
        Ok(())
    }
}

fn connect(server: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(server).with_context(|| format!("connect to {server}"))?;
    socket.set_read_timeout(Some(wait::stretched(SILENCE)))?;
    Ok(socket)
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer queries than 52 bits hold")]
fn count(number: usize) -> f64 {
    number as f64
}
