//! A child process that never outlives its owner.

use std::{
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::wait;

/// A running child; killed when dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a program from the calling thread, in that thread's namespaces.
    pub fn spawn(command: Command) -> Result<Self> {
        let mut command = command;
        let child = command.spawn().with_context(|| format!("start {}", command.get_program().display()))?;
        Ok(Self(child))
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill(self.pid(), signal).with_context(|| format!("send {signal} to {}", self.pid()))
    }

    /// Waits until it has ended and gives its status.
    pub fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        wait::until(&format!("process {} ends", self.pid()), deadline, || self.ended())
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().cast_signed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let ended = match self.ended() {
            Some(_) => Ok(()),
            None => self.0.kill().and_then(|()| self.0.wait().map(drop)),
        };
        if let Err(error) = ended {
            eprintln!("kill process {}: {error}", self.pid());
        }
    }
}
