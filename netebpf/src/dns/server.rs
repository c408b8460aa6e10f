//! The server over its sockets, as long as it is kept.

use std::{io, net, sync::Arc, thread};

use tokio::{
    net::{TcpListener, UdpSocket},
    task::JoinSet,
};

use super::{Resolver, tcp, udp};

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
    _tasks: JoinSet<()>,
}

impl Server {
    /// Begins to answer what comes by the sockets; one task for each processor reads datagrams. Needs a tokio runtime.
    pub fn bind(resolver: Arc<Resolver>, sockets: Sockets) -> io::Result<Self> {
        sockets.udp.set_nonblocking(true)?;
        sockets.tcp.set_nonblocking(true)?;
        let (udp, tcp) = (Arc::new(UdpSocket::from_std(sockets.udp)?), TcpListener::from_std(sockets.tcp)?);
        let mut tasks = JoinSet::new();
        for _ in 0..thread::available_parallelism()?.get() {
            tasks.spawn(udp::serve(Arc::clone(&resolver), Arc::clone(&udp)));
        }
        tasks.spawn(tcp::serve(Arc::clone(&resolver), tcp));
        Ok(Self { resolver, _tasks: tasks })
    }

    /// What answers.
    #[must_use]
    pub fn resolver(&self) -> &Arc<Resolver> {
        &self.resolver
    }
}
