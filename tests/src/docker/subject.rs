//! How does an engine get commands as a user types them? Through Docker's client in a shell on the engine's machine.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    net::Ipv4Addr,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use hickory_proto::op::ResponseCode;
use nix::sys::signal::Signal;

use super::{
    Release,
    machine::{Machine, Parts},
};
use crate::{
    dns::{Elsewhere, Manner},
    netns::Namespace,
    process::Process,
    topology::{SERVER, World, beside_this_program},
    wait,
};

/// The one shell that both have.
const SHELL: &str = "/bin/sh";

/// Longer than any engine waits for a container to stop.
const STEP: Duration = Duration::from_secs(40);

/// What the image of all containers is called.
pub const IMAGE: &str = "busybox";

/// Makes the image from the one program that needs no libraries, and the client of name servers with what it needs. Names
/// of applets are links, as busybox wants them.
const MAKE_IMAGE: &str = "\
set -e; mkdir -p /tmp/image/bin; cd /tmp/image; cp /bin/busybox bin/
for name in $(/bin/busybox --list); do [ $name = busybox ] || ln -s busybox bin/$name; done
mkdir -p tmp etc root proc sys dev var/www
probe=/usr/local/bin/netebpf-probe
for file in $probe $(ldd $probe | grep -o '/[^ ]*'); do mkdir -p .${file%/*}; cp $file .$file; done
tar -c . | docker import - busybox; cd /; rm -r /tmp/image";

/// Where both engines find the names that they do not know themselves; each machine names it in its resolv.conf.
const NAME_SERVER: Ipv4Addr = SERVER;

/// What that server knows.
const NAMES: Manner = Manner::ByName(&[
    ("example.org", Manner::Knows(Ipv4Addr::new(192, 0, 2, 7))),
    ("single", Manner::Knows(Ipv4Addr::new(192, 0, 2, 8))),
    ("many.example.org", Manner::KnowsMany(100)),
    ("empty.example.org", Manner::KnowsMany(0)),
    ("failing.example.org", Manner::Says(ResponseCode::ServFail)),
    ("refusing.example.org", Manner::Says(ResponseCode::Refused)),
    ("unable.example.org", Manner::Says(ResponseCode::NotImp)),
]);

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The Docker Engine of the release: what it says is right.
    Docker,
    /// Ours.
    Netebpf,
}

/// What a step said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A running engine, on a machine and in a world of its own.
#[derive(Debug)]
pub struct Subject {
    engine: Engine,
    // Dropped in this order: the processes of the machine keep the world's namespaces.
    daemon: Option<Process>,
    machine: Machine,
    log: PathBuf,
    scratch: PathBuf,
    _names: Elsewhere,
    world: Arc<World>,
}

impl Engine {
    /// Its name, which is also that of its own program.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Netebpf => "netebpf",
        }
    }

    const fn socket(self) -> &'static str {
        match self {
            Self::Docker => "/run/docker.sock",
            Self::Netebpf => "/run/netebpf/docker.sock",
        }
    }

    /// The daemon's command line.
    fn daemon(self, group: &str) -> Command {
        match self {
            Self::Docker => {
                let mut command = Command::new("/usr/sbin/dockerd");
                command
                    .arg(format!("--host=unix://{}", self.socket()))
                    .arg(format!("--cgroup-parent={group}"));
                command
            }
            Self::Netebpf => {
                let mut command = Command::new("/usr/local/bin/netebpf");
                command.arg("daemon");
                command
            }
        }
    }
}

impl Subject {
    /// Makes a machine with the release's files and starts an engine on it.
    pub fn start(engine: Engine, release: Release) -> Result<Self> {
        let world = Arc::new(World::new(engine.name())?);
        let names = Elsewhere::start(&world.server, NAME_SERVER, NAMES)?;
        let id =
            world.directory().file_name().context("the world has no name")?.to_string_lossy().into_owned();
        let mut parts = Parts::new("machine", release.root()?)
            .file("/etc/resolv.conf", format!("nameserver {NAME_SERVER}\nsearch example.org\n"))
            .program(beside_this_program("netebpf-probe", "NETEBPF_PROBE")?, "netebpf-probe");
        if engine == Engine::Netebpf {
            parts = parts.program(beside_this_program("netebpf", "NETEBPF_BIN")?, "netebpf");
        }
        let machine = Machine::start(&world.host, &id, parts)?;
        let (log, scratch) = (world.directory().join("engine.log"), world.directory().join("said"));
        let mut subject = Self { engine, daemon: None, machine, log, scratch, _names: names, world };
        subject.launch()?;
        if engine == Engine::Docker {
            let made = subject.run(MAKE_IMAGE)?;
            ensure!(made.code == Some(0), "no image could be made: {made:?}");
        }
        Ok(subject)
    }

    /// Starts the engine's daemon, first or again, and waits until it answers.
    pub fn launch(&mut self) -> Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let daemon = self.engine.daemon(&self.machine.control_group());
        let daemon = self.daemon.insert(self.machine.spawn_logged(daemon, &log)?);
        let machine = &self.machine;
        let socket = self.engine.socket();
        wait::until("the engine answers", wait::LONG, || {
            let ended = daemon.ended();
            let listens =
                || machine.run(move || Ok(std::os::unix::net::UnixStream::connect(socket)?)).is_ok();
            (ended.is_some() || listens()).then_some(ended)
        })
        .and_then(|ended| ended.map_or(Ok(()), |status| bail!("the engine ended at once, {status}")))
        .and_then(|()| {
            let answer = self.run("docker version --format '{{.Server.Version}}'")?;
            ensure!(answer.code == Some(0), "the engine does not answer: {answer:?}");
            Ok(())
        })
        .with_context(|| format!("{}'s log ends with:\n{}", self.engine.name(), self.log_end()))
    }

    /// Ends the daemon as its service manager would, and waits until it has ended.
    pub fn terminate(&mut self) -> Result<()> {
        let mut daemon = self.daemon.take().context("the engine is not running")?;
        daemon.signal(Signal::SIGTERM)?;
        daemon.wait(wait::LONG).map(drop)
    }

    /// Which engine it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The machines of this engine's world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Runs a line in a shell on the engine's machine, where Docker's client finds the engine.
    pub fn run(&self, line: &str) -> Result<Said> {
        let [mut stdout, mut stderr] = [self.scratch()?, self.scratch()?];
        let mut command = Command::new(SHELL);
        command.arg("-c").arg(line).env("DOCKER_HOST", format!("unix://{}", self.engine.socket()));
        // Files, not pipes: a container's command that kept a pipe open would make the caller wait for its end.
        command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
        let status = self.machine.spawn(command)?.wait(STEP);
        let [stdout, stderr] = [text(&mut stdout)?, text(&mut stderr)?];
        let code = status.with_context(|| format!("`{line}` said {stdout}{stderr}"))?.code();
        Ok(Said { code, stdout, stderr })
    }

    /// The network namespace of a container that runs.
    pub fn namespace(&self, container: &str) -> Result<Namespace> {
        let said = self.run(&format!("docker inspect -f '{{{{.State.Pid}}}}' {container}"))?;
        let pid: u32 =
            said.stdout.trim().parse().with_context(|| format!("no pid of {container}: {said:?}"))?;
        let name = container.to_owned();
        self.machine.run(move || Namespace::open(&PathBuf::from(format!("/proc/{pid}/ns/net")), &name))
    }

    /// The end of what the engine has logged.
    #[must_use]
    pub fn log_end(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(30).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// A file without a name.
    fn scratch(&self) -> Result<File> {
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(&self.scratch)?;
        fs::remove_file(&self.scratch)?;
        Ok(file)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if self.daemon.is_some()
            && let Err(error) = wait::shielded(|| self.terminate())
        {
            eprintln!("stop {}: {error:#}", self.engine.name());
        }
    }
}

fn text(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
