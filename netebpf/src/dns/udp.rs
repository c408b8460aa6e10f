//! Queries in datagrams.

use std::{io, sync::Arc, time::Duration};

use tokio::{net::UdpSocket, time::sleep};
use tracing::{debug, warn};

use super::{Resolver, Transport, resolver::Response};

/// Bytes of the longest query that is read; what is longer is refused.
const LONGEST: usize = 4096;
/// How long the socket is left alone after it has failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers what comes, for ever.
pub(super) async fn serve(resolver: Arc<Resolver>, socket: Arc<UdpSocket>) {
    let mut query = vec![0; LONGEST];
    loop {
        let (length, peer) = match socket.recv_from(&mut query).await {
            Ok(received) => received,
            Err(error) => {
                warn!(%error, "the name server cannot read from its socket");
                sleep(PAUSE).await;
                continue;
            }
        };
        match resolver.respond(peer.ip(), Transport::Udp, &query[..length]) {
            Response::Silence => {}
            Response::Ready(answer) => log_failure(socket.send_to(&answer, peer).await),
            Response::Later(forward) => {
                let (resolver, socket) = (Arc::clone(&resolver), Arc::clone(&socket));
                tokio::spawn(async move {
                    let answer = forward.finish(&resolver).await;
                    log_failure(socket.send_to(&answer, peer).await);
                });
            }
        }
    }
}

/// Whoever does not get an answer asks again.
fn log_failure(sent: io::Result<usize>) {
    if let Err(error) = sent {
        debug!(%error, "cannot send an answer");
    }
}
