//! Names of elsewhere: other servers are asked one after the other.

use std::sync::Arc;

use hickory_server::proto::op::ResponseCode;
use tokio::time::timeout;
use tracing::debug;

use super::{
    Resolver,
    allowance::Permit,
    directory::Resident,
    exchange::{Sent, hand_on},
    query::Query,
    reply,
};

/// A query that waits for the answer of another server.
#[derive(Debug)]
pub struct Forward {
    resident: Arc<Resident>,
    query: Query,
    /// Its place among the sandbox's queries.
    _place: Permit,
}

impl Forward {
    pub(super) fn new(resident: &Arc<Resident>, query: Query, place: Permit) -> Self {
        Self { resident: Arc::clone(resident), query, _place: place }
    }

    /// Asks the servers, and returns what the client is told.
    pub async fn finish(self, resolver: &Resolver) -> Vec<u8> {
        let Resident { client, allowance, counters } = &*self.resident;
        let sent = Sent::new(&self.query);
        for (index, upstream) in client.upstreams.iter().enumerate() {
            let Some(_permit) = allowance.ask().await else {
                resolver.warn_of_flood(client.sandbox);
                counters.refused.count();
                return reply::empty(&self.query, ResponseCode::Refused);
            };
            if index == 0 {
                counters.forwarded.count();
            }
            let asked = sent.ask(&resolver.dialer, *upstream, self.query.transport);
            match timeout(resolver.patience(), asked).await {
                Ok(Ok(Some(answer))) => return hand_on(answer, &self.query),
                Ok(Ok(None)) => debug!(%upstream, "the server will not answer"),
                Ok(Err(error)) => debug!(%upstream, %error, "cannot ask the server"),
                Err(_) => debug!(%upstream, "the server does not answer"),
            }
        }
        counters.failed.count();
        reply::empty(&self.query, ResponseCode::ServFail)
    }
}
