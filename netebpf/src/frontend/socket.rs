//! The daemon's unix socket: one daemon behind it, reachable for its owner and group only.

use std::{
    fs, io,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use nix::unistd::{Gid, chown};
use tokio::net::UnixListener;

use crate::kernel::Settings;

/// Owner and group may connect.
const MODE: u32 = 0o660;

/// The system's groups (group(5)). They are read here because the C library asks plugins for them, which a program
/// without a dynamic loader cannot load; those of a directory service are given by number.
const GROUPS: &str = "/etc/group";

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A daemon answers already.
    #[error(
        "another netebpf daemon answers at {}; stop it first, or give this one its own --run-dir, --state-dir and --bpffs",
        .0.display()
    )]
    InUse(PathBuf),
    /// No group of the system has this name.
    #[error(
        "there is no group {0:?} in {GROUPS}: make it with groupadd, or give the socket another one, or its number, \
         with --group"
    )]
    NoGroup(String),
    /// The system refused.
    #[error("cannot listen at {}: {source}", path.display())]
    Listen {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The path of a socket behind which no daemon answers.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    /// A link to it.
    dockers_name: PathBuf,
    group: Option<Gid>,
}

impl Socket {
    /// Whether a daemon answers at this path.
    #[must_use]
    pub fn answers(path: &Path) -> bool {
        UnixStream::connect(path).is_ok()
    }

    /// Makes sure that no other daemon answers; what a dead one left is replaced by [`Socket::listen`].
    ///
    /// Besides its owner, members of `group` may connect, which makes them as powerful as root.
    pub fn claim(settings: &Settings, group: Option<&str>) -> Result<Self, Error> {
        let path = settings.socket();
        if Self::answers(&path) {
            return Err(Error::InUse(path));
        }
        let find = |name: &str| {
            let groups = fs::read_to_string(GROUPS).unwrap_or_default();
            group_id(&groups, name).ok_or_else(|| Error::NoGroup(name.to_owned()))
        };
        let group = group.map(find).transpose()?;
        Ok(Self { path, dockers_name: settings.docker_socket(), group })
    }

    /// Opens the socket. It appears under its name with its final mode, at once.
    pub fn listen(&self) -> Result<UnixListener, Error> {
        let listen = || {
            if let Some(parent) = self.path.parent() {
                fs::create_dir_all(parent)?;
            }
            let unfinished = self.path.with_extension("new");
            remove_if_there(&unfinished)?;
            let listener = UnixListener::bind(&unfinished)?;
            fs::set_permissions(&unfinished, fs::Permissions::from_mode(MODE))?;
            chown(&unfinished, None, self.group)?;
            fs::rename(&unfinished, &self.path)?;
            self.add_dockers_name()?;
            Ok(listener)
        };
        listen().map_err(|source| Error::Listen { path: self.path.clone(), source })
    }

    fn add_dockers_name(&self) -> io::Result<()> {
        let Some(file) = self.path.file_name() else { return Ok(()) };
        remove_if_there(&self.dockers_name)?;
        symlink(file, &self.dockers_name)
    }

    /// Removes the socket, so that clients learn at once that nobody listens.
    pub fn close(self) -> Result<(), Error> {
        remove_if_there(&self.dockers_name)
            .and_then(|()| remove_if_there(&self.path))
            .map_err(|source| Error::Listen { path: self.path, source })
    }
}

/// The group's number: of the line with this name, or the name itself if it is one.
fn group_id(groups: &str, name: &str) -> Option<Gid> {
    let number = |line: &str| match line.split(':').collect::<Vec<_>>()[..] {
        [known, _, number, ..] if known == name => number.parse().ok(),
        _ => None,
    };
    groups.lines().find_map(number).or_else(|| name.parse().ok()).map(Gid::from_raw)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_name_or_number() {
        let groups = "root:x:0:\nnetebpf-admins:x:998:\nnetebpf:x:997:ann,bob\n7:x:12:\nbroken\n";
        assert_eq!(group_id(groups, "netebpf"), Some(Gid::from_raw(997)));
        assert_eq!(group_id(groups, "7"), Some(Gid::from_raw(12)));
        assert_eq!(group_id(groups, "1234"), Some(Gid::from_raw(1234)));
        assert_eq!(group_id(groups, "broken"), None);
        assert_eq!(group_id(groups, ""), None);
    }
}
