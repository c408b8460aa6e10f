//! How do processes of the host reach a published SCTP port? The kernel runs no socket hook for SCTP, so the daemon passes
//! their messages on, and the sandbox sees its gateway, as it does with the hooks.
//!
//! A message stays one message; its stream number and payload protocol identifier become 0. What passes this way ends with
//! the daemon. One-to-one style sockets (RFC 6458, 4) are used as TCP's are.

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsRawFd as _, OwnedFd},
    time::Duration,
};

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    task::{JoinHandle, JoinSet},
    time,
};

use super::privileges;

/// A longer message becomes several: more than the default receive window holds.
const LONGEST_MESSAGE: usize = 1 << 18;

/// How long a failed `accept` is not repeated.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves a listening socket, in the background.
#[derive(Debug)]
pub(super) struct Relay(JoinHandle<()>);

impl Relay {
    /// Begins to pass on what comes to a listening socket, to where `behind` says. Must run inside an async runtime.
    pub(super) fn start(
        socket: OwnedFd,
        behind: impl Fn() -> Option<SocketAddr> + Send + 'static,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::from(socket);
        listener.set_nonblocking(true)?;
        Ok(Self(tokio::spawn(serve(TcpListener::from_std(listener)?, behind))))
    }

    /// Ends it and its associations; the port is free afterwards.
    pub(super) async fn end(self) {
        self.0.abort();
        drop(self.0.await);
    }
}

async fn serve(listener: TcpListener, behind: impl Fn() -> Option<SocketAddr>) {
    let mut associations = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((client, from)) if privileges::is_file_to_spare(client.as_raw_fd()) => {
                if let Some(to) = behind() {
                    associations.spawn(report(from, to, client));
                }
            }
            Ok((_, from)) => tracing::warn!(%from, "too many open files to pass SCTP on"),
            Err(error) => {
                tracing::warn!(%error, "cannot accept an SCTP association");
                time::sleep(PAUSE).await;
            }
        }
        while associations.try_join_next().is_some() {}
    }
}

async fn report(from: SocketAddr, to: SocketAddr, client: TcpStream) {
    if let Err(error) = pass_on(client, to).await {
        tracing::debug!(%from, %to, %error, "an SCTP association ended");
    }
}

/// Either side's end is the end of both: SCTP knows no half-closed state (RFC 9260, 9).
async fn pass_on(mut client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut server = connect(to).await?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::select! {
        ended = messages(from_client, to_server) => ended,
        ended = messages(from_server, to_client) => ended,
    }
}

async fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, SockProtocol::Sctp)?;
    TcpSocket::from_std_stream(socket.into()).connect(to).await
}

async fn messages(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
    let mut message = vec![0; LONGEST_MESSAGE];
    loop {
        let length = from.read(&mut message).await?;
        match message.get(..length) {
            None | Some([]) => return Ok(()),
            Some(message) => to.write_all(message).await?,
        }
    }
}
