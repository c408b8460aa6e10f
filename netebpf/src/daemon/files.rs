//! The files that sandboxes have of their own: kept in step with the spec and the host's, edits of users left alone.

use std::{
    collections::BTreeSet,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use tracing::warn;

use super::{Engine, Error, Host, Place, Settings};
use crate::{
    compile::files::{self, HostFiles, SandboxFiles},
    ipam,
    kernel::{hostname, launch::View},
    model::{NetworkMode, Sandbox, Spec},
};

const HOSTS: &str = "/etc/hosts";
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Where systemd-resolved writes the servers that it asks itself.
const BEHIND_STUB: &str = "/run/systemd/resolve/resolv.conf";

impl<H: Host> Engine<H> {
    /// Writes the files of active sandboxes that may be to say something else than before, by another spec: of those that
    /// have changed, and of those with links to others.
    pub(super) fn write_changed_files(&mut self, previous: &Spec) {
        let spec = self.spec();
        let changed: BTreeSet<_> = spec.sandboxes.changed(&previous.sandboxes).collect();
        self.write_files_of(|sandbox| !sandbox.links.is_empty() || changed.contains(&sandbox.id));
    }

    /// Writes the files of active sandboxes that are to say something else than they were last told to.
    pub(super) fn write_files(&mut self) {
        self.write_files_of(|_| true);
    }

    fn write_files_of(&mut self, is_meant: impl Fn(&Sandbox) -> bool) {
        let spec = self.spec();
        self.files.retain(|id, _| spec.sandboxes.get(id).is_some_and(Sandbox::is_active));
        let meant: Vec<_> = spec.active_sandboxes().filter(|sandbox| is_meant(sandbox)).collect();
        if meant.is_empty() {
            return;
        }
        let host = self.host.files();
        for sandbox in meant {
            let Some(wanted) = files::of_sandbox(&spec, sandbox, &host, &self.options) else { continue };
            if self.files.get(&sandbox.id) == Some(&wanted) {
                continue;
            }
            match self.host.write_files(sandbox.id, &wanted) {
                Ok(()) => drop(self.files.insert(sandbox.id, wanted)),
                Err(error) => {
                    warn!(sandbox = %sandbox.id.short(), %error, "cannot write the sandbox's files in /etc");
                }
            }
        }
    }

    /// Refuses a sandbox whose files cannot say what they are to say.
    pub(super) fn check_files(&self, spec: &Spec, sandbox: &Sandbox) -> Result<(), Error> {
        Ok(files::check_extra_hosts(spec, sandbox, &self.options)?)
    }
}

/// The host's files as they are now. A host without them is none the worse.
pub(super) fn of_host() -> HostFiles {
    let (resolv_conf, source) = resolv_conf();
    HostFiles {
        hosts: read(HOSTS),
        resolv_conf,
        resolv_conf_source: source.to_owned(),
        hostname: hostname(),
        ..HostFiles::default()
    }
}

/// The servers that programs of the host ask, past the stub of systemd-resolved.
pub(super) fn name_servers() -> Vec<IpAddr> {
    ipam::name_servers(&resolv_conf().0).collect()
}

/// The host's resolv.conf past the stub of systemd-resolved, and where it was read.
fn resolv_conf() -> (String, &'static str) {
    let text = read(RESOLV_CONF);
    if ipam::is_stub(&text) { (read(BEHIND_STUB), BEHIND_STUB) } else { (text, RESOLV_CONF) }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Brings the files in a sandbox's directory in step. They are written in place: the sandbox has them by their inodes.
///
/// Beside each lies what was written last, which tells edits of users from what we wrote.
pub(super) fn write(directory: &Path, wanted: &SandboxFiles) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    follow(&directory.join("hosts"), &wanted.hosts, files::merge_lines)?;
    follow(&directory.join("hostname"), &wanted.hostname, files::merge_lines)?;
    follow(&directory.join("resolv.conf"), &wanted.resolv_conf, |current, written, wanted| {
        files::keep_edited(current, written, wanted).to_owned()
    })
}

fn follow(path: &Path, wanted: &str, merge: impl Fn(&str, &str, &str) -> String) -> io::Result<()> {
    let copy = path.with_extension("written");
    let text = match (fs::read_to_string(path), fs::read_to_string(&copy)) {
        (Ok(current), Ok(written)) => merge(&current, &written, wanted),
        (_, _) => wanted.to_owned(),
    };
    fs::write(path, text)?;
    fs::write(copy, wanted)
}

/// Where a sandbox's command runs, and what it sees of its own.
pub(super) fn place(spec: &Spec, sandbox: &Sandbox, settings: &Settings, host: &HostFiles) -> Place {
    let namespace = match &sandbox.mode {
        NetworkMode::Own(_) | NetworkMode::Adopted(_) => settings.namespace(sandbox.id),
        // Clients may be in another one than the daemon.
        NetworkMode::Host => PathBuf::from(format!("/proc/{}/ns/net", std::process::id())),
        NetworkMode::Container(donor) => match spec.sandboxes.get(donor) {
            Some(donor) => return place(spec, donor, settings, host),
            None => settings.namespace(*donor),
        },
    };
    let view = match &sandbox.mode {
        NetworkMode::Own(_) | NetworkMode::Host => {
            let directory = settings.sandbox_dir(sandbox.id);
            let domainname = sandbox.config.domainname.as_ref();
            Some(View {
                hosts: directory.join("hosts"),
                resolv_conf: directory.join("resolv.conf"),
                hostname_file: directory.join("hostname"),
                hostname: files::hostname_of(sandbox, host),
                domainname: domainname.map(ToString::to_string).unwrap_or_default(),
            })
        }
        NetworkMode::Container(_) | NetworkMode::Adopted(_) => None,
    };
    Place::New { namespace: Some(namespace), view }
}
