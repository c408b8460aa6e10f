//! The packet counters, summed over the CPUs.

use std::path::Path;

use aya::maps::{Map, MapData, PerCpuArray};
use netebpf_common::abi::{COUNTERS_PER_HOOK, Hook, counter_index, map_name};

use super::{Error, table::failed};

/// `COUNTERS`.
pub(super) struct Counters(PerCpuArray<MapData, u64>);

impl Counters {
    /// Opens the counters by their pin.
    pub(super) fn open(pin: &Path) -> Result<Self, Error> {
        let open = || PerCpuArray::try_from(Map::from_map_data(MapData::from_pin(pin)?)?);
        Ok(Self(open().map_err(failed("open", map_name::COUNTERS))?))
    }

    /// Counters that are not zero: hook, code of the outcome, packets.
    pub(super) fn read(&self) -> Result<Vec<(Hook, u8, u64)>, Error> {
        let mut found = Vec::new();
        for hook in Hook::ALL {
            for outcome in (0..=u8::MAX).take(COUNTERS_PER_HOOK as usize) {
                let values = self
                    .0
                    .get(&counter_index(hook, outcome), 0)
                    .map_err(failed("read", map_name::COUNTERS))?;
                let packets = values.iter().sum();
                if packets > 0 {
                    found.push((hook, outcome, packets));
                }
            }
        }
        Ok(found)
    }
}
