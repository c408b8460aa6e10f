//! Removes every trace of an engine, without a daemon and whatever state the rest is in.

use std::{
    fs, io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use super::{Error, Settings, bpf, links, mounts, namespaces, netlink, ownership, privileges, process};
use crate::model::{Process, SandboxId, Signal};

/// What an engine leaves in its state directory; whatever else is there belongs to somebody else.
const STATE_FILES: [&str; 4] = ["sandboxes", "state.redb", "state.journal", "state.journal.new"];

/// What the names of damaged state files begin with.
const DAMAGED: &str = "state.redb.damaged-";

/// Removes processes of sandboxes (those in adopted namespaces are not theirs), links, namespaces, pins, and the engine's
/// files, in that order.
///
/// `commands` are those of sandboxes that have no namespace to find their processes by; they end with all that was started
/// beside them. Returns a line for each thing removed. Links are looked for in the network namespace of the caller.
pub async fn cleanup(settings: &Settings, commands: &[(SandboxId, Process)]) -> Result<Vec<String>, Error> {
    privileges::check()?;
    let socket = settings.socket();
    if UnixStream::connect(&socket).is_ok() {
        return Err(Error::DaemonRunning { socket });
    }
    let mut removed = Vec::new();
    for &(sandbox, command) in commands.iter().filter(|(_, command)| process::is_running(*command)) {
        process::kill_beside(command, sandbox)?;
        removed.push(format!("process {} of a sandbox in another's network", command.pid));
    }
    remove_processes(settings, &mut removed).await?;
    remove_links(&mut removed).await?;
    remove_namespaces(settings, &mut removed)?;
    remove_pins(settings, &mut removed)?;
    let own_cgroup = settings.own_cgroup();
    for mounted in [&own_cgroup, &settings.namespaces()] {
        mounts::unmount(mounted).map_err(Error::file("unmount", mounted))?;
    }
    let run_files = [settings.namespaces(), own_cgroup, settings.docker_socket(), settings.socket()];
    remove_files(&settings.run_dir, run_files, &mut removed)?;
    let state_files = STATE_FILES.map(|name| settings.state_dir.join(name));
    let damaged = damaged_files(&settings.state_dir)?;
    remove_files(&settings.state_dir, state_files.into_iter().chain(damaged), &mut removed)?;
    Ok(removed)
}

async fn remove_processes(settings: &Settings, removed: &mut Vec<String>) -> Result<(), Error> {
    for (sandbox, _) in namespaces::list(&settings.namespaces())? {
        let namespace = settings.namespace(sandbox);
        if namespaces::is_adopted(&namespace) {
            continue;
        }
        let mut running = process::list_inside(&namespace)?;
        // A process may have made another before its end.
        while !running.is_empty() {
            for found in &running {
                process::signal(*found, Signal::KILL)?;
            }
            for found in running {
                process::exited(found).await?;
                removed.push(format!("process {} of sandbox {}", found.pid, sandbox.short()));
            }
            running = process::list_inside(&namespace)?;
        }
    }
    Ok(())
}

async fn remove_links(removed: &mut Vec<String>) -> Result<(), Error> {
    let netlink =
        netlink::connect().map_err(|source| Error::System { doing: "open a netlink socket", source })?;
    for link in links::list(&netlink).await?.iter().filter(|link| ownership::is_ours(link)) {
        links::delete(&netlink, link.index, &link.name).await?;
        removed.push(format!("link {}", link.name));
    }
    Ok(())
}

fn remove_namespaces(settings: &Settings, removed: &mut Vec<String>) -> Result<(), Error> {
    for (sandbox, _) in namespaces::list(&settings.namespaces())? {
        namespaces::remove(&settings.namespace(sandbox))?;
        removed.push(format!("namespace of sandbox {}", sandbox.short()));
    }
    let resolver = settings.resolver_namespace();
    if resolver.exists() {
        namespaces::remove(&resolver)?;
        removed.push("namespace of the name server".to_owned());
    }
    Ok(())
}

/// Removes the links first: packets must not meet a program whose tables are going.
fn remove_pins(settings: &Settings, removed: &mut Vec<String>) -> Result<(), Error> {
    if !mounts::on_bpffs(&settings.bpffs) {
        return Ok(());
    }
    bpf::remove_filters(settings)?;
    for directory in [settings.bpf_links(), settings.bpf_filters(), settings.programs(), settings.maps()] {
        let pins = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            pins => pins.map_err(Error::file("list", &directory))?,
        };
        for pin in pins {
            let pin = pin.map_err(Error::file("list", &directory))?.path();
            fs::remove_file(&pin).map_err(Error::file("remove", &pin))?;
            removed.push(format!("pin {}", pin.display()));
        }
        fs::remove_dir(&directory).map_err(Error::file("remove", &directory))?;
    }
    if mounts::is_own_bpffs(&settings.bpffs) {
        mounts::unmount(&settings.bpffs).map_err(Error::file("unmount", &settings.bpffs))?;
        removed.push(format!("BPF file system at {}", settings.bpffs.display()));
    }
    remove_empty(&settings.bpffs, removed)
}

fn damaged_files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::file("list", directory))?,
    };
    let is_damaged =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(DAMAGED));
    Ok(entries.flatten().map(|entry| entry.path()).filter(is_damaged).collect())
}

/// Removes these files of a directory, and the directory if nothing else is in it.
fn remove_files(
    directory: &Path,
    files: impl IntoIterator<Item = PathBuf>,
    removed: &mut Vec<String>,
) -> Result<(), Error> {
    for path in files {
        let result = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path),
            Ok(_) | Err(_) => fs::remove_file(&path),
        };
        result.map_err(Error::file("remove", &path))?;
        removed.push(path.display().to_string());
    }
    remove_empty(directory, removed)
}

/// Removes a directory in which nobody else keeps anything.
fn remove_empty(directory: &Path, removed: &mut Vec<String>) -> Result<(), Error> {
    match fs::remove_dir(directory) {
        Ok(()) => removed.push(directory.display().to_string()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => {}
        // A mount point stays.
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
        Err(error) => return Err(Error::file("remove", directory)(error)),
    }
    Ok(())
}
