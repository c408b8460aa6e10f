//! The Docker Engine's stream of events: what happens to networks and sandboxes. What happens to packets is told
//! elsewhere, by `observe`.

use std::{convert::Infallible, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderName, header},
};
use futures::stream::{self, StreamExt as _};
use serde::Deserialize;
use tokio::time::sleep;

use super::{
    Context, Error,
    body::Parameters,
    convert,
    filters::Filters,
    timestamp::{now, seconds},
    version::ApiVersion,
    wire::EngineEvent,
};
use crate::daemon::{Follow, Told};

/// Parameters of `GET /events`.
#[derive(Deserialize)]
pub(super) struct EventParameters {
    since: Option<String>,
    until: Option<String>,
    filters: Option<String>,
}

/// One document a line; before version 1.52 it was called something else.
const LINES: &str = "application/jsonl";
const FORMER_LINES: &str = "application/json";

/// Filters that name whom an event is about, by the kinds that Docker has.
const ACTORS: [&str; 9] =
    ["config", "container", "daemon", "network", "node", "plugin", "secret", "service", "volume"];

/// What has happened since a time, and what happens until another one or until the client or the daemon ends.
pub(super) async fn events(
    State(context): State<Context>,
    Extension(version): Extension<ApiVersion>,
    Parameters(EventParameters { since, until, filters }): Parameters<EventParameters>,
) -> Result<([(HeaderName, &'static str); 1], Body), Error> {
    let filters = Filters::read_any(filters.as_deref())?;
    let span = Span { since: moment("since", since.as_deref())?, until: moment("until", until.as_deref())? };
    if let (Some(from), Some(to)) = (span.since, span.until)
        && to < from
    {
        let text = Option::unwrap_or_default;
        return Err(Error::Reversed { since: text(since), until: text(until) });
    }
    let mut follow = context.daemon.follow();
    let past = std::mem::take(&mut follow.past);
    let past = past.into_iter().filter(move |told| span.has(told));
    let news = stream::unfold((follow, span.end()), async |(mut follow, mut end)| {
        let told = next(&mut follow, &mut end).await?;
        Some((told, (follow, end)))
    });
    let lines = stream::iter(past).chain(news).filter_map(move |told| {
        let event = convert::event(&told, version);
        let line = is_wanted(&filters, &event).then(|| serde_json::to_string(&event).ok()).flatten();
        async { line.map(|line| Ok::<_, Infallible>(line + "\n")) }
    });
    let kind = if version < ApiVersion::WITH_STATUS { FORMER_LINES } else { LINES };
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(lines)))
}

/// From when to when, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy)]
struct Span {
    since: Option<u64>,
    until: Option<u64>,
}

impl Span {
    /// Whether something past is asked for; nothing is unless a time is named.
    fn has(self, told: &Told) -> bool {
        (self.since.is_some() || self.until.is_some())
            && self.since.is_none_or(|since| told.time >= since)
            && self.until.is_none_or(|until| told.time <= until)
    }

    /// Ready when the end has come.
    fn end(self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self.until {
            Some(until) => Box::pin(sleep(Duration::from_nanos(until.saturating_sub(now())))),
            None => Box::pin(std::future::pending()),
        }
    }
}

/// A reader that is too slow has its end, as the daemon's end is one.
async fn next(follow: &mut Follow, end: &mut Pin<Box<dyn Future<Output = ()> + Send>>) -> Option<Arc<Told>> {
    tokio::select! {
        biased;
        () = end => None,
        told = follow.next() => told.ok(),
    }
}

/// Seconds since the Unix epoch with a fraction, in nanoseconds.
fn moment(name: &'static str, text: Option<&str>) -> Result<Option<u64>, Error> {
    let read = |text: &str| seconds(text).ok_or_else(|| Error::Moment { name, value: text.to_owned() });
    text.filter(|text| !text.is_empty()).map(read).transpose()
}

fn is_wanted(filters: &Filters, event: &EngineEvent) -> bool {
    let attributes = &event.actor.attributes;
    let name = attributes.get("name").map_or("", String::as_str);
    let is_about = |kind: &&str| filters.begins(kind, &event.actor.id) || filters.begins(kind, name);
    filters.admits("type", &event.kind)
        && filters.admits("event", &event.action)
        && filters.admits("scope", &event.scope)
        && filters.admits("image", &event.actor.id)
        && filters.has_labels("label", attributes)
        && ACTORS.iter().all(is_about)
}
