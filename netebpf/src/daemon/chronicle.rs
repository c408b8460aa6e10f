//! What has happened lately, and who is told of what happens: kept beside the loop, which never waits for a reader.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::broadcast;

use super::engine::now;
use crate::change::Happening;

/// How many happenings are remembered, as by Docker.
const REMEMBERED: usize = 256;

/// How many may wait for a follower; who reads slower is let go.
const WAITING: usize = 1024;

/// Something that has happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What.
    pub happening: Happening,
    /// When, in nanoseconds since the Unix epoch.
    pub time: u64,
}

/// Remembers what has happened and tells followers.
#[derive(Debug, Clone)]
pub(super) struct Chronicle(Arc<Mutex<Pages>>);

#[derive(Debug)]
struct Pages {
    last: VecDeque<Arc<Told>>,
    /// None once the daemon ends.
    followers: Option<broadcast::Sender<Arc<Told>>>,
}

/// Learns of everything from a certain moment on.
#[derive(Debug)]
pub struct Follow {
    /// What had happened before that moment, as far as it is remembered.
    pub past: Vec<Arc<Told>>,
    news: broadcast::Receiver<Arc<Told>>,
}

/// Why a follower learns of nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The daemon ends.
    Ended,
    /// It missed something, because it was too slow.
    Missed,
}

impl Chronicle {
    pub(super) fn new() -> Self {
        let (followers, _) = broadcast::channel(WAITING);
        Self(Arc::new(Mutex::new(Pages { last: VecDeque::new(), followers: Some(followers) })))
    }

    /// Writes down what has happened just now.
    pub(super) fn tell(&self, happenings: impl IntoIterator<Item = Happening>) {
        let mut pages = self.pages();
        for happening in happenings {
            let told = Arc::new(Told { happening, time: now() });
            if pages.last.len() == REMEMBERED {
                pages.last.pop_front();
            }
            pages.last.push_back(Arc::clone(&told));
            if let Some(followers) = &pages.followers {
                // Nobody need listen.
                drop(followers.send(told));
            }
        }
    }

    /// Follows from now on: nothing falls between the past and the news.
    pub(super) fn follow(&self) -> Follow {
        let pages = self.pages();
        let closed = || broadcast::channel(1).1;
        let news = pages.followers.as_ref().map_or_else(closed, broadcast::Sender::subscribe);
        Follow { past: pages.last.iter().cloned().collect(), news }
    }

    /// Lets all followers go.
    pub(super) fn close(&self) {
        self.pages().followers = None;
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follow {
    /// Waits for the next happening. May be cancelled without losing any. After [`Silence::Missed`] it goes on with what
    /// is still known.
    pub async fn next(&mut self) -> Result<Arc<Told>, Silence> {
        self.news.recv().await.map_err(|error| match error {
            broadcast::error::RecvError::Closed => Silence::Ended,
            broadcast::error::RecvError::Lagged(_) => Silence::Missed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(told: &Told) -> usize {
        usize::from(told.happening == Happening::NetworksPruned)
    }

    #[tokio::test]
    async fn followers_learn_of_the_past_and_of_what_comes() {
        let chronicle = Chronicle::new();
        chronicle.tell([Happening::NetworksPruned]);
        let mut follow = chronicle.follow();
        chronicle.tell([Happening::SandboxesPruned]);
        assert_eq!(follow.past.iter().map(|past| told(past)).collect::<Vec<_>>(), [1]);
        assert_eq!(follow.next().await.map(|news| told(&news)), Ok(0));
        chronicle.close();
        assert_eq!(follow.next().await, Err(Silence::Ended));
        assert_eq!(chronicle.follow().next().await, Err(Silence::Ended));
    }

    #[tokio::test]
    async fn a_slow_follower_misses_something_and_the_past_has_an_end() {
        let chronicle = Chronicle::new();
        let mut follow = chronicle.follow();
        chronicle.tell((0..=WAITING).map(|_| Happening::NetworksPruned));
        assert_eq!(follow.next().await, Err(Silence::Missed));
        assert!(follow.next().await.is_ok());
        assert_eq!(chronicle.follow().past.len(), REMEMBERED);
    }
}
