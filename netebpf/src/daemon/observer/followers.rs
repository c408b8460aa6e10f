//! Who follows, and which events each one gets.

use std::collections::BTreeMap;

use netebpf_common::{
    abi::{Event, EventFilter},
    event,
};
use tokio::sync::mpsc;

use super::{News, WAITING_EVENTS};

/// All followers.
#[derive(Debug, Default)]
pub(super) struct Followers {
    all: BTreeMap<u64, Entry>,
    next_id: u64,
}

#[derive(Debug)]
struct Entry {
    filter: EventFilter,
    news: mpsc::Sender<News>,
    /// Events of the wanted sort so far, for a sample of its own.
    seen: u32,
    missed: u64,
}

impl Followers {
    /// Adds one, and returns its number and where it gets its events.
    pub(super) fn add(&mut self, filter: EventFilter) -> (u64, mpsc::Receiver<News>) {
        let (news, receiver) = mpsc::channel(WAITING_EVENTS);
        self.next_id += 1;
        self.all.insert(self.next_id, Entry { filter, news, seen: 0, missed: 0 });
        (self.next_id, receiver)
    }

    /// Removes one; one that is gone already is fine.
    pub(super) fn remove(&mut self, id: u64) {
        self.all.remove(&id);
    }

    /// What the kernel has to tell for all of them.
    pub(super) fn filter(&self) -> EventFilter {
        event::union(self.all.values().map(|follower| follower.filter))
    }

    /// Gives an event to those who want it.
    pub(super) fn tell(&mut self, event: &Event) {
        let Some(kind) = event.kind() else { return };
        let sampled = event::interval(&self.filter(), kind);
        for follower in self.all.values_mut() {
            // A sample is taken once: in the kernel if all want the same, here otherwise.
            let interval = event::interval(&follower.filter, kind);
            if interval != 0 && event::matches(&follower.filter, event) {
                follower.seen = follower.seen.wrapping_add(1);
                if interval == sampled || follower.seen.is_multiple_of(interval) {
                    follower.give(event);
                }
            }
        }
    }
}

impl Entry {
    fn give(&mut self, event: &Event) {
        match self.news.try_send(News { event: *event, missed: self.missed }) {
            Ok(()) => self.missed = 0,
            // One that has gone takes itself off the list.
            Err(_) => self.missed += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use netebpf_common::abi::{EventKind, Hook};

    use super::*;

    fn dropped(outcome: u8) -> Event {
        Event::new(EventKind::Drop, Hook::FromBridge, outcome)
    }

    fn only(outcome: u32, interval: u32) -> EventFilter {
        let mut filter = EventFilter::everything(interval, 0);
        filter.outcome = outcome;
        filter
    }

    fn received(news: &mut mpsc::Receiver<News>) -> Vec<u8> {
        std::iter::from_fn(|| news.try_recv().ok()).map(|news| news.event.outcome).collect()
    }

    #[test]
    fn each_follower_gets_what_it_asked_for_and_the_kernel_tells_no_more() {
        let mut followers = Followers::default();
        assert_eq!(followers.filter(), EventFilter::default());
        let (first, mut spoofed) = followers.add(only(17, 1));
        assert_eq!(followers.filter(), only(17, 1));
        let (second, mut isolated) = followers.add(only(19, 1));
        assert_eq!(followers.filter(), EventFilter::everything(1, 0));
        let (third, mut flows) = followers.add(EventFilter::everything(0, 1));
        for outcome in [17, 19, 20] {
            followers.tell(&dropped(outcome));
        }
        followers.tell(&Event::new(EventKind::FlowNew, Hook::FromBridge, 1));
        assert_eq!(
            (received(&mut spoofed), received(&mut isolated), received(&mut flows)),
            (vec![17], vec![19], vec![1])
        );
        for id in [first, second, third] {
            followers.remove(id);
        }
        assert_eq!(followers.filter(), EventFilter::default());
    }

    #[test]
    fn who_samples_differently_samples_here() {
        let mut followers = Followers::default();
        let (_, mut tenth) = followers.add(EventFilter::everything(10, 0));
        (0..10).for_each(|_| followers.tell(&dropped(17)));
        assert_eq!(received(&mut tenth).len(), 10, "the kernel has taken the sample");
        let (_, mut all) = followers.add(EventFilter::everything(1, 0));
        (0..100).for_each(|_| followers.tell(&dropped(17)));
        assert_eq!((received(&mut tenth).len(), received(&mut all).len()), (10, 100));
    }

    #[test]
    fn a_slow_follower_learns_how_much_it_missed() {
        let mut followers = Followers::default();
        let (_, mut news) = followers.add(EventFilter::everything(1, 0));
        (0..WAITING_EVENTS + 5).for_each(|_| followers.tell(&dropped(17)));
        assert_eq!(received(&mut news).len(), WAITING_EVENTS);
        followers.tell(&dropped(17));
        assert_eq!(news.try_recv().map(|news| news.missed), Ok(5));
    }
}
