//! Dropped packets, counted by device, hook and reason.

use aya::maps::{Map, MapData, MapError, PerCpuHashMap};
use netebpf_common::abi::{DropKey, map_name};

use super::{Error, Settings, abi::Abi, table::failed};

/// Reads all counters, summed over the CPUs. Works on what is pinned alone.
pub fn list(settings: &Settings) -> Result<Vec<(DropKey, u64)>, Error> {
    let read = || {
        let map = Map::from_map_data(MapData::from_pin(settings.maps().join(map_name::DROPS))?)?;
        let drops = PerCpuHashMap::<_, Abi<DropKey>, u64>::try_from(map)?;
        let summed = drops.iter().map(|entry| entry.map(|(Abi(key), packets)| (key, packets.iter().sum())));
        summed.collect::<Result<_, MapError>>()
    };
    read().map_err(failed("read", map_name::DROPS))
}
