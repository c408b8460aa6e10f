//! One hash map with the types of its keys and values.

use std::{collections::BTreeMap, io, path::Path};

use aya::maps::{HashMap, Map, MapData, MapError};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Error, abi::Abi};

/// What a type must be to be a key or value of a table.
pub(super) trait Shared: IntoBytes + FromBytes + Immutable + Copy + 'static {}

impl<T: IntoBytes + FromBytes + Immutable + Copy + 'static> Shared for T {}

/// A hash map with its types.
pub(super) struct Table<K, V> {
    name: &'static str,
    map: HashMap<MapData, Abi<K>, Abi<V>>,
    /// How many entries fit in.
    pub(super) capacity: u32,
}

impl<K: Shared, V: Shared> Table<K, V> {
    /// Opens the table by its pin.
    pub(super) fn open(maps: &Path, name: &'static str) -> Result<Self, Error> {
        let open = || {
            let map = MapData::from_pin(maps.join(name))?;
            let capacity = map.info()?.max_entries();
            Ok(Self { name, map: HashMap::try_from(Map::from_map_data(map)?)?, capacity })
        };
        open().map_err(failed("open", name))
    }

    /// Writes an entry.
    pub(super) fn put(&mut self, key: K, value: V) -> Result<(), Error> {
        self.map.insert(Abi(key), Abi(value), 0).map_err(failed("write to", self.name))
    }

    /// Removes an entry; one that is gone already is fine.
    pub(super) fn delete(&mut self, key: K) -> Result<(), Error> {
        match self.map.remove(&Abi(key)) {
            Err(MapError::SyscallError(error)) if error.io_error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.map_err(failed("delete from", self.name)),
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: K) -> Result<Option<V>, Error> {
        match self.map.get(&Abi(key), 0) {
            Ok(Abi(value)) => Ok(Some(value)),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(error) => Err(failed("read", self.name)(error)),
        }
    }

    /// The entries, one after the other; at most as many as fit in, because the kernel starts over when a program
    /// removes the entry that the walk stands on.
    pub(super) fn walk(&self) -> impl Iterator<Item = Result<(K, V), Error>> {
        let entries = self.map.iter().take(self.capacity as usize);
        entries.map(|entry| match entry {
            Ok((Abi(key), Abi(value))) => Ok((key, value)),
            Err(error) => Err(failed("read", self.name)(error)),
        })
    }

    /// How many entries there are, roughly if programs write meanwhile.
    pub(super) fn count(&self) -> Result<usize, Error> {
        let keys = self.map.keys().take(self.capacity as usize);
        keys.map(|key| key.map(|_| 1)).sum::<Result<_, _>>().map_err(failed("read", self.name))
    }
}

impl<K: Shared + Ord, V: Shared> Table<K, V> {
    /// All entries, of a table that only the daemon writes.
    pub(super) fn entries(&self) -> Result<BTreeMap<K, V>, Error> {
        self.walk().collect()
    }
}

/// A failed map operation, for `map_err`.
pub(super) fn failed(doing: &'static str, name: &'static str) -> impl FnOnce(MapError) -> Error {
    move |source| Error::Map { doing, name, source: Box::new(source) }
}
