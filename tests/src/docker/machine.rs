//! How does one machine become two? A thread goes into namespaces of its own and takes a release of Debian as its root;
//! what it starts from then on lives on the other machine.
//!
//! The first process there is an init of its own: when it ends, the kernel ends all others, containers too, and with the
//! last of them go mounts and files.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc::{self, Sender},
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Error, Result};
use nix::sched::{CloneFlags, setns, unshare};

use super::{
    cgroup::{self, Group},
    mounts::Root,
};
use crate::{netns::Namespace, process::Process, wait};

/// What the first process does before it collects ended processes that nobody waits for; only it can mount the `/proc` that
/// shows the machine's processes. It is killed when the machine's thread ends, in whatever way. Its program comes with every
/// release that has a Docker Engine.
const INIT: &str = "\
    busybox mount -t proc proc /proc && busybox hostname -F /etc/hostname && \
    exec docker-init -p SIGKILL -- sleep infinity";

/// What programs on the machine find in their environment.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/tmp"),
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
    // The engine must not load AppArmor profiles into the kernel that all share; this is how containers are told.
    ("container", "netebpf-tests"),
];

type Work = Box<dyn FnOnce() + Send>;

/// A machine with its own processes, files and host name in a network namespace that exists.
#[derive(Debug)]
pub struct Machine {
    // In the order in which they must go: the thread waits for its work, the group for all processes.
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    init: Option<Process>,
    group: Group,
}

/// What a machine is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    root: Root,
    name: String,
}

impl Parts {
    /// A machine with this host name and the root directory of a release.
    #[must_use]
    pub fn new(name: &str, release: PathBuf) -> Self {
        let files = vec![
            ("/etc/hostname", format!("{name}\n")),
            ("/etc/hosts", format!("127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n")),
        ];
        Self { root: Root { release, programs: Vec::new(), files }, name: name.to_owned() }
    }

    /// Adds a program of this machine, in `/usr/local/bin`.
    #[must_use]
    pub fn program(mut self, path: PathBuf, name: &'static str) -> Self {
        self.root.programs.push((path, name));
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, path: &'static str, text: impl Into<String>) -> Self {
        self.root.files.push((path, text.into()));
        self
    }
}

impl Machine {
    /// Starts a machine in a network namespace. `world` is the name of the directory of the namespace's world.
    pub fn start(network: &Namespace, world: &str, parts: Parts) -> Result<Self> {
        let (sender, work) = mpsc::channel::<Work>();
        let (report, entered) = mpsc::channel();
        let file = network.file().try_clone()?;
        let thread = thread::Builder::new().name(format!("machine {}", parts.name)).spawn(move || {
            let done = enter(&file, &parts);
            let is_inside = done.is_ok();
            drop(report.send(done));
            if is_inside {
                for work in work {
                    work();
                }
            }
        })?;
        cgroup::sweep_abandoned();
        let group = Group::of(world);
        let mut machine = Self { work: Some(sender), thread: Some(thread), init: None, group };
        entered.recv().context("the machine's thread ended")?.context("become a machine of its own")?;
        let mut init = Command::new("/bin/sh");
        init.args(["-c", INIT]).stdin(Stdio::null());
        machine.init = Some(machine.spawn(init)?);
        let name = || machine.run(|| Ok(fs::read_to_string("/proc/1/comm")?));
        wait::until("the machine starts", wait::LONG, || {
            name().is_ok_and(|name| name.starts_with("docker-init")).then_some(())
        })?;
        Ok(machine)
    }

    /// The control group for containers, as dockerd's `--cgroup-parent` wants it.
    #[must_use]
    pub fn control_group(&self) -> String {
        self.group.path()
    }

    /// Starts a program on the machine, with a standard environment to which the command's is added. It reads nothing, unless
    /// the command says otherwise.
    pub fn spawn(&self, mut command: Command) -> Result<Process> {
        let added: Vec<_> =
            command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
        command.env_clear().envs(ENVIRONMENT.iter().copied());
        command.envs(added.into_iter().filter_map(|(name, value)| Some((name, value?))));
        self.run(move || Process::spawn(command))
    }

    /// Starts a program that reads nothing and writes to a file.
    pub fn spawn_logged(&self, mut command: Command, log: &File) -> Result<Process> {
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        self.spawn(command)
    }

    /// Runs `work` on the machine's thread.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (sender, result) = mpsc::channel();
        let work: Work = Box::new(move || drop(sender.send(work())));
        let gone = || Error::msg("the machine has ended");
        self.work.as_ref().ok_or_else(gone)?.send(work).map_err(|_| gone())?;
        result.recv().map_err(|_| gone())?
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Ends all processes, and waits until the kernel has done so.
        drop(self.init.take());
        drop(self.work.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("the thread of a machine panicked");
        }
    }
}

/// Makes the calling thread a machine of its own.
fn enter(network: &File, parts: &Parts) -> Result<()> {
    setns(network, CloneFlags::CLONE_NEWNET).context("enter the network namespace")?;
    let own = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWPID;
    unshare(own).context("unshare (needs root)")?;
    parts.root.enter()
}
