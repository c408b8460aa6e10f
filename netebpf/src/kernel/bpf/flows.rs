//! Forgets flows that are over.
//!
//! The data path does so itself when it meets one; this finds those that no packet will ever meet again.

use netebpf_common::{
    abi::{ABI_VERSION, Flow, Tuple, map_name},
    conntrack,
};
use nix::time::{ClockId, clock_gettime};

use super::{Error, Settings, table::Table, tables::Tables};

/// Removes the flows that have been idle for too long, and returns how many entries that were.
///
/// Works on the pinned table alone, so it may run beside everything else.
pub fn remove_expired(settings: &Settings) -> Result<usize, Error> {
    let maps = settings.maps();
    let config = Tables::open(&maps)?.config()?;
    if config.abi != ABI_VERSION {
        // Nothing was decided yet, and there are no idle times to go by.
        return Ok(0);
    }
    let now = now()?;
    let mut flows = Table::<Tuple, Flow>::open(&maps, map_name::FLOWS)?;
    let mut expired = Vec::new();
    for entry in flows.walk() {
        let (tuple, flow) = entry?;
        if !conntrack::is_expired(&flow, &config.timeouts, tuple.protocol, now) {
            continue;
        }
        let other = flows.get(conntrack::counterpart(&tuple, &flow.translation))?;
        if conntrack::is_over(&flow, tuple.protocol, || other, &config.timeouts, now) {
            expired.push(tuple);
        }
    }
    for tuple in &expired {
        flows.delete(*tuple)?;
    }
    Ok(expired.len())
}

/// Nanoseconds of the clock that the programs use.
fn now() -> Result<u64, Error> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_err(|errno| Error::System { doing: "read the clock", source: errno.into() })?;
    let (seconds, nanos) = (time.tv_sec().cast_unsigned(), time.tv_nsec().cast_unsigned());
    Ok(seconds * 1_000_000_000 + nanos)
}
