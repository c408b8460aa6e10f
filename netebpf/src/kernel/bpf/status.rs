//! What is loaded and how full the tables are, for `netebpf status`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use aya::Ebpf;
use netebpf_common::abi::{
    Address, Endpoint, Flow, FragmentKey, FragmentPorts, Hook, LinkKey, LocalAddress, PeerKey, SocketAddress,
    Tuple, Uplink, map_name,
};

use super::{
    Error, attach, cgroup, collect, load,
    table::{Shared, Table},
    trie::PublishTrie,
};
use crate::kernel::links;

/// A loaded program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramStatus {
    /// Name.
    pub name: &'static str,
    /// The kernel's number for it.
    pub id: u32,
    /// Instructions that the verifier walked through; 0 if the kernel does not say.
    pub instructions: u32,
    /// Names of the links, or `cgroup`.
    pub attached: Vec<String>,
}

/// How full a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    /// Name of the map.
    pub name: &'static str,
    /// Entries in it.
    pub entries: usize,
    /// Entries it can hold.
    pub max: u32,
}

/// The programs, TC programs first, with where they are attached.
pub(super) fn programs(
    programs: &Ebpf,
    attached: &BTreeSet<(Hook, u32)>,
) -> Result<Vec<ProgramStatus>, Error> {
    let mut links: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for &(hook, ifindex) in attached {
        links.entry(attach::program_at(hook, ifindex)?).or_default().push(link_name(ifindex));
    }
    let classifiers = load::classifiers().map(|name| (name, links.remove(name).unwrap_or_default()));
    let socket_hooks = cgroup::HOOKS.into_iter().map(|name| (name, vec!["cgroup".to_owned()]));
    let collector = (collect::NAME, vec!["timer".to_owned()]);
    let all = classifiers.chain(socket_hooks).chain([collector]);
    all.map(|(name, attached)| {
        let info = load::info(programs, name)?;
        let instructions = info.verified_instruction_count().unwrap_or(0);
        Ok(ProgramStatus { name, id: info.id(), instructions, attached })
    })
    .collect()
}

/// How full the tables are that grow.
pub(super) fn table_sizes(maps: &Path) -> Result<Vec<TableSize>, Error> {
    Ok(vec![
        size::<Address, Endpoint>(maps, map_name::ENDPOINTS)?,
        size::<LinkKey, Endpoint>(maps, map_name::ENDPOINT_LINKS)?,
        size::<Address, LocalAddress>(maps, map_name::LOCALS)?,
        size::<LinkKey, Uplink>(maps, map_name::UPLINKS)?,
        published(maps)?,
        size::<Tuple, Flow>(maps, map_name::FLOWS)?,
        size::<Tuple, Flow>(maps, map_name::PENDING)?,
        size::<FragmentKey, FragmentPorts>(maps, map_name::FRAGMENTS)?,
        size::<PeerKey, SocketAddress>(maps, map_name::SOCKET_PEERS)?,
    ])
}

fn size<K: Shared, V: Shared>(maps: &Path, name: &'static str) -> Result<TableSize, Error> {
    let table = Table::<K, V>::open(maps, name)?;
    Ok(TableSize { name, entries: table.count()?, max: table.capacity })
}

fn published(maps: &Path) -> Result<TableSize, Error> {
    let trie = PublishTrie::open(maps)?;
    Ok(TableSize { name: map_name::PUBLISHED, entries: trie.entries()?.len(), max: trie.capacity })
}

fn link_name(ifindex: u32) -> String {
    links::name_of(ifindex).unwrap_or_else(|| ifindex.to_string())
}
