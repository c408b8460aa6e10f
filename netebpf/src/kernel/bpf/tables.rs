//! The tables that the control plane writes, typed as their map is.

use std::{collections::BTreeSet, fs, path::Path};

use aya::maps::{Array, Map, MapData, MapError, MapInfo};
use netebpf_common::abi::{
    ABI_VERSION, Address, AllowKey, Asker, Config, DropKey, Endpoint, EventFilter, Flow, FragmentKey,
    FragmentPorts, LinkKey, LocalAddress, Name, NameKey, Netns, Network, PeerKey, PublishBlock,
    PublishTarget, SocketAddress, TrustKey, Tuple, Uplink, View, map_name,
};

use super::{
    Error, TableContents,
    abi::Abi,
    table::{Shared, Table, failed},
    trie::PublishTrie,
};
use crate::{
    kernel::error::MapLayout,
    plan::{Entry, Key},
};

/// Every map with the size of its key and value; arrays have an index of four bytes.
const LAYOUTS: [(&str, MapLayout); 21] = [
    (map_name::CONFIG, layout::<u32, Config>()),
    (map_name::ENDPOINTS, layout::<Address, Endpoint>()),
    (map_name::ENDPOINT_LINKS, layout::<LinkKey, Endpoint>()),
    (map_name::LOCALS, layout::<Address, LocalAddress>()),
    (map_name::UPLINKS, layout::<LinkKey, Uplink>()),
    (map_name::NETWORKS, layout::<LinkKey, Network>()),
    (map_name::TRUSTED, layout::<TrustKey, u32>()),
    (map_name::RESOLVING, layout::<Netns, u32>()),
    (map_name::ALLOWED, layout::<AllowKey, u32>()),
    (map_name::PUBLISHED, layout::<PublishBlock, PublishTarget>()),
    (map_name::FLOWS, layout::<Tuple, Flow>()),
    (map_name::PENDING, layout::<Tuple, Flow>()),
    (map_name::HOST_FLOWS, layout::<u32, u64>()),
    (map_name::FRAGMENTS, layout::<FragmentKey, FragmentPorts>()),
    (map_name::SOCKET_PEERS, layout::<PeerKey, SocketAddress>()),
    (map_name::NAMES, layout::<NameKey, Name>()),
    (map_name::VIEWS, layout::<u32, View>()),
    (map_name::ASKERS, layout::<u32, Asker>()),
    (map_name::COUNTERS, layout::<u32, u64>()),
    (map_name::DROPS, layout::<DropKey, u64>()),
    (map_name::EVENT_FILTER, layout::<u32, EventFilter>()),
];

/// The value in tables whose entries say what they say by being there.
const PRESENT: u32 = 1;

/// The tables that the control plane writes.
pub(super) struct Tables {
    config: Array<MapData, Abi<Config>>,
    endpoints: Table<Address, Endpoint>,
    endpoint_links: Table<LinkKey, Endpoint>,
    locals: Table<Address, LocalAddress>,
    uplinks: Table<LinkKey, Uplink>,
    networks: Table<LinkKey, Network>,
    trusted: Table<TrustKey, u32>,
    resolving: Table<Netns, u32>,
    allowed: Table<AllowKey, u32>,
    published: PublishTrie,
}

impl Tables {
    /// Opens the tables by their pins.
    pub(super) fn open(maps: &Path) -> Result<Self, Error> {
        Ok(Self {
            config: open_config(maps).map_err(failed("open", map_name::CONFIG))?,
            endpoints: Table::open(maps, map_name::ENDPOINTS)?,
            endpoint_links: Table::open(maps, map_name::ENDPOINT_LINKS)?,
            locals: Table::open(maps, map_name::LOCALS)?,
            uplinks: Table::open(maps, map_name::UPLINKS)?,
            networks: Table::open(maps, map_name::NETWORKS)?,
            trusted: Table::open(maps, map_name::TRUSTED)?,
            resolving: Table::open(maps, map_name::RESOLVING)?,
            allowed: Table::open(maps, map_name::ALLOWED)?,
            published: PublishTrie::open(maps)?,
        })
    }

    /// Writes an entry.
    pub(super) fn put(&mut self, entry: &Entry) -> Result<(), Error> {
        match *entry {
            Entry::Config(config) => {
                self.config.set(0, Abi(config), 0).map_err(failed("write to", map_name::CONFIG))
            }
            Entry::Endpoint(key, value) => self.endpoints.put(key, value),
            Entry::EndpointLink(key, value) => self.endpoint_links.put(key, value),
            Entry::Local(key, value) => self.locals.put(key, value),
            Entry::Uplink(key, value) => self.uplinks.put(key, value),
            Entry::Network(key, value) => self.networks.put(key, value),
            Entry::Trusted(key) => self.trusted.put(key, PRESENT),
            Entry::Resolving(key) => self.resolving.put(key, PRESENT),
            Entry::Allowed(key) => self.allowed.put(key, PRESENT),
            Entry::Published(block, target) => self.published.put(block, target),
        }
    }

    /// Removes an entry; one that is gone already is fine.
    pub(super) fn delete(&mut self, key: &Key) -> Result<(), Error> {
        match *key {
            Key::Endpoint(key) => self.endpoints.delete(key),
            Key::EndpointLink(key) => self.endpoint_links.delete(key),
            Key::Local(key) => self.locals.delete(key),
            Key::Uplink(key) => self.uplinks.delete(key),
            Key::Network(key) => self.networks.delete(key),
            Key::Trusted(key) => self.trusted.delete(key),
            Key::Resolving(key) => self.resolving.delete(key),
            Key::Allowed(key) => self.allowed.delete(key),
            Key::Published(block) => self.published.delete(block),
        }
    }

    /// Reads the configuration, all zeros when nobody has written it.
    pub(super) fn config(&self) -> Result<Config, Error> {
        let config = self.config.get(&0, 0).map_err(failed("read", map_name::CONFIG))?;
        Ok(config.0)
    }

    /// Reads all tables.
    pub(super) fn contents(&self) -> Result<TableContents, Error> {
        let config = self.config()?;
        Ok(TableContents {
            config: (config.abi != 0).then_some(config),
            endpoints: self.endpoints.entries()?,
            endpoint_links: self.endpoint_links.entries()?,
            locals: self.locals.entries()?,
            uplinks: self.uplinks.entries()?,
            networks: self.networks.entries()?,
            trusted: keys(&self.trusted)?,
            resolving: keys(&self.resolving)?,
            allowed: keys(&self.allowed)?,
            published: self.published.entries()?,
        })
    }
}

/// The keys of a table whose values say nothing.
fn keys<K: Shared + Ord>(table: &Table<K, u32>) -> Result<BTreeSet<K>, Error> {
    Ok(table.entries()?.into_keys().collect())
}

/// Refuses pinned maps that another version made.
///
/// The version is the first field of the configuration for ever, so it can be read whatever the rest looks like.
pub(super) fn check_pinned(maps: &Path) -> Result<(), Error> {
    if let Some(found) = pinned_abi(maps)?
        && found != ABI_VERSION
        && found != 0
    {
        return Err(Error::Abi { found, maps: maps.to_owned() });
    }
    for (name, wanted) in LAYOUTS {
        let map = maps.join(name);
        if map.exists() {
            let info = MapInfo::from_pin(&map).map_err(failed("inspect", name))?;
            let found = MapLayout { key: info.key_size(), value: info.value_size() };
            if found != wanted {
                return Err(Error::MapLayout { map, found, wanted });
            }
        }
    }
    Ok(())
}

/// The ABI number in a pinned configuration of any size; `None` if there is none.
fn pinned_abi(maps: &Path) -> Result<Option<u32>, Error> {
    let pin = maps.join(map_name::CONFIG);
    if !fs::exists(&pin).map_err(Error::file("inspect", &pin))? {
        return Ok(None);
    }
    let info = MapInfo::from_pin(&pin).map_err(failed("inspect", map_name::CONFIG))?;
    if info.value_size() != layout::<u32, Config>().value {
        // Another size is another version, even if the number cannot be read with our type.
        return Ok(None);
    }
    let config = open_config(maps).and_then(|config| config.get(&0, 0));
    config.map(|Abi(config)| Some(config.abi)).map_err(failed("read", map_name::CONFIG))
}

fn open_config(maps: &Path) -> Result<Array<MapData, Abi<Config>>, MapError> {
    Array::try_from(Map::from_map_data(MapData::from_pin(maps.join(map_name::CONFIG))?)?)
}

#[expect(clippy::cast_possible_truncation, reason = "keys and values have some dozen bytes")]
const fn layout<K, V>() -> MapLayout {
    MapLayout { key: size_of::<K>() as u32, value: size_of::<V>() as u32 }
}
