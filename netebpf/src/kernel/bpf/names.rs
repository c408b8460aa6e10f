//! The names that the kernel answers, who may ask for them, and how much each endpoint has asked.

use std::collections::BTreeMap;

use aya::maps::{HashMap, Map, MapData, MapError};
use netebpf_common::abi::{Asker, Name, NameKey, View, map_name};

use super::{
    Error, Settings,
    abi::Abi,
    table::{Shared, Table, failed},
};

/// `NAMES` and `VIEWS`.
pub struct NameTables {
    names: Table<NameKey, Name>,
    views: Table<u32, View>,
}

impl NameTables {
    /// Opens the tables by their pins.
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        let maps = settings.maps();
        Ok(Self { names: Table::open(&maps, map_name::NAMES)?, views: Table::open(&maps, map_name::VIEWS)? })
    }

    /// Makes the tables hold these names, and these views by the index of a host-side link.
    ///
    /// Names come before the views that show them and go after those, so that nobody is told less than before or after.
    pub fn replace(
        &mut self,
        names: &BTreeMap<NameKey, Name>,
        views: &BTreeMap<u32, View>,
    ) -> Result<(), Error> {
        let (present_names, present_views) = (self.names.entries()?, self.views.entries()?);
        put(&mut self.names, names, &present_names)?;
        put(&mut self.views, views, &present_views)?;
        delete(&mut self.views, views, &present_views)?;
        delete(&mut self.names, names, &present_names)
    }
}

fn put<K: Shared + Ord, V: Shared + PartialEq>(
    table: &mut Table<K, V>,
    wanted: &BTreeMap<K, V>,
    present: &BTreeMap<K, V>,
) -> Result<(), Error> {
    let mut changed = wanted.iter().filter(|(key, value)| present.get(key) != Some(value));
    changed.try_for_each(|(key, value)| table.put(*key, *value))
}

fn delete<K: Shared + Ord, V: Shared>(
    table: &mut Table<K, V>,
    wanted: &BTreeMap<K, V>,
    present: &BTreeMap<K, V>,
) -> Result<(), Error> {
    let mut gone = present.keys().filter(|key| !wanted.contains_key(key));
    gone.try_for_each(|key| table.delete(*key))
}

/// Reads what each endpoint has asked, by the index of its host-side link. Works on what is pinned alone.
pub fn askers(settings: &Settings) -> Result<BTreeMap<u32, Asker>, Error> {
    let read = || {
        let map = Map::from_map_data(MapData::from_pin(settings.maps().join(map_name::ASKERS))?)?;
        let askers = HashMap::<_, u32, Abi<Asker>>::try_from(map)?;
        askers
            .iter()
            .map(|entry| entry.map(|(link, Abi(asker))| (link, asker)))
            .collect::<Result<_, MapError>>()
    };
    read().map_err(failed("read", map_name::ASKERS))
}
