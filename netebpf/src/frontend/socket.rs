//! The daemon's unix socket: one daemon behind it, reachable for its owner and group only.

use std::{
    fs, io,
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

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
}

impl Socket {
    /// Whether a daemon answers at this path.
    #[must_use]
    pub fn answers(path: &Path) -> bool {
        UnixStream::connect(path).is_ok()
    }

    /// Makes sure that no other daemon answers; what a dead one left is replaced by [`Socket::listen`].
    pub fn claim(path: PathBuf) -> Result<Self, Error> {
        if Self::answers(&path) { Err(Error::InUse(path)) } else { Ok(Self { path }) }
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
            fs::rename(&unfinished, &self.path)?;
            Ok(listener)
        };
        listen().map_err(|source| Error::Listen { path: self.path.clone(), source })
    }

    /// Removes the socket, so that clients learn at once that nobody listens.
    pub fn close(self) -> Result<(), Error> {
        remove_if_there(&self.path).map_err(|source| Error::Listen { path: self.path, source })
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
