//! Names of elsewhere: other servers are asked one after the other.

use std::sync::Arc;

use hickory_proto::op::ResponseCode;
use tokio::time::timeout;
use tracing::debug;

use super::{
    Resolver, Transport,
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
    bytes: Vec<u8>,
    question_end: usize,
    transport: Transport,
    /// Its place among the sandbox's queries.
    _place: Permit,
}

impl Forward {
    pub(super) fn new(resident: &Arc<Resident>, query: &Query<'_>, place: Permit) -> Self {
        Self {
            resident: Arc::clone(resident),
            bytes: query.bytes.to_vec(),
            question_end: query.question_end,
            transport: query.transport,
            _place: place,
        }
    }

    /// Asks the servers, and returns what the client is told.
    pub async fn finish(self, resolver: &Resolver) -> Vec<u8> {
        let Resident { client, allowance, counters } = &*self.resident;
        let sent = Sent::new(&self.bytes, self.question_end);
        for (index, upstream) in client.upstreams.iter().enumerate() {
            let Some(_permit) = allowance.ask().await else {
                resolver.warn_of_flood(client.sandbox);
                counters.refused.count();
                return self.refusal(ResponseCode::Refused);
            };
            if index == 0 {
                counters.forwarded.count();
            }
            let asked = sent.ask(&resolver.dialer, *upstream, self.transport);
            match timeout(resolver.patience(), asked).await {
                Ok(Ok(Some(answer))) => return hand_on(answer, &self.bytes, self.question_end),
                Ok(Ok(None)) => debug!(%upstream, "the server will not answer"),
                Ok(Err(error)) => debug!(%upstream, %error, "cannot ask the server"),
                Err(_) => debug!(%upstream, "the server does not answer"),
            }
        }
        counters.failed.count();
        self.refusal(ResponseCode::ServFail)
    }

    fn refusal(&self, code: ResponseCode) -> Vec<u8> {
        match Query::read(&self.bytes, self.transport) {
            Ok(query) => reply::empty(&query, code),
            Err(_) => reply::header(&self.bytes, code),
        }
    }
}
