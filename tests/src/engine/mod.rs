//! How do tests run netebpf? As a user does: the daemon as a process on the host, everything else through its
//! command line.

use std::{
    fs::{self, OpenOptions},
    os::unix::{net::UnixStream, process::CommandExt as _},
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::{
    netns::Namespace,
    process::Process,
    residue::{self, Footprint},
    topology::{World, beside_this_program},
    wait,
};

mod command;

pub use command::Said;

/// netebpf on the host of one world; dropping it stops the daemon, cleans up and checks that nothing is left.
#[derive(Debug)]
pub struct Engine {
    world: Arc<World>,
    program: PathBuf,
    /// What follows `netebpf daemon`.
    options: Vec<String>,
    daemon: Mutex<Option<Process>>,
    before: Footprint,
    clean: bool,
}

impl Engine {
    /// Starts a daemon on the world's host and waits until it answers.
    pub fn start(world: Arc<World>) -> Result<Self> {
        Self::start_with(world, &[])
    }

    /// As [`Engine::start`], with options of `netebpf daemon`.
    pub fn start_with(world: Arc<World>, options: &[&str]) -> Result<Self> {
        let mut engine = Self::stopped(world)?;
        engine.set_options(options);
        engine.launch()?;
        Ok(engine)
    }

    /// Starts the next daemon with these options of `netebpf daemon`.
    pub fn set_options(&mut self, options: &[&str]) {
        self.options = options.iter().copied().map(str::to_owned).collect();
    }

    /// An engine whose daemon is not started yet.
    pub fn stopped(world: Arc<World>) -> Result<Self> {
        let program = beside_this_program("netebpf", "NETEBPF_BIN")?;
        let before = Footprint::of(&world)?;
        Ok(Self { world, program, options: Vec::new(), daemon: Mutex::default(), before, clean: false })
    }

    /// Starts the daemon, first or again, and waits until it answers.
    pub fn launch(&self) -> Result<()> {
        // Most scenarios name their networks; the default one would have the first subnet.
        let choices = ["--bridge", "--config-file"];
        let is_choice = |option: &String| choices.iter().any(|choice| option.starts_with(choice));
        let is_bridge_chosen = self.options.iter().any(is_choice);
        let bridge = (!is_bridge_chosen).then_some("--bridge=none");
        let options = self.options.iter().map(String::as_str).chain(bridge);
        let mut command = self.command(&["daemon"].into_iter().chain(options).collect::<Vec<_>>());
        let log = OpenOptions::new().create(true).append(true).open(self.log_file())?;
        // A group of its own: a Ctrl-C at the demo must not reach the daemon before the clean-up does.
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        *self.daemon() = Some(self.world.host.spawn(command)?);
        wait::until("the daemon answers", wait::LONG, || {
            let ended = self.daemon().as_mut().and_then(Process::ended);
            // The cheap question first: a command in each round would take the processor from the verifier.
            let listens = || UnixStream::connect(self.world.run_dir().join("netebpf.sock")).is_ok();
            let answers = || matches!(self.cli(&["status"]), Ok(Said { code: Some(0), .. }));
            (ended.is_some() || (listens() && answers())).then_some(ended)
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

    /// The network namespace of a sandbox, by the id that `netebpf run -d` printed.
    pub fn sandbox(&self, id: &str, name: &str) -> Result<Namespace> {
        Namespace::open(&self.world.run_dir().join("netns").join(id), name)
    }

    /// Everything the daemons of this engine have logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Stops the daemon, runs `netebpf cleanup` and fails if anything is left, or if the daemon has panicked
    /// before.
    pub fn clean_up(&mut self) -> Result<()> {
        self.clean = true;
        wait::shielded(|| {
            let running = self.daemon().as_mut().is_some_and(|daemon| daemon.ended().is_none());
            let stopped = if running { self.terminate() } else { Ok(()) };
            self.ok(&["cleanup", "--yes"])?;
            stopped?;
            ensure!(!self.log().contains("panicked at"), "the daemon panicked");
            residue::assert_nothing_left(&self.world, &self.before)
        })
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
