//! `PUBLISHED`, a longest-prefix trie: one entry stands for a block of ports.

use std::{collections::BTreeMap, io, net::SocketAddr, path::Path};

use aya::maps::{
    Map, MapData, MapError,
    lpm_trie::{Key, LpmTrie},
};
use netebpf_common::abi::{PublishBlock, PublishKey, PublishTarget, map_name};

use super::{Error, Settings, abi::Abi, table::failed};

const NAME: &str = map_name::PUBLISHED;

/// The published ports.
pub(super) struct PublishTrie {
    map: LpmTrie<MapData, Abi<PublishKey>, Abi<PublishTarget>>,
    /// How many blocks fit in.
    pub(super) capacity: u32,
}

impl PublishTrie {
    /// Opens the trie by its pin.
    pub(super) fn open(maps: &Path) -> Result<Self, Error> {
        let open = || {
            let map = MapData::from_pin(maps.join(NAME))?;
            let capacity = map.info()?.max_entries();
            Ok(Self { map: LpmTrie::try_from(Map::from_map_data(map)?)?, capacity })
        };
        open().map_err(failed("open", NAME))
    }

    /// Writes an entry.
    pub(super) fn put(&mut self, block: PublishBlock, target: PublishTarget) -> Result<(), Error> {
        self.map.insert(&key_of(block), Abi(target), 0).map_err(failed("write to", NAME))
    }

    /// What a port leads to.
    pub(super) fn get(&self, key: PublishKey) -> Result<Option<PublishTarget>, Error> {
        match self.map.get(&key_of(PublishBlock::single(key)), 0) {
            Ok(Abi(target)) => Ok(Some(target)),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(error) => Err(failed("read", NAME)(error)),
        }
    }

    /// Removes an entry; one that is gone already is fine.
    pub(super) fn delete(&mut self, block: PublishBlock) -> Result<(), Error> {
        match self.map.remove(&key_of(block)) {
            Err(MapError::SyscallError(error)) if error.io_error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.map_err(failed("delete from", NAME)),
        }
    }

    /// All entries.
    pub(super) fn entries(&self) -> Result<BTreeMap<PublishBlock, PublishTarget>, Error> {
        let entries = self.map.iter().map(|entry| {
            let (key, Abi(target)) = entry.map_err(failed("read", NAME))?;
            let free_bits = PublishBlock::KEY_BITS - key.prefix_len();
            Ok((PublishBlock::new(key.data().0, free_bits), target))
        });
        entries.collect()
    }
}

/// What is behind a published port now, by the pinned table; nothing if the table cannot be read.
pub(in crate::kernel) fn behind(settings: &Settings, key: PublishKey) -> Option<SocketAddr> {
    let target = PublishTrie::open(&settings.maps()).and_then(|trie| trie.get(key));
    let target = target.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot tell what is behind a published port");
        None
    })?;
    Some(SocketAddr::new(target.address.into(), target.port_for(key.port).number()))
}

fn key_of(block: PublishBlock) -> Key<Abi<PublishKey>> {
    Key::new(block.bits(), Abi(block.key))
}
