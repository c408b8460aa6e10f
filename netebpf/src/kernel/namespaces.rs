//! Network namespaces: made, kept by a bind mount, entered by threads of their own, removed.

use std::{
    fs::{self, File},
    io,
    net::SocketAddr,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::fs::MetadataExt as _,
    },
    path::{Path, PathBuf},
    thread,
};

use nix::{
    getsockopt_impl, libc,
    mount::{MsFlags, mount},
    sched::{CloneFlags, setns, unshare},
    sys::socket::{AddressFamily, SockFlag, SockType, getsockopt, socket, sockopt},
};
use rtnetlink::Handle;
use tokio::runtime;

use super::{Error, links, mounts, netlink};
use crate::model::SandboxId;

/// Number of the network namespace that a socket belongs to (Linux 5.14).
#[derive(Debug, Clone, Copy)]
struct NetnsCookie;

getsockopt_impl!(NetnsCookie, libc::SOL_SOCKET, libc::SO_NETNS_COOKIE, u64, sockopt::GetStruct<u64>);

/// Makes a namespace with loopback up and keeps it at `path`; one that is there already is left alone.
///
/// The file becomes a namespace only when the namespace is complete.
pub(super) async fn create(path: &Path) -> Result<(), Error> {
    if mounts::is_namespace(path) {
        return Ok(());
    }
    let failed = |doing| Error::namespace(doing, path);
    let runtime = runtime::Handle::current();
    let (namespace, netlink) = on_own_thread(move || {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let _async = runtime.enter();
        Ok((File::open("/proc/thread-self/ns/net")?, netlink::connect()?))
    })
    .map_err(failed("create"))?;
    links::set_up(&netlink, links::LOOPBACK).await?;
    keep(&namespace, path).map_err(failed("keep"))
}

/// Refuses a path that is no network namespace, and the one we are in ourselves.
pub fn check(path: &Path) -> Result<(), Error> {
    let failed = || Error::namespace("adopt", path);
    let inode = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).map_err(failed());
    let refuse = |reason: &str| Err(failed()(io::Error::other(reason.to_owned())));
    let found = inode(path)?;
    if !mounts::is_namespace(path) || inside(path, || Ok(())).is_err() {
        return refuse("it is no network namespace");
    }
    if found == inode(Path::new("/proc/thread-self/ns/net"))? {
        return refuse("it is the host's own, use --network host");
    }
    Ok(())
}

/// Keeps the namespace at `source`, which others made, at `path`, too.
pub(super) fn adopt(source: &Path, path: &Path) -> Result<(), Error> {
    check(source)?;
    if mounts::is_namespace(path) {
        return Ok(());
    }
    let namespace = File::open(source).map_err(Error::namespace("open", source))?;
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    }
    let mark = mark(path);
    File::create(&mark).map_err(Error::file("create", mark))?;
    keep(&namespace, path).map_err(Error::namespace("keep", path))
}

/// Whether others made the namespace that is kept at `path`, and so what runs in it is not ours to end.
pub(super) fn is_adopted(path: &Path) -> bool {
    mark(path).exists()
}

/// The file that tells an adopted namespace from one of ours when there is no state to ask.
fn mark(path: &Path) -> PathBuf {
    path.with_extension("adopted")
}

/// Removes a namespace file; the namespace itself goes with its last process and socket.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    mounts::unmount(path).map_err(Error::namespace("unmount", path))?;
    for file in [mark(path).as_path(), path] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::namespace("remove", file)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The sandboxes that have a namespace in the directory, with the inode that tells it from a later one.
pub(super) fn list(directory: &Path) -> Result<Vec<(SandboxId, u64)>, Error> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::file("list", directory))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::file("list", directory))?;
        let sandbox = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(sandbox) = sandbox
            && let Some(inode) = inode(&entry.path())?
        {
            found.push((sandbox, inode));
        }
    }
    Ok(found)
}

/// The inode of the namespace at a path, which tells it from a later one; `None` if there is none.
pub(super) fn inode(path: &Path) -> Result<Option<u64>, Error> {
    if !mounts::is_namespace(path) {
        return Ok(None);
    }
    let found = fs::metadata(path).map_err(Error::namespace("inspect", path))?;
    Ok(Some(found.ino()))
}

/// Runs a function on a thread inside the namespace at `path` and waits for it.
pub(super) fn inside<T: Send>(path: &Path, work: impl FnOnce() -> io::Result<T> + Send) -> Result<T, Error> {
    let namespace = File::open(path).map_err(Error::namespace("open", path))?;
    on_own_thread(|| {
        setns(&namespace, CloneFlags::CLONE_NEWNET)?;
        work()
    })
    .map_err(Error::namespace("work inside", path))
}

/// A socket for an address that is neither bound nor connected, in the namespace at `path` or else in our own.
pub fn open_socket(path: Option<&Path>, address: SocketAddr, is_stream: bool) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let kind = if is_stream { SockType::Stream } else { SockType::Datagram };
    let open = || Ok(socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?);
    match path {
        Some(path) => inside(path, open).map_err(io::Error::other),
        None => open(),
    }
}

/// Opens a netlink connection inside the namespace at `path`, and reads the namespace's cookie.
pub(super) fn connect(path: &Path) -> Result<(Handle, u64), Error> {
    let runtime = runtime::Handle::current();
    inside(path, move || {
        let _async = runtime.enter();
        Ok((netlink::connect()?, read_cookie()?))
    })
}

/// The cookie of the calling thread's network namespace.
pub(super) fn cookie() -> Result<u64, Error> {
    read_cookie().map_err(|source| Error::System { doing: "read the network namespace's cookie", source })
}

fn read_cookie() -> io::Result<u64> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    Ok(getsockopt(&socket, NetnsCookie)?)
}

/// Bind-mounts an open namespace to a file.
fn keep(namespace: &File, path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    File::create(path)?;
    let source = format!("/proc/self/fd/{}", namespace.as_raw_fd());
    Ok(mount(Some(source.as_str()), path, None::<&str>, MsFlags::MS_BIND, None::<&str>)?)
}

/// Runs a function on a thread that ends with it, so that the namespace it enters never leaks to other work.
pub(super) fn on_own_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("namespace".to_owned()).spawn_scoped(scope, work)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
