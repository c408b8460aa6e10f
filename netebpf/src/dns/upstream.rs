//! The servers that are asked for names of elsewhere, and how sockets towards them are made.

use std::{fmt, io, net::SocketAddr, os::fd::OwnedFd, sync::Arc};

use super::Transport;
use crate::model::SandboxId;

/// A server that is asked for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream {
    /// Its address, with the number of the link where that matters, and its port.
    pub address: SocketAddr,
    /// Where the query starts.
    pub from: Origin,
}

/// The network namespace that a query to another server starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The daemon's own: the server is the host's.
    Host,
    /// A sandbox's: a user named the server, and it is reached as the sandbox reaches it.
    Sandbox(SandboxId),
}

type MakeSocket = dyn Fn(&Upstream, Transport) -> io::Result<OwnedFd> + Send + Sync;

/// Makes sockets in the namespaces that queries start from.
#[derive(Clone)]
pub struct Dialer(Arc<MakeSocket>);

impl Dialer {
    /// One that calls this function, which may block. It returns a socket of the transport and of the address's IP version
    /// that is neither bound nor connected.
    pub fn new(make: impl Fn(&Upstream, Transport) -> io::Result<OwnedFd> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(super) async fn socket(&self, upstream: Upstream, transport: Transport) -> io::Result<OwnedFd> {
        let make = Arc::clone(&self.0);
        match upstream.from {
            Origin::Host => make(&upstream, transport),
            // It takes a thread to enter a namespace.
            Origin::Sandbox(_) => tokio::task::spawn_blocking(move || make(&upstream, transport))
                .await
                .map_err(io::Error::other)?,
        }
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

/// As resolv.conf of a sandbox has it: `host(ADDRESS)` for the host's servers.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Origin::Host => write!(f, "host({})", self.address.ip()),
            Origin::Sandbox(_) => write!(f, "{}", self.address.ip()),
        }
    }
}
