//! How does a TC program get onto a link, and how does the next daemon find it there?
//!
//! By TCX where the kernel has it, else by a filter of a clsact qdisc. What is attached is recorded on the BPF file system,
//! as `<hook>-<ifindex>`: a TCX link by its pin, a filter by a pin of its program.

mod clsact;
mod routing;
mod tcx;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

use aya::{Ebpf, programs::TcAttachType};
use netebpf_common::abi::Hook;

use super::{Error, Settings, load};
use crate::kernel::{
    features::{Feature, Features},
    links,
};

pub(crate) use clsact::remove_all as remove_filters;

/// What runs at `from_netdev` and `to_netdev` where packets have no Ethernet header.
pub(super) const FROM_NETDEV_BARE: &str = "from_netdev_bare";
pub(super) const TO_NETDEV_BARE: &str = "to_netdev_bare";

/// Forces a way to attach, so that both can be tested on one kernel.
const FORCED: &str = "NETEBPF_ATTACH";

/// The way TC programs are attached to links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachMode {
    /// Multi-program bpf links (Linux 6.6).
    Tcx,
    /// Direct-action filters of a clsact qdisc (Linux 4.5).
    Clsact,
}

impl AttachMode {
    /// TCX if the kernel has it, unless the environment's `NETEBPF_ATTACH` is `clsact`.
    pub(super) fn choose(features: &Features) -> Self {
        let forced = env::var_os(FORCED).is_some_and(|mode| mode == "clsact");
        if features.has(Feature::Tcx) && !forced { Self::Tcx } else { Self::Clsact }
    }
}

impl fmt::Display for AttachMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        })
    }
}

/// A place for a TC program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    hook: Hook,
    ifindex: u32,
}

impl Place {
    /// Name of the record of what is attached here.
    fn record(self) -> String {
        format!("{}-{}", self.hook.as_str(), self.ifindex)
    }

    /// Reads a record's name; the socket hooks' pins have no index.
    fn from_record(name: &str) -> Option<Self> {
        let (hook, ifindex) = name.rsplit_once('-')?;
        let hook =
            Hook::ALL.into_iter().find(|known| known.as_str() == hook && direction(*known).is_some())?;
        Some(Self { hook, ifindex: ifindex.parse().ok()? })
    }

    /// Name of the link; `None` if it is gone.
    fn link_name(self) -> Option<String> {
        links::name_of(self.ifindex)
    }

    /// The program that runs here: packets of some devices begin with the IP header.
    fn program(self) -> Result<&'static str, Error> {
        let bare = match self.hook {
            Hook::FromNetdev => FROM_NETDEV_BARE,
            Hook::ToNetdev => TO_NETDEV_BARE,
            Hook::FromContainer
            | Hook::ToContainer
            | Hook::FromBridge
            | Hook::ToBridge
            | Hook::FromResolver
            | Hook::Socket => return Ok(self.hook.as_str()),
        };
        let is_bare = routing::is_bare(self.ifindex).map_err(|source| self.failed(source))?;
        Ok(if is_bare { bare } else { self.hook.as_str() })
    }

    fn failed(self, source: io::Error) -> Error {
        Error::Attach { hook: self.hook, ifindex: self.ifindex, source: Box::new(source.into()) }
    }
}

/// Puts the new programs wherever earlier ones are attached; records of links that are gone are removed.
pub(super) fn replace_all(programs: &mut Ebpf, settings: &Settings, mode: AttachMode) -> Result<(), Error> {
    let mut places = recorded(&settings.bpf_links())?;
    places.extend(recorded(&settings.bpf_filters())?);
    for place in places {
        let replaced = attach(programs, settings, mode, place.hook, place.ifindex);
        if replaced.is_err() && place.link_name().is_none() {
            tracing::debug!(?place, "the link is gone");
            detach(settings, place.hook, place.ifindex)?;
        } else {
            replaced?;
        }
    }
    Ok(())
}

/// Attaches a hook's program to a link, in place of an earlier one if there is one.
pub(super) fn attach(
    programs: &mut Ebpf,
    settings: &Settings,
    mode: AttachMode,
    hook: Hook,
    ifindex: u32,
) -> Result<(), Error> {
    let Some(direction) = direction(hook) else { return Ok(()) };
    let place = Place { hook, ifindex };
    let program = load::classifier(programs, place.program()?)?;
    // The other way's attachment goes last, so that a program is there at any time. TCX programs run first and end the
    // matter, so a moment with both is harmless.
    match mode {
        AttachMode::Tcx => {
            tcx::attach(program, settings, place, direction)?;
            clsact::detach(settings, place)
        }
        AttachMode::Clsact => {
            clsact::attach(program, settings, place)?;
            tcx::detach(settings, place)
        }
    }
}

/// Detaches a hook's program from a link, whichever way it is attached.
pub(super) fn detach(settings: &Settings, hook: Hook, ifindex: u32) -> Result<(), Error> {
    let place = Place { hook, ifindex };
    clsact::detach(settings, place)?;
    tcx::detach(settings, place)
}

/// Where programs are attached; see [`super::Datapath::attached`].
pub(super) fn attached(
    programs: &Ebpf,
    settings: &Settings,
    mode: AttachMode,
    links: &BTreeSet<u32>,
) -> Result<BTreeSet<(Hook, u32)>, Error> {
    let places = recorded(&records(settings, mode))?;
    running(programs, mode, places.into_iter(), |ifindex| links.contains(&ifindex))
}

/// The same about one link.
pub(super) fn attached_to(
    programs: &Ebpf,
    settings: &Settings,
    mode: AttachMode,
    ifindex: u32,
    is_there: bool,
) -> Result<BTreeSet<(Hook, u32)>, Error> {
    let directory = records(settings, mode);
    let places = Hook::ALL.into_iter().map(|hook| Place { hook, ifindex });
    let recorded =
        places.filter(|place| direction(place.hook).is_some() && directory.join(place.record()).exists());
    running(programs, mode, recorded, |_| is_there)
}

fn records(settings: &Settings, mode: AttachMode) -> PathBuf {
    match mode {
        AttachMode::Tcx => settings.bpf_links(),
        AttachMode::Clsact => settings.bpf_filters(),
    }
}

/// Those of the recorded places where our program runs, and those whose link is gone.
fn running(
    programs: &Ebpf,
    mode: AttachMode,
    places: impl Iterator<Item = Place>,
    is_there: impl Fn(u32) -> bool,
) -> Result<BTreeSet<(Hook, u32)>, Error> {
    let mut ids = BTreeMap::new();
    let mut found = BTreeSet::new();
    for place in places {
        let Place { hook, ifindex } = place;
        let runs = |program| match mode {
            AttachMode::Tcx => tcx::runs(place, program),
            AttachMode::Clsact => clsact::runs(place, program),
        };
        if !is_there(ifindex) {
            found.insert((hook, ifindex));
            continue;
        }
        let name = place.program()?;
        let wanted = match ids.get(name) {
            Some(id) => *id,
            None => *ids.entry(name).or_insert(load::info(programs, name)?.id()),
        };
        if runs(wanted)? {
            found.insert((hook, ifindex));
        }
    }
    Ok(found)
}

/// The name of the program that runs at a place, for whoever shows it.
pub(super) fn program_at(hook: Hook, ifindex: u32) -> Result<&'static str, Error> {
    Place { hook, ifindex }.program()
}

/// Which side of a link a hook looks at; `None` for the socket hooks, which are not on links.
const fn direction(hook: Hook) -> Option<TcAttachType> {
    match hook {
        Hook::FromContainer | Hook::FromBridge | Hook::FromNetdev | Hook::FromResolver => {
            Some(TcAttachType::Ingress)
        }
        Hook::ToContainer | Hook::ToBridge | Hook::ToNetdev => Some(TcAttachType::Egress),
        Hook::Socket => None,
    }
}

/// The places that a directory has records of.
fn recorded(directory: &Path) -> Result<BTreeSet<Place>, Error> {
    let entries = fs::read_dir(directory).map_err(Error::file("list", directory))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let names = names.collect::<io::Result<Vec<_>>>().map_err(Error::file("list", directory))?;
    Ok(names.iter().filter_map(|name| Place::from_record(name.to_str()?)).collect())
}

#[cfg(test)]
mod tests {
    use netebpf_common::abi::Hook;

    use super::Place;

    #[test]
    fn a_record_is_named_by_hook_and_index() {
        for (name, hook, ifindex) in
            [("from_container-12", Hook::FromContainer, 12), ("to_netdev-2", Hook::ToNetdev, 2)]
        {
            let place = Place { hook, ifindex };
            assert_eq!(Place::from_record(name), Some(place));
            assert_eq!(place.record(), name);
        }
    }

    #[test]
    fn other_names_are_no_records_of_links() {
        for name in ["connect4", "connect4-new", "socket-3", "from_container-", "from_container-x", "other-1"]
        {
            assert_eq!(Place::from_record(name), None, "{name}");
        }
    }
}
