//! How do tests run netebpf? As a user does: the daemon as a process on the host, everything else through its command line.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    sched::{CloneFlags, setns},
    sys::signal::Signal,
};
use serde_json::Value;

use crate::{
    netns::Namespace,
    process::Process,
    residue::{self, Footprint},
    topology::{World, beside_this_program},
    wait,
};

/// netebpf on the host of one world; dropping it stops the daemon, cleans up and checks that nothing is left.
#[derive(Debug)]
pub struct Engine {
    world: Arc<World>,
    program: PathBuf,
    daemon: Mutex<Option<Process>>,
    before: Footprint,
    clean: bool,
}

/// What a command of netebpf said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What was typed, without the global options.
    pub command: String,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

impl Said {
    /// Standard output of a command that succeeded; otherwise its error.
    pub fn ok(self) -> Result<String> {
        match self.code {
            Some(0) => Ok(self.stdout),
            code => bail!("`netebpf {}` ended with {code:?}: {}", self.command, self.stderr.trim_end()),
        }
    }
}

impl Engine {
    /// Starts a daemon on the world's host and waits until it answers.
    pub fn start(world: Arc<World>) -> Result<Self> {
        let engine = Self::stopped(world)?;
        engine.launch()?;
        Ok(engine)
    }

    /// An engine whose daemon is not started yet.
    pub fn stopped(world: Arc<World>) -> Result<Self> {
        let program = beside_this_program("netebpf", "NETEBPF_BIN")?;
        let before = Footprint::of(&world)?;
        Ok(Self { world, program, daemon: Mutex::default(), before, clean: false })
    }

    /// Starts the daemon, first or again, and waits until it answers.
    pub fn launch(&self) -> Result<()> {
        let mut command = self.command(&["daemon"]);
        let log = OpenOptions::new().create(true).append(true).open(self.log_file())?;
        // A group of its own: a Ctrl-C at the demo must not reach the daemon before the clean-up does.
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        *self.daemon() = Some(self.world.host.spawn(command)?);
        wait::until("the daemon answers", wait::LONG, || {
            let ended = self.daemon().as_mut().and_then(Process::ended);
            let answers = || matches!(self.cli(&["status"]), Ok(Said { code: Some(0), .. }));
            (ended.is_some() || answers()).then_some(ended)
        })
        .and_then(|ended| ended.map_or(Ok(()), |status| bail!("the daemon ended at once, {status}")))
        .with_context(|| format!("its log ends with:\n{}", self.log_end()))
    }

    /// Ends the daemon as a crash would.
    pub fn kill(&self) -> Result<()> {
        self.end(Signal::SIGKILL)
    }

    /// Asks the daemon to end and waits until it has.
    pub fn terminate(&self) -> Result<()> {
        self.end(Signal::SIGTERM)
    }

    fn end(&self, signal: Signal) -> Result<()> {
        residue::note_bpf_links(&self.world);
        let mut daemon = self.daemon().take().context("the daemon is not running")?;
        daemon.signal(signal)?;
        daemon.wait(wait::LONG).map(drop)
    }

    /// Runs `netebpf ARGS` on the host.
    pub fn cli(&self, args: &[&str]) -> Result<Said> {
        self.finish(self.command(args), args)
    }

    /// Runs `netebpf ARGS` on the host as an unprivileged user, who may be unable to reach the build directory.
    pub fn cli_as(&self, user: u32, args: &[&str]) -> Result<Said> {
        let copy = self.world.directory().join("netebpf");
        fs::copy(&self.program, &copy)?;
        let original = self.command(args);
        let mut command = Command::new(copy);
        command.args(original.get_args()).uid(user).gid(user).current_dir("/");
        self.finish(command, args)
    }

    /// Runs `netebpf ARGS` on the host in the calling thread's mount namespace.
    pub fn cli_here(&self, args: &[&str]) -> Result<Said> {
        setns(self.world.host.file(), CloneFlags::CLONE_NEWNET)?;
        self.finish_by(self.command(args), args, Process::spawn)
    }

    /// Runs `netebpf ARGS` and gives its output; fails if it fails.
    pub fn ok(&self, args: &[&str]) -> Result<String> {
        self.cli(args)?.ok()
    }

    /// Runs `netebpf ARGS` and reads its output as JSON.
    pub fn json(&self, args: &[&str]) -> Result<Value> {
        let text = self.ok(args)?;
        serde_json::from_str(&text)
            .with_context(|| format!("`netebpf {}` said no JSON: {text}", args.join(" ")))
    }

    /// The network namespace of a sandbox, by the id that `netebpf run -d` printed.
    pub fn sandbox(&self, id: &str, name: &str) -> Result<Namespace> {
        Namespace::open(&self.world.run_dir().join("netns").join(id), name)
    }

    /// Everything the daemons of this engine have logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Stops the daemon, runs `netebpf cleanup` and fails if anything is left.
    pub fn clean_up(&mut self) -> Result<()> {
        self.clean = true;
        wait::shielded(|| {
            let running = self.daemon().as_mut().is_some_and(|daemon| daemon.ended().is_none());
            let stopped = if running { self.terminate() } else { Ok(()) };
            self.ok(&["cleanup", "--yes"])?;
            stopped?;
            residue::assert_nothing_left(&self.world, &self.before)
        })
    }

    /// The command line of `netebpf ARGS` with this world's directories.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (option, directory) in [
            ("--run-dir", self.world.run_dir()),
            ("--state-dir", self.world.state_dir()),
            ("--bpffs", self.world.bpffs()),
        ] {
            command.arg(option).arg(OsString::from(directory));
        }
        command.args(args);
        command
    }

    fn finish(&self, command: Command, args: &[&str]) -> Result<Said> {
        self.finish_by(command, args, |command| self.world.host.spawn(command))
    }

    fn finish_by(
        &self,
        command: Command,
        args: &[&str],
        spawn: impl FnOnce(Command) -> Result<Process>,
    ) -> Result<Said> {
        let mut command = command;
        let output = Scratch::new(&self.world, "out")?;
        let errors = Scratch::new(&self.world, "err")?;
        // Files, not pipes: a sandbox's command that kept a pipe open would make the caller wait for its end.
        command.stdin(Stdio::null()).stdout(output.file()?).stderr(errors.file()?);
        let start = Instant::now();
        let status = spawn(command)?.wait(wait::LONG)?;
        let took = start.elapsed();
        let (stdout, stderr) = (output.text()?, errors.text()?);
        Ok(Said { command: args.join(" "), code: status.code(), stdout, stderr, took })
    }

    fn daemon(&self) -> MutexGuard<'_, Option<Process>> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_file(&self) -> PathBuf {
        self.world.directory().join("daemon.log")
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().rev().take(30).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.clean {
            return;
        }
        match self.clean_up() {
            Err(error) if !thread::panicking() => {
                panic!("{error:#}\nthe daemon's log ends with:\n{}", self.log_end())
            }
            Err(error) => eprintln!("{error:#}\nthe daemon's log ends with:\n{}", self.log_end()),
            Ok(()) => {}
        }
    }
}

/// A file for one output of one command.
struct Scratch(PathBuf);

impl Scratch {
    fn new(world: &World, kind: &str) -> Result<Self> {
        let thread = format!("{:?}", thread::current().id());
        let scratch = Self(world.directory().join(format!("{kind}-{thread}")));
        File::create(&scratch.0)?;
        Ok(scratch)
    }

    fn file(&self) -> Result<File> {
        Ok(OpenOptions::new().append(true).open(&self.0)?)
    }

    fn text(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.0)?).into_owned())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}
