//! Runs commands of netebpf and keeps what they said.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, setns};
use serde_json::Value;

use super::Engine;
use crate::{process::Process, topology::World, wait};

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
    /// Runs `netebpf ARGS` on the host.
    pub fn cli(&self, args: &[&str]) -> Result<Said> {
        self.finish(self.command(args), args)
    }

    /// Runs `netebpf ARGS` on the host as an unprivileged user, who may be unable to reach the build
    /// directory.
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
        let status = spawn(command)?.wait(wait::LONG);
        let took = start.elapsed();
        let (stdout, stderr) = (output.text()?, errors.text()?);
        let command = args.join(" ");
        let code = status.with_context(|| format!("`netebpf {command}` said {stdout}{stderr}"))?.code();
        Ok(Said { command, code, stdout, stderr, took })
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
