//! The commands of sandboxes: started, watched, gone.

use tracing::{info, warn};

use super::{Engine, Error, Event, Host, with_causes};
use crate::{
    change,
    model::{Process, SandboxId, SandboxState, Spec},
};

impl<H: Host> Engine<H> {
    /// Takes over the commands that ran when the last daemon ended: watches those that still do.
    pub(super) async fn adopt_commands(&mut self) -> Result<(), Error> {
        for sandbox in self.spec().sandboxes.values() {
            if let SandboxState::Running(process) = sandbox.state {
                if self.host.is_running(process) {
                    self.watch(sandbox.id, process);
                } else {
                    self.finish(sandbox.id, UNKNOWN_CODE).await?;
                }
            }
        }
        Ok(())
    }

    /// Starts the command of a new sandbox in the background; if that fails the sandbox goes again.
    pub(super) async fn start(&mut self, id: SandboxId) -> Result<(), Error> {
        let spec = self.spec();
        let Some(sandbox) = spec.sandboxes.get(&id) else { return Ok(()) };
        let started = self.host.start(sandbox);
        let recorded = started.and_then(|process| self.record_process(id, process));
        if let Err(error) = recorded {
            self.discard(id).await?;
            return Err(error);
        }
        Ok(())
    }

    /// Takes note that a client has started the command.
    pub(super) fn started(&mut self, reference: &str, pid: i32) -> Result<(), Error> {
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, reference)?;
        match sandbox.state {
            SandboxState::Created => {}
            SandboxState::Running(_) | SandboxState::Exited(_) => {
                return Err(Error::StartedAlready { name: sandbox.name.to_string() });
            }
        }
        let process = self.host.identify(pid).ok_or(Error::NoSuchProcess { pid })?;
        self.record_process(sandbox.id, process)
    }

    /// Takes note that the command a client had started has ended.
    pub(super) async fn ended(&mut self, reference: &str, code: i32) -> Result<(), Error> {
        let id = change::find_sandbox(&self.spec(), reference)?.id;
        self.finish(id, code).await
    }

    /// Takes note that a watched command has ended.
    pub(super) async fn sandbox_exited(&mut self, id: SandboxId, process: Process, code: i32) {
        let state = self.spec().sandboxes.get(&id).map(|sandbox| sandbox.state);
        if state == Some(SandboxState::Running(process))
            && let Err(error) = self.finish(id, code).await
        {
            warn!(%error, "cannot write down that the command has ended");
        }
    }

    /// Removes a sandbox, with all that runs in it if `force` is given.
    pub(super) async fn remove_sandbox(&mut self, reference: &str, force: bool) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        let id = change::remove_sandbox(&mut wanted, reference, force)?;
        self.kill_all(id);
        self.settle(wanted).await?;
        info!(sandbox = %id.short(), "sandbox removed");
        Ok(())
    }

    /// The command has ended: nothing else stays in the sandbox, and the sandbox keeps no place in the kernel.
    async fn finish(&mut self, id: SandboxId, code: i32) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        change::mark_exited(&mut wanted, id, code)?;
        info!(sandbox = %id.short(), code, "command ended");
        self.kill_all(id);
        self.settle(wanted).await
    }

    async fn discard(&mut self, id: SandboxId) -> Result<(), Error> {
        self.remove_sandbox(&id.to_string(), true).await
    }

    fn record_process(&mut self, id: SandboxId, process: Process) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        change::mark_running(&mut wanted, id, process)?;
        self.record(wanted)?;
        info!(sandbox = %id.short(), pid = process.pid, "command started");
        self.watch(id, process);
        Ok(())
    }

    fn watch(&self, sandbox: SandboxId, process: Process) {
        let exited = self.host.exited(process);
        let events = self.events();
        tokio::spawn(async move {
            let code = exited.await.unwrap_or_else(|error| {
                warn!(sandbox = %sandbox.short(), error = with_causes(&error), "cannot learn how the command ended");
                UNKNOWN_CODE
            });
            // The loop has ended when nobody receives this; the next daemon looks for itself.
            drop(events.send(Event::SandboxExited { sandbox, process, code }).await);
        });
    }

    fn kill_all(&mut self, id: SandboxId) {
        if let Err(error) = self.host.kill_all(id) {
            warn!(sandbox = %id.short(), error = with_causes(&error), "cannot end all processes of the sandbox");
        }
    }
}

/// The exit code of a command whose end nobody saw.
const UNKNOWN_CODE: i32 = 255;
