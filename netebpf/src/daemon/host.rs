//! What the daemon needs of a host besides a kernel that can be driven: commands, routes and figures.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use netebpf_common::abi::{PublishKey, View};

use super::{Error, files, status::DataPlane};
use crate::{
    compile::files::{HostFiles, SandboxFiles},
    dns::{Dialer, Origin, Sockets, Transport},
    kernel::{
        Kernel, LinuxKernel, boot, kernel_release,
        launch::{self, Launch, Stdio},
        names::{Scopes, askers},
        namespaces, process, resolver,
    },
    model::{EndpointId, NetworkMode, Process, Sandbox, SandboxId, Signal, Spec},
};

/// A host, real or fake.
pub trait Host: Kernel + Send {
    /// Subnets that no network should have: those that the host reaches without a gateway, and its name servers.
    fn taken_subnets(&mut self) -> impl Future<Output = Result<Vec<IpNet>, Self::Error>> + Send;

    /// Whether a link of this name is there that is no bridge.
    fn is_other_link(&self, name: &str) -> bool;

    /// Whether the host can listen on IPv6 addresses.
    fn has_ipv6(&self) -> bool;

    /// Whether no program has a port.
    fn is_port_free(&self, port: PublishKey) -> bool;

    /// What the data plane runs and has counted.
    fn data_plane(&mut self) -> impl Future<Output = Result<DataPlane, Self::Error>> + Send;

    /// A number that is another one after each boot.
    fn boot(&self) -> u64;

    /// Refuses a path that is no network namespace, or the host's own.
    fn check_namespace(&self, path: &str) -> Result<(), Self::Error>;

    /// The host's files that those of sandboxes follow.
    fn files(&self) -> HostFiles;

    /// Brings a sandbox's files in step with what they are to say; what users have changed in them stays.
    fn write_files(&mut self, sandbox: SandboxId, files: &SandboxFiles) -> io::Result<()>;

    /// Makes sockets towards other name servers.
    fn dialer(&self) -> Dialer;

    /// The index of every endpoint's host-side link that is there.
    fn endpoint_links(
        &mut self,
    ) -> impl Future<Output = Result<BTreeMap<EndpointId, u32>, Self::Error>> + Send;

    /// Makes the names known that the kernel answers, and the scopes that are asked for each host-side link.
    fn publish_names(&mut self, scopes: &Scopes, views: &BTreeMap<u32, View>) -> Result<(), Self::Error>;

    /// The inode of the namespace where the name server is to be, if it is there.
    fn place_of_names(&self) -> Option<u64>;

    /// Opens the sockets of the name server.
    fn listen_for_names(&self) -> Result<Sockets, Self::Error>;

    /// How a sandbox's command is started.
    fn launch(&self, spec: &Spec, sandbox: &Sandbox) -> Launch;

    /// Starts a sandbox's command in the background.
    fn start(&mut self, sandbox: SandboxId, launch: &Launch) -> Result<Process, Error>;

    /// Sends a signal to a process; one that has ended already is fine.
    fn signal(&self, process: Process, signal: Signal) -> Result<(), Self::Error>;

    /// The process that has this number now.
    fn identify(&self, pid: i32) -> Option<Process>;

    /// Whether a process still runs.
    fn is_running(&self, process: Process) -> bool;

    /// Waits for the end of a process and returns its exit code.
    fn exited(&self, process: Process) -> impl Future<Output = Result<i32, Self::Error>> + Send + 'static;

    /// Removes a sandbox's own files, such as its log.
    fn remove_files(&mut self, sandbox: SandboxId) -> io::Result<()>;

    /// Kills every process of a sandbox; those in an adopted namespace are not its own.
    fn kill_all(&mut self, sandbox: &Sandbox) -> Result<(), Self::Error>;
}

impl Host for LinuxKernel {
    async fn taken_subnets(&mut self) -> Result<Vec<IpNet>, Self::Error> {
        let mut subnets = self.host_routes().await?;
        subnets.extend(files::name_servers().into_iter().map(IpNet::from));
        Ok(subnets)
    }

    fn is_other_link(&self, name: &str) -> bool {
        Self::is_other_link(self, name)
    }

    fn has_ipv6(&self) -> bool {
        Self::has_ipv6(self)
    }

    fn is_port_free(&self, port: PublishKey) -> bool {
        Self::is_port_free(self, port)
    }

    async fn data_plane(&mut self) -> Result<DataPlane, Self::Error> {
        Ok(DataPlane {
            kernel: kernel_release().unwrap_or_default(),
            attach_mode: Some(self.attach_mode()),
            features: self.features(),
            programs: self.programs().await?,
            tables: self.table_sizes()?,
            counters: self.counters()?,
            askers: askers(self.settings())?,
            resolver: Some(self.files().resolver()),
            events_lost: self.events_lost()?,
        })
    }

    fn boot(&self) -> u64 {
        boot()
    }

    fn check_namespace(&self, path: &str) -> Result<(), Self::Error> {
        namespaces::check(Path::new(path))
    }

    fn signal(&self, process: Process, signal: Signal) -> Result<(), Self::Error> {
        process::signal(process, signal)
    }

    fn files(&self) -> HostFiles {
        HostFiles { without_socket_hooks: !self.has_socket_hooks(), ..files::of_host() }
    }

    fn write_files(&mut self, sandbox: SandboxId, files: &SandboxFiles) -> io::Result<()> {
        files::write(&self.settings().sandbox_dir(sandbox), files)
    }

    fn dialer(&self) -> Dialer {
        let settings = self.settings().clone();
        Dialer::new(move |upstream, transport| {
            let namespace = match upstream.from {
                Origin::Host => None,
                Origin::Sandbox(sandbox) => Some(settings.namespace(sandbox)),
            };
            namespaces::open_socket(namespace.as_deref(), upstream.address, transport == Transport::Tcp)
        })
    }

    async fn endpoint_links(&mut self) -> Result<BTreeMap<EndpointId, u32>, Self::Error> {
        Ok(self.observe().await?.endpoint_links())
    }

    fn publish_names(&mut self, scopes: &Scopes, views: &BTreeMap<u32, View>) -> Result<(), Self::Error> {
        self.names().replace(scopes, views)
    }

    fn place_of_names(&self) -> Option<u64> {
        fs::metadata(self.settings().resolver_namespace()).ok().map(|found| found.ino())
    }

    fn listen_for_names(&self) -> Result<Sockets, Self::Error> {
        let (udp, tcp) = resolver::listen(self.settings())?;
        Ok(Sockets { udp, tcp })
    }

    fn launch(&self, spec: &Spec, sandbox: &Sandbox) -> Launch {
        Launch {
            place: files::place(spec, sandbox, self.settings(), &self.files()),
            environment: sandbox.config.environment.clone(),
            directory: sandbox.config.directory.as_ref().map(PathBuf::from),
            command: sandbox.config.command.clone(),
        }
    }

    fn start(&mut self, sandbox: SandboxId, launch: &Launch) -> Result<Process, Error> {
        let log = self.settings().log(sandbox);
        launch::start(launch, Stdio::Log(&log)).map_err(Error::command)
    }

    fn identify(&self, pid: i32) -> Option<Process> {
        process::identify(pid)
    }

    fn is_running(&self, process: Process) -> bool {
        process::is_running(process)
    }

    fn exited(&self, process: Process) -> impl Future<Output = Result<i32, Self::Error>> + Send + 'static {
        process::exited(process)
    }

    fn remove_files(&mut self, sandbox: SandboxId) -> io::Result<()> {
        match fs::remove_dir_all(self.settings().sandbox_dir(sandbox)) {
            // A sandbox that a client has started has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    fn kill_all(&mut self, sandbox: &Sandbox) -> Result<(), Self::Error> {
        match (&sandbox.mode, sandbox.process()) {
            (NetworkMode::Own(_), _) => process::kill_inside(&self.settings().namespace(sandbox.id)),
            (NetworkMode::Host | NetworkMode::Container(_), Some(process)) if sandbox.is_running() => {
                process::kill_beside(process, sandbox.id)
            }
            (NetworkMode::Host | NetworkMode::Container(_) | NetworkMode::Adopted(_), _) => Ok(()),
        }
    }
}
