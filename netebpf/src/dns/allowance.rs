//! How many queries and connections a sandbox may keep the server busy with at a time.

use std::{sync::Arc, time::Duration};

use tokio::{
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Bounds of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a server is waited for, and how long a query waits for its turn.
    pub patience: Duration,
    /// Queries of one sandbox that other servers are asked about at a time; as many more wait.
    pub outstanding: usize,
    /// As many of these nobody can take from a sandbox.
    pub reserved: usize,
    /// Queries of all sandboxes beyond what is reserved for each.
    pub shared: usize,
    /// Connections of one sandbox.
    pub connections: usize,
    /// Connections of all sandboxes.
    pub all_connections: usize,
}

impl Limits {
    /// The same with no more open files than a share of `files`, which is how many the process may have: each query that
    /// another server is asked about takes one, and so does each connection. What is reserved for sandboxes comes on top.
    #[must_use]
    pub fn within(self, files: usize) -> Self {
        Self {
            shared: self.shared.min(files / 4),
            all_connections: self.all_connections.min(files / 16),
            ..self
        }
    }
}

/// The engine's patience and its bound for a sandbox are Docker's; the others keep open files within bounds.
impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(4),
            outstanding: 1024,
            reserved: 16,
            shared: 4096,
            connections: 16,
            all_connections: 1024,
        }
    }
}

/// What all sandboxes share.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) limits: Limits,
    queries: Arc<Semaphore>,
    connections: Arc<Semaphore>,
}

/// What one sandbox may use.
#[derive(Debug)]
pub(super) struct Allowance {
    pool: Arc<Pool>,
    waiting: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    others: Arc<Semaphore>,
    connections: Arc<Semaphore>,
}

/// Leave to be busy, until it is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "what it holds is given back when it is dropped")]
pub(super) struct Permit(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

impl Pool {
    pub(super) fn new(limits: Limits) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { limits, queries: semaphore(limits.shared), connections: semaphore(limits.all_connections) }
    }
}

impl Allowance {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        let limits = pool.limits;
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            pool: Arc::clone(pool),
            waiting: semaphore(2 * limits.outstanding),
            reserved: semaphore(limits.reserved.min(limits.outstanding)),
            others: semaphore(limits.outstanding.saturating_sub(limits.reserved)),
            connections: semaphore(limits.connections),
        }
    }

    /// A place among the queries that are asked about or wait for it; none if there are too many.
    pub(super) fn queue(&self) -> Option<Permit> {
        Arc::clone(&self.waiting).try_acquire_owned().ok().map(|place| Permit(place, None))
    }

    /// Waits until a query may be asked about, but not for long.
    pub(super) async fn ask(&self) -> Option<Permit> {
        let reserved = Arc::clone(&self.reserved).acquire_owned();
        let shared = async {
            let own = Arc::clone(&self.others).acquire_owned().await?;
            Ok((own, Arc::clone(&self.pool.queries).acquire_owned().await?))
        };
        let either = async {
            select! {
                biased;
                permit = reserved => permit.map(|permit| Permit(permit, None)),
                both = shared => both.map(|(own, shared)| Permit(own, Some(shared))),
            }
        };
        timeout(self.pool.limits.patience, either).await.ok()?.ok()
    }

    /// Leave for a connection; none if there are too many.
    pub(super) fn connect(&self) -> Option<Permit> {
        let own = Arc::clone(&self.connections).try_acquire_owned().ok()?;
        let shared = Arc::clone(&self.pool.connections).try_acquire_owned().ok()?;
        Some(Permit(own, Some(shared)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Arc<Pool> {
        Arc::new(Pool::new(Limits {
            patience: Duration::from_millis(10),
            outstanding: 5,
            reserved: 2,
            shared: 3,
            connections: 2,
            all_connections: 3,
        }))
    }

    async fn take(allowance: &Allowance) -> Vec<Permit> {
        let mut permits = Vec::new();
        while let Some(permit) = allowance.ask().await {
            permits.push(permit);
        }
        permits
    }

    #[tokio::test]
    async fn nobody_takes_what_is_reserved_for_others() {
        let pool = pool();
        let (greedy, other) = (Allowance::new(&pool), Allowance::new(&pool));
        let all = take(&greedy).await;
        assert_eq!((all.len(), take(&other).await.len()), (5, 2));
        drop(all);
        assert_eq!(take(&other).await.len(), 5);
    }

    #[test]
    fn open_files_are_left_to_others() {
        let all = |files| {
            let limits = Limits::default().within(files);
            (limits.shared, limits.all_connections)
        };
        assert_eq!([all(1024), all(1 << 20)], [(256, 64), (4096, 1024)]);
    }

    #[tokio::test]
    async fn who_waits_gets_what_becomes_free() {
        let allowance = Allowance::new(&Arc::new(Pool::new(Limits { outstanding: 1, ..Limits::default() })));
        let first = allowance.ask().await.expect("it is the first");
        let (second, ()) = tokio::join!(allowance.ask(), async { drop(first) });
        assert!(second.is_some());
    }

    #[test]
    fn connections_and_waiting_queries_are_bounded() {
        let pool = pool();
        let (one, other) = (Allowance::new(&pool), Allowance::new(&pool));
        let connections =
            |allowance: &Allowance| -> Vec<_> { (0..9).map_while(|_| allowance.connect()).collect() };
        let first = connections(&one);
        assert_eq!((first.len(), connections(&other).len()), (2, 1));
        let waiting: Vec<_> = (0..99).map_while(|_| one.queue()).collect();
        assert_eq!(waiting.len(), 10);
    }
}
