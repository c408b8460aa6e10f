//! Socket programs at the root of cgroup v2, which every process of the machine passes.

use std::{fs, fs::File};

use aya::{
    Ebpf,
    programs::{CgroupAttachMode, ProgramError, links::FdLink},
};

use super::{Error, Settings, load};
use crate::kernel::mounts;

/// The programs, named as the attach points are.
pub(super) const HOOKS: [&str; 8] =
    ["connect4", "connect6", "sendmsg4", "sendmsg6", "recvmsg4", "recvmsg6", "getpeername4", "getpeername6"];

/// Attaches and pins all socket programs in place of those of an earlier daemon.
///
/// Old and new run side by side for a moment. That is harmless: an address that was translated is not translated again.
pub(super) fn attach(programs: &mut Ebpf, settings: &Settings) -> Result<(), Error> {
    let root = mounts::cgroup_root(settings)?;
    let root = File::open(&root).map_err(Error::file("open", root))?;
    for name in HOOKS {
        let link = attach_one(programs, &root, name).map_err(|source| Error::Program {
            doing: "attach",
            name,
            source: Box::new(source),
        })?;
        let pin = settings.bpf_links().join(name);
        let new = settings.bpf_links().join(format!("{name}{}", load::NEW));
        let link =
            FdLink::try_from(link).map_err(|source| Error::PinnedLink { path: pin.clone(), source })?;
        let leftover = fs::remove_file(&new);
        drop(leftover);
        link.pin(&new).map_err(|source| Error::Pin { path: new.clone(), source })?;
        // The earlier link loses its pin, and with it its program is detached.
        fs::rename(&new, &pin).map_err(Error::file("replace", pin))?;
    }
    Ok(())
}

fn attach_one(
    programs: &mut Ebpf,
    root: &File,
    name: &'static str,
) -> Result<aya::programs::cgroup_sock_addr::CgroupSockAddrLink, ProgramError> {
    let program: &mut aya::programs::CgroupSockAddr =
        programs.program_mut(name).ok_or(ProgramError::NotLoaded)?.try_into()?;
    // The kernel always allows several links on a cgroup and refuses to be asked for it.
    let id = program.attach(root, CgroupAttachMode::Single)?;
    program.take_link(id)
}
