//! Queries in streams (RFC 7766): one after the other, and neither for long nor many.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, warn};

use super::{Resolver, Transport, query::LONGEST, resolver::Response};

/// How long a client may think before it asks.
const IDLE: Duration = Duration::from_secs(8);
/// How long it may take to send what it has begun, and to take an answer.
const TRANSFER: Duration = Duration::from_secs(2);
/// How long a connection may be kept at all.
const LIFETIME: Duration = Duration::from_mins(2);
/// How many queries may come by one connection.
const QUERIES: usize = 128;
/// How long the listener is left alone after it has failed, which it does without descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers who connects, for ever.
pub(super) async fn serve(resolver: Arc<Resolver>, listener: TcpListener) {
    let (mut connections, mut is_failing) = (JoinSet::new(), false);
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_failing {
                    warn!(%error, "the name server cannot accept connections");
                }
                is_failing = true;
                sleep(PAUSE).await;
                continue;
            }
        };
        is_failing = false;
        let Some(permit) = resolver.connect(peer.ip()) else { continue };
        let resolver = Arc::clone(&resolver);
        connections.spawn(async move {
            let _permit = permit;
            match timeout(LIFETIME, converse(&resolver, stream, peer)).await {
                Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    debug!(%error, %peer, "a connection to the name server failed");
                }
                Ok(_) | Err(_) => {}
            }
        });
    }
}

async fn converse(resolver: &Resolver, mut stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
    for _ in 0..QUERIES {
        let length = usize::from(timeout(IDLE, stream.read_u16()).await??);
        if length > LONGEST {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let mut query = vec![0; length];
        timeout(TRANSFER, stream.read_exact(&mut query)).await??;
        let answer = match resolver.respond(peer, Transport::Tcp, &query) {
            Response::Silence => return Ok(()),
            Response::Ready(answer) => answer,
            Response::Later(forward) => forward.finish(resolver).await,
        };
        let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
        let message = [&length.to_be_bytes(), answer.as_slice()].concat();
        timeout(TRANSFER, stream.write_all(&message)).await??;
    }
    Ok(())
}
