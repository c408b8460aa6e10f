//! The server over its sockets, as long as it is kept.

use std::{io, net, sync::Arc};

use tokio::{net::TcpListener, task::JoinSet};

use super::{Resolver, tcp, udp::Datagrams};

/// Where the server listens; bound already, maybe in another network namespace.
#[derive(Debug)]
pub struct Sockets {
    /// For datagrams.
    pub udp: net::UdpSocket,
    /// For streams.
    pub tcp: net::TcpListener,
}

/// A resolver that listens. It stops when this is dropped; queries that are being forwarded are still answered.
#[derive(Debug)]
pub struct Server {
    resolver: Arc<Resolver>,
    _datagrams: Datagrams,
    _streams: JoinSet<()>,
}

impl Server {
    /// Begins to answer what comes by the sockets. Needs a tokio runtime.
    pub fn bind(resolver: Arc<Resolver>, sockets: Sockets) -> io::Result<Self> {
        sockets.tcp.set_nonblocking(true)?;
        let listener = TcpListener::from_std(sockets.tcp)?;
        let datagrams = Datagrams::serve(Arc::clone(&resolver), sockets.udp)?;
        let mut streams = JoinSet::new();
        streams.spawn(tcp::serve(Arc::clone(&resolver), listener));
        Ok(Self { resolver, _datagrams: datagrams, _streams: streams })
    }

    /// What answers.
    #[must_use]
    pub fn resolver(&self) -> &Arc<Resolver> {
        &self.resolver
    }
}
