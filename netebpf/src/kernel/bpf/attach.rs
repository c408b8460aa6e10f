//! TC programs on links, by TCX (Linux 6.6): attached, replaced and detached through pinned bpf links.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use aya::{
    Ebpf,
    programs::{
        LinkOrder, ProgramError, SchedClassifier, TcAttachType,
        links::{FdLink, LinkError, PinnedLink},
        tc::{SchedClassifierLink, TcAttachOptions},
    },
    sys::SyscallError,
};
use netebpf_common::abi::Hook;
use nix::{errno::Errno, net::if_::if_indextoname};

use super::{Error, Settings, load, pins};

/// Puts the new programs on every link that has an earlier one; pins of links that are gone are removed.
pub(super) fn replace_all(programs: &mut Ebpf, settings: &Settings) -> Result<(), Error> {
    for (hook, ifindex) in pinned(settings)? {
        let pin = pin_path(settings, hook, ifindex);
        if !replace(programs, hook, &pin)? {
            tracing::debug!(pin = %pin.display(), "the link is gone");
            pins::remove(&pin)?;
        }
    }
    Ok(())
}

/// Attaches a hook's program to a link, in place of an earlier one if there is one.
pub(super) fn attach(
    programs: &mut Ebpf,
    settings: &Settings,
    hook: Hook,
    ifindex: u32,
) -> Result<(), Error> {
    let pin = pin_path(settings, hook, ifindex);
    if replace(programs, hook, &pin)? {
        return Ok(());
    }
    pins::remove(&pin)?;
    let failed = |source| Error::Attach { hook, ifindex, source: Box::new(source) };
    let Some(direction) = direction(hook) else { return Ok(()) };
    let program = load::classifier(programs, hook.as_str())?;
    let name = link_name(ifindex).map_err(|errno| failed(io::Error::from(errno).into()))?;
    let options = TcAttachOptions::TcxOrder(LinkOrder::default());
    let id = program.attach_with_options(&name, direction, options).map_err(failed)?;
    let link = program.take_link(id).map_err(failed)?;
    let link = FdLink::try_from(link).map_err(|source| Error::PinnedLink { path: pin.clone(), source })?;
    link.pin(&pin).map(drop).map_err(|source| Error::Pin { path: pin, source })
}

/// Detaches a hook's program from a link: the bpf link goes with its pin.
pub(super) fn detach(settings: &Settings, hook: Hook, ifindex: u32) -> Result<(), Error> {
    pins::remove(&pin_path(settings, hook, ifindex))
}

/// Where programs are attached; see [`super::Datapath::attached`].
pub(super) fn attached(
    programs: &Ebpf,
    settings: &Settings,
    links: &BTreeSet<u32>,
) -> Result<BTreeSet<(Hook, u32)>, Error> {
    let mut ids = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (hook, ifindex) in pinned(settings)? {
        let wanted = match ids.get(&hook) {
            Some(id) => *id,
            None => *ids.entry(hook).or_insert(load::info(programs, hook.as_str())?.id()),
        };
        if !links.contains(&ifindex) || is_attached(hook, ifindex, wanted)? {
            found.insert((hook, ifindex));
        }
    }
    Ok(found)
}

/// Which side of a link a hook looks at; `None` for the socket hooks, which are not on links.
const fn direction(hook: Hook) -> Option<TcAttachType> {
    match hook {
        Hook::FromContainer | Hook::FromBridge | Hook::FromNetdev => Some(TcAttachType::Ingress),
        Hook::ToContainer | Hook::ToBridge | Hook::ToNetdev => Some(TcAttachType::Egress),
        Hook::Socket => None,
    }
}

/// Replaces the program of a pinned bpf link in one step; false when there is no such link or its device is gone.
fn replace(programs: &mut Ebpf, hook: Hook, pin: &Path) -> Result<bool, Error> {
    let unusable = |source| Error::PinnedLink { path: pin.to_owned(), source };
    let link = match PinnedLink::from_pin(pin) {
        Ok(link) => FdLink::from(link),
        Err(LinkError::SyscallError(error)) if error.io_error.kind() == io::ErrorKind::NotFound => {
            return Ok(false);
        }
        Err(error) => return Err(unusable(error)),
    };
    let link = SchedClassifierLink::try_from(link).map_err(unusable)?;
    let program = load::classifier(programs, hook.as_str())?;
    match program.attach_to_link(link) {
        // The pin keeps the link; this descriptor of it may close.
        Ok(id) => match program.take_link(id) {
            Ok(link) => drop(link),
            Err(source) => return Err(update_failed(hook, source)),
        },
        Err(ProgramError::SyscallError(error)) if has_errno(&error, Errno::ENOLINK) => return Ok(false),
        Err(source) => return Err(update_failed(hook, source)),
    }
    Ok(true)
}

fn update_failed(hook: Hook, source: ProgramError) -> Error {
    Error::Program { doing: "replace", name: hook.as_str(), source: Box::new(source) }
}

/// Whether the kernel runs the program of this id at a link's hook.
fn is_attached(hook: Hook, ifindex: u32, program: u32) -> Result<bool, Error> {
    let (Some(direction), Ok(name)) = (direction(hook), link_name(ifindex)) else { return Ok(false) };
    match SchedClassifier::query_tcx(&name, direction) {
        Ok((_, present)) => Ok(present.iter().any(|info| info.id() == program)),
        // Nothing is attached, or the link went away just now.
        Err(ProgramError::SyscallError(error)) if has_errno(&error, Errno::ENOENT) => Ok(false),
        Err(ProgramError::TcError(_)) => Ok(false),
        Err(source) => Err(Error::Program { doing: "query", name: hook.as_str(), source: Box::new(source) }),
    }
}

fn has_errno(error: &SyscallError, errno: Errno) -> bool {
    error.io_error.raw_os_error() == Some(errno as i32)
}

fn link_name(ifindex: u32) -> Result<String, Errno> {
    Ok(if_indextoname(ifindex)?.to_string_lossy().into_owned())
}

/// Every pinned bpf link of a TC program.
fn pinned(settings: &Settings) -> Result<Vec<(Hook, u32)>, Error> {
    let directory = settings.bpf_links();
    let entries = fs::read_dir(&directory).map_err(Error::file("list", &directory))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let names = names.collect::<io::Result<Vec<_>>>().map_err(Error::file("list", directory))?;
    Ok(names.iter().filter_map(|name| parse_pin(name.to_str()?)).collect())
}

fn pin_path(settings: &Settings, hook: Hook, ifindex: u32) -> PathBuf {
    settings.bpf_links().join(format!("{}-{ifindex}", hook.as_str()))
}

/// Reads a pin's name, `<hook>-<ifindex>`; the socket hooks' pins have no index.
fn parse_pin(name: &str) -> Option<(Hook, u32)> {
    let (hook, ifindex) = name.rsplit_once('-')?;
    let hook = Hook::ALL.into_iter().find(|known| known.as_str() == hook && direction(*known).is_some())?;
    Some((hook, ifindex.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use netebpf_common::abi::Hook;

    use super::parse_pin;

    #[test]
    fn a_pin_is_named_by_hook_and_index() {
        assert_eq!(parse_pin("from_container-12"), Some((Hook::FromContainer, 12)));
        assert_eq!(parse_pin("to_netdev-2"), Some((Hook::ToNetdev, 2)));
    }

    #[test]
    fn other_names_are_no_pins_of_links() {
        for name in ["connect4", "connect4-new", "socket-3", "from_container-", "from_container-x", "other-1"]
        {
            assert_eq!(parse_pin(name), None, "{name}");
        }
    }
}
