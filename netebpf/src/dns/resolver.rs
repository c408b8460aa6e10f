//! A query and its answer, without sockets towards clients.

use std::{
    collections::BTreeMap,
    mem,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use hickory_server::proto::op::ResponseCode;
use tracing::warn;

use super::{
    Client, Counts, Dialer, Explanation, Kind, Transport,
    allowance::{Limits, Permit, Pool},
    decide::{Decision, decide},
    directory::{Directory, Resident},
    forward::Forward,
    query::{Invalid, Query},
    reply,
};
use crate::{
    compile::names::Names,
    model::{NetworkId, SandboxId},
};

/// How long nothing more is logged about too many queries.
const LOG_INTERVAL: Duration = Duration::from_secs(2);

/// Answers the queries of all sandboxes.
#[derive(Debug)]
pub struct Resolver {
    directory: RwLock<Directory>,
    pub(super) dialer: Dialer,
    pool: Arc<Pool>,
    /// When too many queries were last logged.
    warned: Mutex<Option<Instant>>,
}

/// What becomes of a message.
#[derive(Debug)]
pub enum Response {
    /// Nothing: it is no query.
    Silence,
    /// This is sent back.
    Ready(Vec<u8>),
    /// Other servers are asked first.
    Later(Box<Forward>),
}

impl Resolver {
    /// One that knows nobody yet.
    #[must_use]
    pub fn new(dialer: Dialer, limits: Limits) -> Self {
        Self {
            directory: RwLock::default(),
            dialer,
            pool: Arc::new(Pool::new(limits)),
            warned: Mutex::new(None),
        }
    }

    /// Puts other names in force, and other clients by the addresses that they ask from. Queries that are being forwarded
    /// go on.
    pub fn publish(&self, names: Names, clients: impl IntoIterator<Item = (IpAddr, Client)>) {
        let next = self.directory().followed_by(names, clients, &self.pool);
        let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        let previous = mem::replace(&mut *directory, next);
        // Nobody waits until it is gone.
        drop(directory);
        drop(previous);
    }

    /// What has been counted on each network.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<NetworkId, Counts> {
        self.directory().counts()
    }

    /// What a sandbox is told about a name, and why; `None` if it has no name server.
    #[must_use]
    pub fn explain(&self, sandbox: SandboxId, name: &str, kind: Kind) -> Option<Explanation> {
        let directory = self.directory();
        let client = directory.client_of(sandbox)?;
        Some(Explanation::new(directory.view(sandbox), client, name, kind))
    }

    /// Decides about a message from a client.
    #[must_use]
    pub fn respond(&self, client: SocketAddr, transport: Transport, bytes: &[u8]) -> Response {
        let query = Query::read(client, transport, bytes);
        if matches!(query, Err(Invalid::Silent)) {
            return Response::Silence;
        }
        let directory = self.directory();
        let Some(resident) = directory.resident(client.ip()) else {
            return Response::Ready(reply::header(bytes, ResponseCode::Refused));
        };
        resident.counters.queries.count();
        match query {
            Err(Invalid::Silent) => Response::Silence,
            Err(Invalid::Code(code)) => {
                resident.counters.refused.count();
                Response::Ready(reply::header(bytes, code))
            }
            Ok(query) => self.answer(&directory, resident, query),
        }
    }

    /// Leave for a connection of a client.
    pub(super) fn connect(&self, peer: IpAddr) -> Option<Permit> {
        self.directory().resident(peer)?.allowance.connect()
    }

    /// Tells of a sandbox with too many queries, but not too often.
    pub(super) fn warn_of_flood(&self, sandbox: SandboxId) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|warned| warned.elapsed() >= LOG_INTERVAL) {
            *warned = Some(Instant::now());
            let outstanding = self.pool.limits.outstanding;
            warn!(sandbox = %sandbox.short(), "name server: more than {outstanding} concurrent queries");
        }
    }

    /// How long another server is waited for.
    pub(super) fn patience(&self) -> Duration {
        self.pool.limits.patience
    }

    fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, directory: &Directory, resident: &Arc<Resident>, query: Query) -> Response {
        let client = &resident.client;
        if query.request.version() != 0 {
            resident.counters.refused.count();
            return Response::Ready(reply::empty(&query, ResponseCode::BADVERS));
        }
        let name = query.name();
        let answer = match decide(directory.view(client.sandbox), client, name.as_deref(), query.kind()) {
            Decision::Addresses(found, family) => reply::addresses(&query, found.addresses, family),
            Decision::Pointer(name, zone) => reply::pointer(&query, name, &zone.name),
            Decision::Nothing(_) | Decision::SingleLabel => reply::empty(&query, ResponseCode::NoError),
            Decision::Elsewhere => return self.forward(resident, query),
        };
        resident.counters.answered.count();
        Response::Ready(answer)
    }

    fn forward(&self, resident: &Arc<Resident>, query: Query) -> Response {
        if resident.client.upstreams.is_empty() {
            resident.counters.failed.count();
            return Response::Ready(reply::empty(&query, ResponseCode::ServFail));
        }
        if let Some(place) = resident.allowance.queue() {
            return Response::Later(Box::new(Forward::new(resident, query, place)));
        }
        self.warn_of_flood(resident.client.sandbox);
        resident.counters.refused.count();
        Response::Ready(reply::empty(&query, ResponseCode::Refused))
    }
}
