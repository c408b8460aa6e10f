//! Where events come from, besides clients: the kernel's notices, the clock, and signals.

use std::{io, time::Duration};

use futures::{Stream, StreamExt as _};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout, timeout_at},
};

use super::Event;

/// How long it must be quiet before changes of links are looked at: making one link gives a dozen notices.
const QUIET: Duration = Duration::from_millis(50);
/// How long changes are gathered at most when it never gets quiet.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often everything is looked at even if nothing was noticed.
const TICK: Duration = Duration::from_secs(30);

/// Reports bursts of `changes` as one event each, until they or the loop end.
pub(super) async fn link_changes(mut changes: impl Stream<Item = ()> + Unpin, events: mpsc::Sender<Event>) {
    while changes.next().await.is_some() {
        let patience = Instant::now() + PATIENCE;
        while let Ok(Ok(Some(()))) = timeout_at(patience, timeout(QUIET, changes.next())).await {}
        if events.send(Event::LinkChanged).await.is_err() {
            return;
        }
    }
}

/// Reports the passing of time until the loop ends.
pub(super) async fn ticks(events: mpsc::Sender<Event>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if events.send(Event::Tick).await.is_err() {
            return;
        }
    }
}

/// Reports SIGTERM and SIGINT as the wish that the daemon ends. The signals no longer kill from the call on.
pub(super) fn signals(events: mpsc::Sender<Event>) -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // A closed channel means that the loop has ended already.
        drop(events.send(Event::Shutdown).await);
    });
    Ok(())
}
