//! Looks at the data path for whoever asks, beside the loop: reading full tables takes a while, and followers stay long.
//!
//! One task reads what the programs tell and gives each follower what it asked for. The kernel has one filter: the
//! narrowest that serves all followers, and none of its own accord when nobody follows.

mod followers;

use netebpf_common::abi::{DropKey, Event, EventFilter};
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
};
use tracing::{error, warn};

use super::{Error, Settings, with_causes};
use crate::kernel::{
    self, drops,
    events::Events,
    flows::{self, Connection},
};

use followers::Followers;

/// Events that may wait for a follower; it misses what comes when there are more.
const WAITING_EVENTS: usize = 4096;

/// How the data path can be looked at.
#[derive(Debug, Clone)]
pub struct Observer {
    settings: Settings,
    commands: mpsc::UnboundedSender<Command>,
}

/// Gets events for as long as it lives.
#[derive(Debug)]
pub struct Follower {
    id: u64,
    news: mpsc::Receiver<News>,
    commands: mpsc::UnboundedSender<Command>,
}

/// What a follower gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// The event.
    pub event: Event,
    /// How many events before it the follower was too slow for.
    pub missed: u64,
}

#[derive(Debug)]
enum Command {
    Follow(EventFilter, oneshot::Sender<Result<Follower, Error>>),
    Leave(u64),
    Close,
}

impl Observer {
    /// Begins to observe. Must run inside an async runtime.
    pub fn start(settings: &Settings) -> Result<Self, kernel::Error> {
        let events = Events::open(settings)?;
        let (commands, receiver) = mpsc::unbounded_channel();
        tokio::spawn(serve(events, commands.downgrade(), receiver));
        Ok(Self { settings: settings.clone(), commands })
    }

    /// Dropped packets: where and why, and how many.
    pub async fn drops(&self) -> Result<Vec<(DropKey, u64)>, Error> {
        let settings = self.settings.clone();
        beside(move || drops::list(&settings)).await
    }

    /// All flows, and the time by which their idle times count, in nanoseconds of `CLOCK_MONOTONIC`.
    pub async fn flows(&self) -> Result<(Vec<Connection>, u64), Error> {
        let settings = self.settings.clone();
        beside(move || Ok((flows::list(&settings)?, flows::now()?))).await
    }

    /// Follows events from now on: when this returns, the programs tell of them.
    pub async fn follow(&self, filter: EventFilter) -> Result<Follower, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Follow(filter, reply)).map_err(|_| Error::ShuttingDown)?;
        answer.await.map_err(|_| Error::ShuttingDown)?
    }

    /// Lets all followers go and stops observing.
    pub fn close(&self) {
        // Nobody listens any more when it was closed before.
        drop(self.commands.send(Command::Close));
    }
}

impl Follower {
    /// Waits for the next event; `None` when the daemon ends.
    pub async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // Nobody listens any more when the daemon ends.
        drop(self.commands.send(Command::Leave(self.id)));
    }
}

async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, kernel::Error> + Send + 'static,
) -> Result<T, Error> {
    let done = spawn_blocking(work).await;
    done.map_err(|_| Error::ShuttingDown)?.map_err(Error::kernel)
}

/// Serves followers until it is closed or the last observer is gone.
async fn serve(
    mut events: Events,
    sender: mpsc::WeakUnboundedSender<Command>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let mut followers = Followers::default();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Follow(filter, reply)) => {
                    let Some(commands) = sender.upgrade() else { break };
                    let (id, news) = followers.add(filter);
                    let follower = Follower { id, news, commands };
                    let answer = events.ask_for(&followers.filter()).map(|()| follower).map_err(Error::kernel);
                    // Who did not wait for the answer leaves by dropping it.
                    drop(reply.send(answer));
                }
                Some(Command::Leave(id)) => {
                    followers.remove(id);
                    ask_for(&mut events, &followers.filter());
                }
                Some(Command::Close) | None => break,
            },
            taken = events.take() => match taken {
                Ok(taken) => taken.iter().for_each(|event| followers.tell(event)),
                Err(error) => {
                    error!(error = with_causes(&error), "cannot read events; nobody can follow any more");
                    break;
                }
            },
        }
    }
    ask_for(&mut events, &EventFilter::default());
}

fn ask_for(events: &mut Events, filter: &EventFilter) {
    if let Err(error) = events.ask_for(filter) {
        warn!(error = with_causes(&error), "cannot say which packets are to be told of");
    }
}
