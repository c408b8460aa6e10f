//! Requests that take their time: a sandbox is asked to end, waited for, and killed if it does not.
//!
//! All of this runs beside the loop, which only sends the signals.

use std::time::Duration;

use tokio::time::timeout;

use super::{Error, Follow, Handle, Request, Silence, Starter};
use crate::{
    change::{self, Happening, SandboxAction},
    model::{NetworkMode, Sandbox, SandboxId, SandboxState, Signal, Spec},
};

/// How long a killed process may take to be gone.
const DEATH: Duration = Duration::from_secs(10);

/// The exit code of a command whose end was missed.
const UNKNOWN_CODE: i32 = 255;

/// How a sandbox is to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopChoice {
    /// What it is asked with.
    pub signal: Signal,
    /// How long it may take before it is killed; for ever if none.
    pub patience: Option<Duration>,
}

/// Ten seconds after SIGTERM, as Docker.
impl Default for StopChoice {
    fn default() -> Self {
        Self { signal: Signal::TERM, patience: Some(Duration::from_secs(10)) }
    }
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitCondition {
    /// That the command does not run.
    NotRunning,
    /// That the command ends once more.
    NextExit,
    /// That the sandbox is gone.
    Removed,
}

/// Waits for a sandbox from the moment on that it was made.
#[derive(Debug)]
pub struct Waiting {
    handle: Handle,
    follow: Follow,
    sandbox: SandboxId,
    condition: WaitCondition,
    /// Of a command that does not run.
    code: Option<i32>,
}

impl Handle {
    /// Starts a sandbox's command in the background; false if it is there already.
    pub async fn start(&self, reference: &str) -> Result<bool, Error> {
        let starter = {
            let spec = self.spec();
            let sandbox = change::find_sandbox(&spec, reference)?;
            if sandbox.is_active() {
                return Ok(false);
            }
            match sandbox.mode {
                NetworkMode::Adopted(_) => Starter::Nobody(None),
                NetworkMode::Own(_) | NetworkMode::Host | NetworkMode::Container(_) => Starter::Daemon,
            }
        };
        self.ask(|reply| Request::StartSandbox(reference.to_owned(), starter, reply)).await?;
        Ok(true)
    }

    /// Stops a sandbox; false if its command does not run. It is stopped also if nobody waits for that.
    pub async fn stop(&self, reference: &str, choice: StopChoice) -> Result<bool, Error> {
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, reference)?;
        if !sandbox.is_running() {
            return Ok(false);
        }
        let (handle, sandbox) = (self.clone(), sandbox.clone());
        let stopped = tokio::spawn(async move { handle.end(&sandbox, choice).await });
        stopped.await.map_err(|_| Error::ShuttingDown)??;
        Ok(true)
    }

    /// Sends a signal to a sandbox's command, and waits for its end if it is SIGKILL.
    pub async fn kill(&self, reference: &str, signal: Signal) -> Result<(), Error> {
        let follow = self.follow();
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, reference)?;
        self.ask(|reply| Request::Signal(sandbox.id.to_string(), signal, reply)).await?;
        if signal == Signal::KILL { self.die(follow, sandbox).await } else { Ok(()) }
    }

    /// Stops a sandbox if its command runs, and starts it, also if nobody waits for that. One that is to go with its
    /// command stays.
    pub async fn restart(&self, reference: &str, choice: StopChoice) -> Result<(), Error> {
        let id = change::find_sandbox(&self.spec(), reference)?.id;
        let handle = self.clone();
        let restarted = tokio::spawn(async move { handle.begin_again(id, choice).await });
        restarted.await.map_err(|_| Error::ShuttingDown)?
    }

    async fn begin_again(&self, id: SandboxId, choice: StopChoice) -> Result<(), Error> {
        self.ask(|reply| Request::Retain(id, true, reply)).await?;
        let stopped = self.stop(&id.to_string(), choice).await;
        self.ask(|reply| Request::Retain(id, false, reply)).await?;
        stopped?;
        self.start(&id.to_string()).await?;
        if let Some(sandbox) = self.spec().sandboxes.get(&id) {
            self.tell(Happening::of_sandbox(sandbox, SandboxAction::Restart));
        }
        Ok(())
    }

    /// Begins to wait for a sandbox.
    pub fn wait(&self, reference: &str, condition: WaitCondition) -> Result<Waiting, Error> {
        let follow = self.follow();
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, reference)?;
        let code = match sandbox.state {
            SandboxState::Created => Some(0),
            SandboxState::Exited { code, .. } => Some(code),
            SandboxState::Starting(_) | SandboxState::Running { .. } => None,
        };
        Ok(Waiting { handle: self.clone(), follow, sandbox: sandbox.id, condition, code })
    }

    /// Asks a command that runs to end, and kills it if it does not in time.
    async fn end(&self, sandbox: &Sandbox, StopChoice { signal, patience }: StopChoice) -> Result<(), Error> {
        let mut follow = self.follow();
        // It may have ended by itself in the meantime.
        self.ask(|reply| Request::Signal(sandbox.id.to_string(), signal, reply)).await.or_else(is_gone)?;
        let ended = self.ended(&mut follow, sandbox);
        let in_time = match patience {
            Some(patience) => timeout(patience, ended).await.ok(),
            None => Some(ended.await),
        };
        match in_time {
            Some(ended) => ended?,
            None => self.kill(&sandbox.id.to_string(), Signal::KILL).await.or_else(is_gone)?,
        }
        self.tell(Happening::of_sandbox(sandbox, SandboxAction::Stop));
        Ok(())
    }

    /// Waits for the end of a command that was killed.
    async fn die(&self, mut follow: Follow, sandbox: &Sandbox) -> Result<(), Error> {
        let dead = timeout(DEATH, self.ended(&mut follow, sandbox)).await;
        dead.map_err(|_| Error::Undying)?
    }

    /// Waits until a command that runs does not any more; `follow` is from before it was asked to end.
    async fn ended(&self, follow: &mut Follow, sandbox: &Sandbox) -> Result<(), Error> {
        let is_same =
            |spec: &Spec| spec.sandboxes.get(&sandbox.id).is_some_and(|now| now.state == sandbox.state);
        while is_same(&self.spec()) {
            if follow.next().await == Err(Silence::Ended) {
                return Err(Error::ShuttingDown);
            }
        }
        Ok(())
    }
}

/// What does not run need not be killed.
fn is_gone(error: Error) -> Result<(), Error> {
    let is_gone = matches!(
        &error,
        Error::Change(change::Error::SandboxNotRunning(_) | change::Error::SandboxNotFound(_))
    );
    if is_gone { Ok(()) } else { Err(error) }
}

impl Waiting {
    /// Returns the exit code once what was waited for has come.
    pub async fn ended(mut self) -> Result<i32, Error> {
        if self.condition == WaitCondition::NotRunning
            && let Some(code) = self.code
        {
            return Ok(code);
        }
        loop {
            match self.follow.next().await {
                Ok(told) => match told.happening {
                    Happening::Sandbox { id, action: SandboxAction::Die { code, .. }, .. }
                        if id == self.sandbox =>
                    {
                        self.code = Some(code);
                        if self.condition != WaitCondition::Removed {
                            return Ok(code);
                        }
                    }
                    Happening::Sandbox { id, action: SandboxAction::Destroy, .. } if id == self.sandbox => {
                        return Ok(self.code.unwrap_or(UNKNOWN_CODE));
                    }
                    Happening::Sandbox { .. }
                    | Happening::Network { .. }
                    | Happening::NetworksPruned
                    | Happening::SandboxesPruned => {}
                },
                Err(Silence::Missed) => match self.handle.wait(&self.sandbox.to_string(), self.condition) {
                    Ok(again) if self.condition != WaitCondition::Removed && again.code.is_some() => {
                        return Ok(again.code.unwrap_or(UNKNOWN_CODE));
                    }
                    Ok(again) => self = again,
                    Err(_) => return Ok(self.code.unwrap_or(UNKNOWN_CODE)),
                },
                Err(Silence::Ended) => return Err(Error::ShuttingDown),
            }
        }
    }
}
