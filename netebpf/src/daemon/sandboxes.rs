//! Sandboxes and their commands: made, started, watched, gone.

use tracing::{info, warn};

use super::{Engine, Error, Event, Host, Prepared, Starter, engine::now, with_causes};
use crate::{
    change::{self, Happening, SandboxAction, SandboxRequest},
    model::{NetworkMode, Process, Sandbox, SandboxId, SandboxState, Signal, Spec},
};

impl<H: Host> Engine<H> {
    /// Takes over the sandboxes that were active when the last daemon ended: those that still live are watched.
    pub(super) async fn adopt_commands(&mut self) -> Result<(), Error> {
        let has_rebooted = self.note_boot()?;
        let active: Vec<_> =
            self.spec().active_sandboxes().map(|sandbox| (sandbox.id, sandbox.process())).collect();
        for (id, process) in active {
            let lives = process.is_none_or(|process| self.host.is_running(process));
            match process {
                _ if has_rebooted || !lives => self.finish(id, UNKNOWN_CODE).await?,
                Some(process) => self.watch(id, process),
                None => {}
            }
        }
        Ok(())
    }

    /// Makes a sandbox and starts it if somebody is to; if that fails nothing of it is left.
    pub(super) async fn create_sandbox(
        &mut self,
        request: SandboxRequest,
        starter: Option<Starter>,
    ) -> Result<Prepared, Error> {
        if let change::ModeRequest::Adopted(path) = &request.mode {
            self.host.check_namespace(path).map_err(Error::kernel)?;
        }
        let process = starter.map(|starter| self.starting_process(starter)).transpose()?;
        let create = |spec: &mut Spec, context: &mut change::Context<'_>| {
            let id = change::create_sandbox(spec, request, context)?;
            if let Some(process) = process {
                change::start_sandbox(spec, &id.to_string(), process, context)?;
            }
            Ok(id)
        };
        let id = self.commit(create).await?;
        info!(sandbox = %id.short(), "sandbox created");
        if let Some((starter, process)) = starter.zip(process)
            && let Err(error) = self.launch(id, starter, process)
        {
            self.discard(id).await?;
            return Err(error);
        }
        self.prepared(id)
    }

    /// Starts a sandbox that is there; if that fails it is as it was.
    pub(super) async fn start_sandbox(
        &mut self,
        reference: &str,
        starter: Starter,
    ) -> Result<Prepared, Error> {
        let process = self.starting_process(starter)?;
        if let NetworkMode::Adopted(path) = &change::find_sandbox(&self.spec(), reference)?.mode {
            self.host.check_namespace(path).map_err(Error::kernel)?;
        }
        let id =
            self.commit(|spec, context| change::start_sandbox(spec, reference, process, context)).await?;
        if let Err(error) = self.launch(id, starter, process) {
            self.finish(id, UNKNOWN_CODE).await?;
            return Err(error);
        }
        self.prepared(id)
    }

    fn prepared(&self, id: SandboxId) -> Result<Prepared, Error> {
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, &id.to_string())?;
        let config = &sandbox.config;
        let discards =
            sandbox.mode == NetworkMode::Host && (config.publish_all || !config.publish.is_empty());
        let warnings = discards.then(|| DISCARDED_PORTS.to_owned()).into_iter().collect();
        Ok(Prepared { id, launch: self.host.launch(&spec, sandbox), warnings })
    }

    /// Takes note that a client has started the command.
    pub(super) fn started(&mut self, reference: &str, pid: i32) -> Result<(), Error> {
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, reference)?;
        match sandbox.state {
            SandboxState::Starting(_) => {}
            SandboxState::Created | SandboxState::Running { .. } | SandboxState::Exited { .. } => {
                return Err(Error::StartedAlready { name: sandbox.name.to_string() });
            }
        }
        let process = self.host.identify(pid).ok_or(Error::NoSuchProcess { pid })?;
        self.record_process(sandbox.id, Some(process))
    }

    /// Takes note that the command a client had started has ended. The client may be late, and another one run by now.
    pub(super) async fn ended(&mut self, reference: &str, code: i32) -> Result<(), Error> {
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, reference)?;
        let runs = sandbox.process().is_some_and(|process| self.host.is_running(process));
        if sandbox.is_running() && runs { Ok(()) } else { self.finish(sandbox.id, code).await }
    }

    /// Takes note that a watched process has ended.
    pub(super) async fn sandbox_exited(&mut self, id: SandboxId, process: Process, code: i32) {
        let lived_by = self.spec().sandboxes.get(&id).and_then(Sandbox::process);
        if lived_by == Some(process)
            && let Err(error) = self.finish(id, code).await
        {
            warn!(%error, "cannot write down that the command has ended");
        }
    }

    /// Sends a signal to a sandbox's command. An adopted namespace without a process of ours is let go at once.
    pub(super) async fn signal(&mut self, reference: &str, signal: Signal) -> Result<(), Error> {
        let spec = self.spec();
        let sandbox = change::find_sandbox(&spec, reference)?;
        if !sandbox.is_running() {
            return Err(change::Error::SandboxNotRunning(sandbox.id).into());
        }
        match (&sandbox.mode, sandbox.process()) {
            (NetworkMode::Adopted(_), _) | (_, None) => self.finish(sandbox.id, 0).await,
            (NetworkMode::Own(_) | NetworkMode::Host | NetworkMode::Container(_), Some(process)) => {
                self.host.signal(process, signal).map_err(Error::kernel)?;
                self.chronicle.tell([Happening::of_sandbox(sandbox, SandboxAction::Kill(signal))]);
                Ok(())
            }
        }
    }

    /// Removes a sandbox, with all that runs in it if `force` is given.
    pub(super) async fn remove_sandbox(&mut self, reference: &str, force: bool) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        let id = change::find_sandbox(&wanted, reference)?.id;
        if force && let Some(sandbox) = wanted.sandboxes.get(&id).filter(|sandbox| sandbox.is_active()) {
            let killed = sandbox.is_running().then_some(SandboxAction::Kill(Signal::KILL));
            self.chronicle.tell(killed.map(|action| Happening::of_sandbox(sandbox, action)));
            self.finish(id, KILLED_CODE).await?;
            wanted = Spec::clone(&self.spec());
        }
        // One that is to go with its command has gone.
        if wanted.sandboxes.contains_key(&id) {
            change::remove_sandbox(&mut wanted, reference, force)?;
            self.settle(wanted).await?;
        }
        info!(sandbox = %id.short(), "sandbox removed");
        Ok(())
    }

    /// The command has ended: nothing else stays in the sandbox, and the sandbox keeps no place in the kernel. Those
    /// that share its namespace end with it.
    async fn finish(&mut self, id: SandboxId, code: i32) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        let (mut ending, mut ended) = (vec![(id, code)], Vec::new());
        while let Some((id, code)) = ending.pop() {
            if let Some(sandbox) = self.spec().sandboxes.get(&id) {
                self.kill_all(sandbox);
            }
            let sharing = change::mark_exited(&mut wanted, id, code, now())?;
            info!(sandbox = %id.short(), code, "command ended");
            ending.extend(sharing.into_iter().map(|sharing| (sharing, KILLED_CODE)));
            ended.push(id);
        }
        ended.retain(|id| {
            let sandbox = wanted.sandboxes.get(id);
            sandbox.is_some_and(|sandbox| sandbox.config.auto_remove) && !self.retained.contains(id)
        });
        if ended.is_empty() {
            return self.settle(wanted).await;
        }
        // Everybody sees how they ended, also those that go with their command.
        let before = wanted.clone();
        for id in ended {
            change::remove_sandbox(&mut wanted, &id.to_string(), false)?;
        }
        self.settle_after(Some(before), wanted).await
    }

    /// Takes note whether a sandbox is to stay when its command ends, though it is to go with it.
    pub(super) fn retain(&mut self, id: SandboxId, retain: bool) {
        if retain {
            self.retained.insert(id);
        } else {
            self.retained.remove(&id);
        }
    }

    async fn discard(&mut self, id: SandboxId) -> Result<(), Error> {
        self.remove_sandbox(&id.to_string(), true).await
    }

    /// The process that the sandbox lives as long as until its command runs.
    fn starting_process(&self, starter: Starter) -> Result<Process, Error> {
        let pid = match starter {
            Starter::Daemon | Starter::Nobody(None) => std::process::id().cast_signed(),
            Starter::Client(pid) | Starter::Nobody(Some(pid)) => pid,
        };
        self.host.identify(pid).ok_or(Error::NoSuchProcess { pid })
    }

    /// Starts the command, or sees to it that somebody does.
    fn launch(&mut self, id: SandboxId, starter: Starter, process: Process) -> Result<(), Error> {
        let spec = self.spec();
        let Some(sandbox) = spec.sandboxes.get(&id) else { return Ok(()) };
        self.check_files(&spec, sandbox)?;
        match starter {
            Starter::Daemon => {
                let process = self.host.start(id, &self.host.launch(&spec, sandbox))?;
                self.record_process(id, Some(process))
            }
            Starter::Client(_) => {
                self.watch(id, process);
                Ok(())
            }
            Starter::Nobody(pid) => self.record_process(id, pid.map(|_| process)),
        }
    }

    fn record_process(&mut self, id: SandboxId, process: Option<Process>) -> Result<(), Error> {
        let mut wanted = Spec::clone(&self.spec());
        change::mark_running(&mut wanted, id, process, now())?;
        self.record(wanted)?;
        info!(sandbox = %id.short(), pid = process.map(|process| process.pid), "command started");
        if let Some(process) = process {
            self.watch(id, process);
        }
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

    fn kill_all(&mut self, sandbox: &Sandbox) {
        if let Err(error) = self.host.kill_all(sandbox) {
            warn!(sandbox = %sandbox.id.short(), error = with_causes(&error), "cannot end all processes of the sandbox");
        }
    }
}

/// Who is in the host's network needs no ports published.
const DISCARDED_PORTS: &str = "Published ports are discarded when using host network mode";

/// The exit code of a command whose end nobody saw.
const UNKNOWN_CODE: i32 = 255;

/// The exit code of a command that was killed, as shells count.
const KILLED_CODE: i32 = 137;
