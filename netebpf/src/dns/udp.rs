//! Queries in datagrams.
//!
//! They are read by threads of their own, of which the kernel wakes one for each: many queries do not keep the daemon from its
//! other work, nor does that keep a query waiting.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd as _,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, Shutdown, SockaddrStorage, recvfrom, sendto, shutdown},
};
use tokio::runtime::Handle;
use tracing::{debug, warn};

use super::{Resolver, Transport, query::LONGEST, resolver::Response};

/// As many threads as this are enough: they take turns at the one socket.
const MAX_THREADS: usize = 4;
/// How long the socket is left alone after it has failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Threads that answer what comes by a socket, until this is dropped.
#[derive(Debug)]
pub(super) struct Datagrams {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    resolver: Arc<Resolver>,
    socket: UdpSocket,
    stopped: AtomicBool,
}

impl Datagrams {
    /// Begins to answer, on a thread for each processor, but on few. Other servers are asked by tasks of the runtime that
    /// this is called from.
    pub(super) fn serve(resolver: Arc<Resolver>, socket: UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(false)?;
        let shared = Arc::new(Shared { resolver, socket, stopped: AtomicBool::new(false) });
        let mut datagrams = Self { shared, threads: Vec::new() };
        for _ in 0..thread::available_parallelism()?.get().min(MAX_THREADS) {
            let (shared, runtime) = (Arc::clone(&datagrams.shared), Handle::current());
            let thread = thread::Builder::new().name("names".to_owned());
            // What one query does to a thread is no reason not to answer the others.
            let run =
                move || while panic::catch_unwind(AssertUnwindSafe(|| shared.run(&runtime))).is_err() {};
            datagrams.threads.push(thread.spawn(run)?);
        }
        Ok(datagrams)
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // The kernel wakes who reads, although it says that there is no connection.
        if let Err(error) = shutdown(self.shared.socket.as_raw_fd(), Shutdown::Read)
            && error != Errno::ENOTCONN
        {
            warn!(%error, "the name server's threads cannot be stopped");
            return;
        }
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            thread.join().ok();
        }
    }
}

impl Shared {
    fn run(self: &Arc<Self>, runtime: &Handle) {
        let (mut query, mut is_failing) = (vec![0; LONGEST], false);
        while !self.stopped.load(Ordering::Relaxed) {
            match recvfrom::<SockaddrStorage>(self.socket.as_raw_fd(), &mut query) {
                Ok((length, client)) => {
                    is_failing = false;
                    // Nobody sends what a socket returns that was shut down.
                    if let Some(client) = client.as_ref().and_then(address) {
                        self.answer(&query[..length], client, runtime);
                    }
                }
                Err(_) if self.stopped.load(Ordering::Relaxed) => {}
                Err(error) => {
                    if !is_failing {
                        warn!(%error, "the name server cannot read from its socket");
                    }
                    is_failing = true;
                    thread::park_timeout(PAUSE);
                }
            }
        }
    }

    fn answer(self: &Arc<Self>, query: &[u8], client: SocketAddr, runtime: &Handle) {
        match self.resolver.respond(client, Transport::Udp, query) {
            Response::Silence => {}
            Response::Ready(answer) => self.send(&answer, client),
            Response::Later(forward) => {
                let shared = Arc::clone(self);
                runtime.spawn(async move {
                    let answer = forward.finish(&shared.resolver).await;
                    shared.send(&answer, client);
                });
            }
        }
    }

    /// Sends an answer unless it would have to wait: whoever does not get one asks again.
    fn send(&self, answer: &[u8], client: SocketAddr) {
        let client = SockaddrStorage::from(client);
        if let Err(error) = sendto(self.socket.as_raw_fd(), answer, &client, MsgFlags::MSG_DONTWAIT) {
            debug!(%error, "cannot send an answer");
        }
    }
}

fn address(client: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = client.as_sockaddr_in().map(|client| SocketAddr::V4((*client).into()));
    v4.or_else(|| client.as_sockaddr_in6().map(|client| SocketAddr::V6((*client).into())))
}
