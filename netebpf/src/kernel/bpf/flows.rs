//! The tables of flows: what is in them, and the search for flows that are over.
//!
//! The data path forgets a flow itself when it meets one that is over; the search finds those that no packet will ever
//! meet again. It removes nothing: it names candidates to the collector's program.

use std::collections::HashMap;

use netebpf_common::{
    abi::{ABI_VERSION, Direction, Flow, Timeouts, Tuple, map_name},
    collect::{Candidate, is_dead, is_partner},
    conntrack::counterpart,
    tables::Tier,
};
use nix::time::{ClockId, clock_gettime};

use super::{Error, Settings, collect::Collector, table::Table, tables::Tables};

/// The tables.
const TABLES: [(Tier, &str); 2] = [(Tier::Assured, map_name::FLOWS), (Tier::Pending, map_name::PENDING)];

/// What a search has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sweep {
    /// Entries that were looked at.
    pub entries: usize,
    /// Flows that were removed.
    pub removed: usize,
    /// Hundredths of the assured flows' table that were in use.
    pub fill: usize,
}

/// A flow with both its directions, as far as they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// Where it is recorded.
    pub tier: Tier,
    /// The tuple of the packets of the side that began.
    pub original: Tuple,
    /// The tuple of the packets that answer.
    pub reply: Tuple,
    /// The entry of the side that began.
    pub forward: Option<Flow>,
    /// The entry of the side that answers.
    pub backward: Option<Flow>,
}

/// Has flows removed that have been idle for too long.
///
/// Works on what is pinned alone, so it may run beside everything else.
pub fn remove_expired(settings: &Settings) -> Result<Sweep, Error> {
    let maps = settings.maps();
    let config = Tables::open(&maps)?.config()?;
    if config.abi != ABI_VERSION {
        // Nothing was decided yet, and there are no idle times to go by.
        return Ok(Sweep::default());
    }
    let (collector, now) = (Collector::open(settings)?, now()?);
    let mut sweep = Sweep::default();
    for (tier, name) in TABLES {
        let flows = Table::open(&maps, name)?;
        let (entries, candidates) = find_dead(&flows, tier, &config.timeouts, now)?;
        if matches!(tier, Tier::Assured) {
            sweep.fill = entries * 100 / (flows.capacity as usize).max(1);
        }
        sweep.entries += entries;
        sweep.removed += collector.remove(&candidates)?;
    }
    Ok(sweep)
}

/// How many entries there are, and the flows among them that are over.
fn find_dead(
    flows: &Table<Tuple, Flow>,
    tier: Tier,
    timeouts: &Timeouts,
    now: u64,
) -> Result<(usize, Vec<Candidate>), Error> {
    let (mut entries, mut dead) = (0, Vec::new());
    for entry in flows.walk() {
        let (tuple, flow) = entry?;
        entries += 1;
        let is_dead = |half| is_dead(&flow, tier, tuple.protocol, half, timeouts, now);
        if !is_dead(None) {
            continue;
        }
        let other = counterpart(&tuple, &flow.translation);
        let half = flows.get(other)?.filter(|half| is_partner(&tuple, &other, half));
        // Of two halves the first one stands for both.
        if is_dead(half.as_ref()) && (half.is_none() || flow.direction() == Direction::Original) {
            dead.push(Candidate::new(tier, tuple));
        }
    }
    Ok((entries, dead))
}

/// Reads all flows. What an assured flow has left behind among the pending ones is left out.
pub fn list(settings: &Settings) -> Result<Vec<Connection>, Error> {
    let mut connections = HashMap::new();
    for (tier, name) in TABLES {
        let flows = Table::<Tuple, Flow>::open(&settings.maps(), name)?;
        for entry in flows.walk() {
            let (tuple, flow) = entry?;
            add(&mut connections, tier, tuple, flow);
        }
    }
    Ok(connections.into_values().collect())
}

fn add(connections: &mut HashMap<Tuple, Connection>, tier: Tier, tuple: Tuple, flow: Flow) {
    let other = counterpart(&tuple, &flow.translation);
    let (original, reply) = match flow.direction() {
        Direction::Original => (tuple, other),
        Direction::Reply => (other, tuple),
    };
    let new = Connection { tier, original, reply, forward: None, backward: None };
    let connection = connections.entry(original).or_insert(new);
    if connection.tier != tier {
        return;
    }
    match flow.direction() {
        Direction::Original => connection.forward = Some(flow),
        Direction::Reply => connection.backward = Some(flow),
    }
}

/// Nanoseconds of the clock that the programs use.
pub fn now() -> Result<u64, Error> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_err(|errno| Error::System { doing: "read the clock", source: errno.into() })?;
    let (seconds, nanos) = (time.tv_sec().cast_unsigned(), time.tv_nsec().cast_unsigned());
    Ok(seconds * 1_000_000_000 + nanos)
}

#[cfg(test)]
mod tests;
