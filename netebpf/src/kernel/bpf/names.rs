//! The names that the kernel answers, who may ask for them, and how much each endpoint has asked.

use std::{collections::BTreeMap, sync::Arc};

use aya::maps::{HashMap, Map, MapData, MapError};
use netebpf_common::abi::{Asker, Name, NameKey, View, map_name};

use super::{
    Error, Settings,
    abi::Abi,
    table::{Shared, Table, failed},
};

/// Names by the number of the scope that they are in; scopes that two of these share hold the same.
pub type Scopes = BTreeMap<u32, Arc<BTreeMap<NameKey, Name>>>;

/// `NAMES` and `VIEWS`.
pub struct NameTables {
    names: Table<NameKey, Name>,
    views: Table<u32, View>,
    /// What was written last; `None` if nobody knows what the tables hold.
    written: Option<(Scopes, BTreeMap<u32, View>)>,
}

impl NameTables {
    /// Opens the tables by their pins.
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        let maps = settings.maps();
        Ok(Self {
            names: Table::open(&maps, map_name::NAMES)?,
            views: Table::open(&maps, map_name::VIEWS)?,
            written: None,
        })
    }

    /// Has the next [`NameTables::replace`] read the tables, in case somebody else has changed them.
    pub fn distrust(&mut self) {
        self.written = None;
    }

    /// Makes the tables hold these names, and these views by the index of a host-side link.
    ///
    /// Names come before the views that show them and go after those, so that nobody is told less than before or after.
    pub fn replace(&mut self, scopes: &Scopes, views: &BTreeMap<u32, View>) -> Result<(), Error> {
        let (names, present_names, present_views) = match self.written.take() {
            Some((present, views)) => (beyond(scopes, &present), beyond(&present, scopes), views),
            None => (beyond(scopes, &Scopes::new()), self.names.entries()?, self.views.entries()?),
        };
        put(&mut self.names, &names, &present_names)?;
        put(&mut self.views, views, &present_views)?;
        delete(&mut self.views, views, &present_views)?;
        delete(&mut self.names, &names, &present_names)?;
        self.written = Some((scopes.clone(), views.clone()));
        Ok(())
    }
}

/// The names in those scopes of `one` that `other` does not share.
fn beyond(one: &Scopes, other: &Scopes) -> BTreeMap<NameKey, Name> {
    let is_shared =
        |number: &u32, scope: &Arc<_>| other.get(number).is_some_and(|known| Arc::ptr_eq(known, scope));
    let changed = one.iter().filter(|(number, scope)| !is_shared(number, scope));
    changed.flat_map(|(_, scope)| scope.iter().map(|(key, name)| (*key, *name))).collect()
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
