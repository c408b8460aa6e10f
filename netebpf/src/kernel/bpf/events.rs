//! What the programs tell of single packets, and which packets they are to tell of.

use std::io;

use aya::maps::{Array, Map, MapData, MapError, PerCpuArray, RingBuf};
use netebpf_common::abi::{Event, EventFilter, map_name};
use tokio::io::{Interest, unix::AsyncFd};
use zerocopy::FromBytes as _;

use super::{Error, Settings, abi::Abi, table::failed};

/// Events that are handed on at once.
const BATCH: usize = 512;

/// The reading end of the ring buffer. There is one for each engine: what one reader takes another does not see.
pub struct Events {
    ring: AsyncFd<RingBuf<MapData>>,
    filter: Array<MapData, Abi<EventFilter>>,
}

impl Events {
    /// Opens the ring buffer by its pin, and has the programs tell nothing. Must run inside an async runtime.
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        let map = |name: &'static str| MapData::from_pin(settings.maps().join(name)).map(Map::from_map_data);
        let ring = || RingBuf::try_from(map(map_name::EVENTS)??);
        let filter = || Array::try_from(map(map_name::EVENT_FILTER)??);
        let ring = ring().map_err(failed("open", map_name::EVENTS))?;
        let ring = register(ring).map_err(waiting)?;
        let filter = filter().map_err(failed("open", map_name::EVENT_FILTER))?;
        let mut events = Self { ring, filter };
        events.ask_for(&EventFilter::default())?;
        Ok(events)
    }

    /// Says which packets are told of from now on.
    pub fn ask_for(&mut self, filter: &EventFilter) -> Result<(), Error> {
        self.filter.set(0, Abi(*filter), 0).map_err(failed("write to", map_name::EVENT_FILTER))
    }

    /// Waits for events and takes them, the oldest first. May be cancelled without losing any.
    pub async fn take(&mut self) -> Result<Vec<Event>, Error> {
        loop {
            let mut ready = self.ring.readable_mut().await.map_err(waiting)?;
            let ring = ready.get_inner_mut();
            let mut events = Vec::new();
            while events.len() < BATCH
                && let Some(item) = ring.next()
            {
                events.extend(Event::read_from_bytes(&item));
            }
            if events.len() < BATCH {
                ready.clear_ready();
            }
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }
}

#[expect(unsafe_code, reason = "tokio asks for it since a type could lie about its descriptor")]
fn register(ring: RingBuf<MapData>) -> io::Result<AsyncFd<RingBuf<MapData>>> {
    // SAFETY: the ring buffer owns its descriptor, names always the same one, and closes it only when it is dropped.
    unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) }.map_err(io::Error::from)
}

/// How many events did not fit into the ring buffer since the maps were made.
pub(super) fn lost(settings: &Settings) -> Result<u64, Error> {
    let read = || {
        let map = Map::from_map_data(MapData::from_pin(settings.maps().join(map_name::EVENTS_LOST))?)?;
        Ok::<_, MapError>(PerCpuArray::<_, u64>::try_from(map)?.get(&0, 0)?.iter().sum())
    };
    read().map_err(failed("read", map_name::EVENTS_LOST))
}

fn waiting(source: io::Error) -> Error {
    Error::System { doing: "wait for events of the BPF programs", source }
}

#[cfg(test)]
mod tests;
