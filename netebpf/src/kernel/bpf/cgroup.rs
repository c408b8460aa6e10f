//! Socket programs at the root of cgroup v2, which every process of the machine passes.

use std::fs::File;

use aya::{
    Ebpf,
    programs::{CgroupAttachMode, links::FdLink},
};

use tracing::warn;

use super::{Error, Settings, load, pins};
use crate::kernel::mounts;

/// The programs, named as the attach points are.
pub(super) const HOOKS: [&str; 8] =
    ["connect4", "connect6", "sendmsg4", "sendmsg6", "recvmsg4", "recvmsg6", "getpeername4", "getpeername6"];

/// Attaches and pins all socket programs in place of those of an earlier daemon, whose links go with their pins. False if
/// the machine has no cgroup v2.
///
/// Old and new run side by side for a moment. That is harmless: an address that was translated is not translated again.
pub(super) fn attach(programs: &mut Ebpf, settings: &Settings) -> Result<bool, Error> {
    let root = match mounts::cgroup_root(settings) {
        Ok(root) => root,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            warn!(
                error,
                "no cgroup v2: the host does not reach published ports by its own addresses, and sandboxes ask for names at another address than Docker's"
            );
            return Ok(false);
        }
    };
    let root = File::open(&root).map_err(Error::file("open", root))?;
    for name in HOOKS {
        let program = load::socket_hook(programs, name)?;
        // The kernel always allows several links on a cgroup and refuses to be asked for it.
        let link = program.attach(&root, CgroupAttachMode::Single).and_then(|id| program.take_link(id));
        let link =
            link.map_err(|source| Error::Program { doing: "attach", name, source: Box::new(source) })?;
        let directory = settings.bpf_links();
        let link = FdLink::try_from(link)
            .map_err(|source| Error::PinnedLink { path: directory.join(name), source })?;
        pins::replace(&directory, name, |path| link.pin(path).map(drop))?;
    }
    Ok(true)
}
