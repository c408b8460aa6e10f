//! The daemon's unix socket: one daemon behind it, reachable for its owner and group only.

use std::{
    fs, io,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use nix::unistd::{Gid, Group, chown};
use tokio::net::UnixListener;

use crate::kernel::Settings;

/// Owner and group may connect.
const MODE: u32 = 0o660;

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
    #[error("there is no group {0:?}: make it with groupadd, or give the socket another one with --group")]
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
        let find = |name: &str| match Group::from_name(name) {
            Ok(Some(group)) => Ok(group.gid),
            Ok(None) | Err(_) => Err(Error::NoGroup(name.to_owned())),
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

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
