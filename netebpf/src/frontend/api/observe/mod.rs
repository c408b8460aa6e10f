//! Calls that look at the data path: what was dropped, which flows there are, what happens right now.

mod convert;
mod filter;
mod names;
#[cfg(test)]
mod tests;

use std::convert::Infallible;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderName, header},
};
use futures::stream;

use super::{Context, Error, body::Parameters, wire};
use crate::daemon::Follower;

use filter::{DropParameters, EventParameters, FlowParameters, Wanted};
use names::Names;

/// The media type of one JSON document a line.
const LINES: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/x-ndjson")];

/// What was dropped, the most first.
pub(super) async fn drops(
    State(context): State<Context>,
    Parameters(parameters): Parameters<DropParameters>,
) -> Result<Json<Vec<wire::Drops>>, Error> {
    let spec = context.daemon.spec();
    let wanted = parameters.check(&spec)?;
    let names = Names::new(&spec);
    let drops = context.observer.drops().await?;
    let drops = drops.iter().map(|(key, packets)| convert::drops(*key, *packets, &names));
    let mut drops: Vec<_> = drops.filter(|drops| wanted.has_drops(drops)).collect();
    drops.sort_by(|a, b| (b.packets, &a.device, &a.reason).cmp(&(a.packets, &b.device, &b.reason)));
    Ok(Json(drops))
}

/// The flows, by their ends.
pub(super) async fn flows(
    State(context): State<Context>,
    Parameters(parameters): Parameters<FlowParameters>,
) -> Result<Json<Vec<wire::Flow>>, Error> {
    let spec = context.daemon.spec();
    let wanted = parameters.check(&spec)?;
    let names = Names::new(&spec);
    let (mut flows, now) = context.observer.flows().await?;
    flows.retain(|flow| wanted.has_tuple(&flow.original) || wanted.has_tuple(&flow.reply));
    flows.sort_by_key(|flow| flow.original);
    let flows = flows.iter().map(|flow| convert::flow(flow, now, &names));
    Ok(Json(flows.filter(|flow| wanted.has_flow(flow)).collect()))
}

/// What happens from now on, one event a line, until the client has enough or the daemon ends.
pub(super) async fn events(
    State(context): State<Context>,
    Parameters(parameters): Parameters<EventParameters>,
) -> Result<([(HeaderName, &'static str); 1], Body), Error> {
    let wanted = parameters.check(&context.daemon.spec())?;
    let follower = context.observer.follow(wanted.filter()).await?;
    let lines = stream::unfold((context, follower, wanted), async |(context, mut follower, wanted)| {
        let line = next_line(&context, &mut follower, &wanted).await?;
        Some((Ok::<_, Infallible>(line), (context, follower, wanted)))
    });
    Ok((LINES, Body::from_stream(lines)))
}

async fn next_line(context: &Context, follower: &mut Follower, wanted: &Wanted) -> Option<String> {
    loop {
        let news = follower.next().await?;
        // Names may have changed since the last event.
        let event = convert::event(&news, &Names::new(&context.daemon.spec()));
        if wanted.has_event(&event)
            && let Ok(line) = serde_json::to_string(&event)
        {
            return Some(line + "\n");
        }
    }
}
