//! The loop over a fake host and a real store.

mod life;

use std::{
    collections::{BTreeMap, BTreeSet},
    future, io,
    path::Path,
};

use ipnet::IpNet;
use netebpf_common::abi::{self, NameKey, PublishKey, View};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{Daemon, DataPlane, Error, Event, Host, Launch, Reply, Request, Starter};
use crate::{
    change::{AttachRequest, ModeRequest, NetworkRequest, SandboxRequest},
    compile::files::{HostFiles, SandboxFiles},
    dns::{Dialer, Sockets},
    kernel::{
        Kernel, Observed,
        fake::{FakeError, FakeKernel},
        names::Scopes,
    },
    model::{
        EndpointId, EndpointSettings, EngineOptions, Name, Process, Sandbox, SandboxConfig, SandboxId,
        SandboxState, Signal, Spec,
    },
    plan::Action,
    store::Store,
};

/// A host whose commands are numbers.
#[derive(Default)]
struct FakeHost {
    kernel: FakeKernel,
    running: BTreeSet<i32>,
    killed: Vec<SandboxId>,
    boot: u64,
    files: BTreeMap<SandboxId, SandboxFiles>,
    without_files: Vec<SandboxId>,
    names: BTreeMap<NameKey, abi::Name>,
}

impl Kernel for FakeHost {
    type Error = FakeError;

    async fn observe(&mut self) -> Result<&Observed, FakeError> {
        self.kernel.observe().await
    }

    fn revision(&self) -> Option<u64> {
        None
    }

    fn distrust(&mut self) {
        self.kernel.distrust();
    }

    async fn apply(&mut self, action: &Action) -> Result<(), FakeError> {
        self.kernel.apply(action).await
    }
}

impl Host for FakeHost {
    async fn taken_subnets(&mut self) -> Result<Vec<IpNet>, FakeError> {
        Ok(Vec::new())
    }

    fn is_other_link(&self, name: &str) -> bool {
        self.kernel.state.links.values().any(|link| link.name == name && !link.bridge)
    }

    fn has_ipv6(&self) -> bool {
        true
    }

    fn is_port_free(&self, port: PublishKey) -> bool {
        !self.kernel.foreign_ports.contains(&port)
    }

    async fn data_plane(&mut self) -> Result<DataPlane, FakeError> {
        Ok(DataPlane::default())
    }

    fn dialer(&self) -> Dialer {
        Dialer::new(|_, _| Err(io::ErrorKind::Unsupported.into()))
    }

    async fn endpoint_links(&mut self) -> Result<BTreeMap<EndpointId, u32>, FakeError> {
        Ok(self.kernel.state.endpoint_links())
    }

    fn publish_names(&mut self, scopes: &Scopes, _: &BTreeMap<u32, View>) -> Result<(), FakeError> {
        self.names =
            scopes.values().flat_map(|scope| scope.iter().map(|(key, name)| (*key, *name))).collect();
        Ok(())
    }

    fn place_of_names(&self) -> Option<u64> {
        None
    }

    fn listen_for_names(&self) -> Result<Sockets, FakeError> {
        Err(FakeError::Missing("a place to listen at".to_owned()))
    }

    fn boot(&self) -> u64 {
        self.boot
    }

    fn check_namespace(&self, path: &str) -> Result<(), FakeError> {
        if path.starts_with('/') { Ok(()) } else { Err(FakeError::Missing(path.to_owned())) }
    }

    fn signal(&self, process: Process, _: Signal) -> Result<(), FakeError> {
        if self.running.contains(&process.pid) {
            Ok(())
        } else {
            Err(FakeError::Missing("a process".to_owned()))
        }
    }

    fn files(&self) -> HostFiles {
        HostFiles { hostname: "host".to_owned(), ..HostFiles::default() }
    }

    fn write_files(&mut self, sandbox: SandboxId, files: &SandboxFiles) -> io::Result<()> {
        self.files.insert(sandbox, files.clone());
        Ok(())
    }

    fn launch(&self, _: &Spec, sandbox: &Sandbox) -> Launch {
        Launch::inside(Path::new("/run/netns/fake"), &sandbox.config.command)
    }

    fn start(&mut self, sandbox: SandboxId, launch: &Launch) -> Result<Process, Error> {
        assert!(self.files.contains_key(&sandbox), "its files are there before it starts");
        if launch.command == ["missing"] {
            return Err(Error::CommandNotFound { program: "missing".to_owned() });
        }
        let pid = 100 + i32::try_from(self.running.len()).expect("few commands");
        self.running.insert(pid);
        Ok(Process { pid, start_time: 1 })
    }

    fn identify(&self, pid: i32) -> Option<Process> {
        let is_own = pid == std::process::id().cast_signed();
        (is_own || self.running.contains(&pid)).then_some(Process { pid, start_time: 1 })
    }

    fn is_running(&self, process: Process) -> bool {
        self.running.contains(&process.pid)
    }

    fn exited(&self, _: Process) -> impl Future<Output = Result<i32, FakeError>> + Send + 'static {
        future::pending()
    }

    fn remove_files(&mut self, sandbox: SandboxId) -> io::Result<()> {
        self.without_files.push(sandbox);
        Ok(())
    }

    fn kill_all(&mut self, sandbox: &Sandbox) -> Result<(), FakeError> {
        self.killed.push(sandbox.id);
        Ok(())
    }
}

/// A daemon whose events are handed to it one by one.
struct Bench {
    daemon: Daemon<FakeHost>,
    directory: TempDir,
}

impl Bench {
    async fn new() -> Self {
        Self::over(FakeHost::default(), tempfile::tempdir().expect("a directory")).await
    }

    async fn over(host: FakeHost, directory: TempDir) -> Self {
        let store = Store::open(directory.path()).expect("a store");
        let mut daemon = Daemon::over(host, store, EngineOptions::default()).expect("a daemon");
        daemon.take_over().await.expect("nothing to take over fails");
        Self { daemon, directory }
    }

    /// A bench with the network `net`.
    async fn with_network() -> Self {
        let mut bench = Self::new().await;
        bench.ask(|reply| Request::CreateNetwork(network("net"), reply)).await.expect("a network");
        bench
    }

    /// The next daemon on the same host and state.
    async fn restarted(self) -> Self {
        let Self { daemon, directory } = self;
        // The store is closed with the rest of the daemon before the next one opens it.
        let mut host = { daemon }.engine.host;
        host.kernel.restart_daemon();
        Self::over(host, directory).await
    }

    async fn ask<T>(&mut self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Error> {
        let (reply, mut answer) = oneshot::channel();
        self.happen(Event::Request(request(reply))).await;
        answer.try_recv().expect("every request is answered before the next event")
    }

    async fn run(&mut self, request: SandboxRequest, starter: Starter) -> Result<SandboxId, Error> {
        self.ask(|reply| Request::CreateSandbox(Box::new(request), Some(starter), reply))
            .await
            .map(|prepared| prepared.id)
    }

    async fn happen(&mut self, event: Event) {
        assert!(self.daemon.take(event).await.is_continue());
    }

    fn host(&mut self) -> &mut FakeHost {
        &mut self.daemon.engine.host
    }

    fn spec(&self) -> Spec {
        Spec::clone(&self.daemon.handle().spec())
    }

    fn state(&self, id: SandboxId) -> Option<SandboxState> {
        self.spec().sandboxes.get(&id).map(|sandbox| sandbox.state)
    }

    /// Links, namespaces and held ports, by name.
    fn kernel(&mut self) -> impl PartialEq + std::fmt::Debug + use<> {
        let state = &self.host().kernel.state;
        let links: BTreeSet<_> = state.links.values().map(|link| link.name.clone()).collect();
        (links, state.sandboxes.keys().copied().collect::<Vec<_>>(), state.held.clone())
    }
}

fn network(name: &str) -> NetworkRequest {
    NetworkRequest::named(Name::of_network(name).expect("a name"))
}

fn sandbox(name: &str) -> SandboxRequest {
    SandboxRequest {
        name: Some(Name::of_sandbox(name).expect("a name")),
        mode: ModeRequest::Own,
        networks: vec![AttachRequest { network: "net".to_owned(), settings: EndpointSettings::default() }],
        links: Vec::new(),
        config: SandboxConfig { command: vec!["serve".to_owned()], ..SandboxConfig::default() },
    }
}

fn publishing(name: &str, port: &str) -> SandboxRequest {
    let mut request = sandbox(name);
    request.config.publish = vec![port.parse().expect("a port")];
    request
}

fn process(state: Option<SandboxState>) -> Process {
    let Some(SandboxState::Running { process: Some(process), .. }) = state else { panic!("{state:?}") };
    process
}

fn code(state: Option<SandboxState>) -> i32 {
    let Some(SandboxState::Exited { code, .. }) = state else { panic!("{state:?}") };
    code
}

#[tokio::test]
async fn a_request_that_the_kernel_refuses_leaves_nothing_behind() {
    let mut bench = Bench::with_network().await;
    let first = bench.run(publishing("first", "8080:80"), Starter::Daemon).await.expect("a sandbox");
    let held = bench.host().kernel.state.held.clone();
    bench
        .ask(|reply| Request::RemoveSandbox { reference: first.to_string(), force: true, reply })
        .await
        .expect("gone");
    bench.host().kernel.foreign_ports = held;
    let (spec, kernel) = (bench.spec(), bench.kernel());

    let refused = bench.run(publishing("second", "8080:80"), Starter::Daemon).await;

    assert!(matches!(refused, Err(Error::Kernel(_))), "{refused:?}");
    assert_eq!(bench.spec(), spec);
    assert_eq!(bench.kernel(), kernel);
    assert_eq!(bench.restarted().await.spec(), spec);
}

#[tokio::test]
async fn a_request_that_makes_no_sense_does_not_reach_the_kernel() {
    let mut bench = Bench::with_network().await;
    let (spec, applied) = (bench.spec(), bench.host().kernel.applied.len());
    let refused = bench.ask(|reply| Request::CreateNetwork(network("net"), reply)).await;
    assert_eq!(refused.expect_err("the name is taken").to_string(), "network with name net already exists");
    assert_eq!((bench.spec(), bench.host().kernel.applied.len()), (spec, applied));
}

#[tokio::test]
async fn a_removal_stays_even_if_the_kernel_resists() {
    let mut bench = Bench::with_network().await;
    let before = bench.kernel();
    bench.run(sandbox("web"), Starter::Daemon).await.expect("a sandbox");
    bench.host().kernel.lives = Some(0);

    let removed =
        bench.ask(|reply| Request::RemoveSandbox { reference: "web".to_owned(), force: true, reply }).await;

    assert!(removed.is_ok(), "{removed:?}");
    assert!(bench.spec().sandboxes.is_empty());
    assert_ne!(bench.kernel(), before);
    bench.host().kernel.lives = None;
    bench.happen(Event::Tick).await;
    assert_eq!(bench.kernel(), before);
}

#[tokio::test]
async fn old_trouble_fails_no_new_request() {
    let mut bench = Bench::with_network().await;
    bench.run(publishing("web", "8080:80"), Starter::Daemon).await.expect("a sandbox");
    // Another program takes the port while no daemon runs.
    bench.host().kernel.foreign_ports = bench.host().kernel.state.held.clone();
    let mut bench = bench.restarted().await;

    bench.ask(|reply| Request::CreateNetwork(network("other"), reply)).await.expect("a network");
    bench.run(sandbox("db"), Starter::Daemon).await.expect("a sandbox");
    let refused = bench.run(publishing("second", "127.0.0.1:8080:80"), Starter::Daemon).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn after_the_end_requests_are_refused() {
    let mut bench = Bench::new().await;
    let handle = bench.daemon.handle();
    bench.daemon.engine.events().send(Event::Shutdown).await.expect("the loop has not ended");
    bench.daemon.run().await;
    drop(bench);
    let refused = handle.ask(Request::Status).await;
    assert!(matches!(refused, Err(Error::ShuttingDown)), "{refused:?}");
}
