//! The daemon: one loop that owns the spec, the store and the kernel, and takes one event after the other.
//!
//! A request changes a copy of the spec, the copy is stored, the kernel is driven to it. If that fails, the spec as
//! it was is stored again and the kernel driven back. Whatever else happens (a link changes, a command ends, time
//! passes) is answered by a full reconcile; there is no incremental path.

mod answer;
mod chronicle;
mod engine;
mod error;
mod expiry;
mod files;
mod host;
mod log_times;
mod names;
mod notify;
mod observer;
mod refusal;
mod request;
mod sandboxes;
mod sources;
mod start;
mod status;
mod stop;
#[cfg(test)]
mod tests;
mod top;
mod users_bridge;

use std::ops::ControlFlow;

use tokio::sync::mpsc;
use tracing::{Instrument as _, info, info_span};

use crate::model::{Process, SandboxId};

pub use crate::kernel::launch::{Launch, Place};
pub use crate::kernel::{
    FeatureStatus, Machine, ProgramStatus, Settings, TableSize, flows::Connection, hostname, kernel_release,
    link_name, process::Listed,
};

pub use chronicle::{Follow, Silence, Told};
pub use error::{Error, with_causes};
pub use host::Host;
pub use log_times::{Times, follow_logs};
pub use observer::{Follower, News, Observer};
pub use request::{Handle, Prepared, Reply, Request, Starter};
pub use start::StartError;
pub use status::{Asked, DataPlane, Status};
pub use stop::{StopChoice, WaitCondition, Waiting};
pub use users_bridge::BridgeError;

use engine::Engine;

/// What can happen to the daemon.
#[derive(Debug)]
pub enum Event {
    /// A client asks for something.
    Request(Request),
    /// Links, addresses or routes of the host have changed.
    LinkChanged,
    /// The command of a sandbox has ended.
    SandboxExited {
        /// The sandbox.
        sandbox: SandboxId,
        /// The command's process; a later one of the same sandbox is not meant.
        process: Process,
        /// Its exit code.
        code: i32,
    },
    /// Time has passed.
    Tick,
    /// The daemon is to end.
    Shutdown,
}

/// A daemon that owns its host's networks and only needs to be run.
pub struct Daemon<H> {
    engine: Engine<H>,
    events: mpsc::Receiver<Event>,
    requests: u64,
}

impl<H: Host> Daemon<H> {
    /// How requests reach the daemon.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.engine.handle()
    }

    /// Takes events until one of them is [`Event::Shutdown`].
    pub async fn run(&mut self) {
        while let Some(event) = self.events.recv().await {
            if self.take(event).await.is_break() {
                break;
            }
        }
        self.engine.chronicle.close();
        info!("the daemon ends; networks, sandboxes and connections stay");
    }

    async fn take(&mut self, event: Event) -> ControlFlow<()> {
        let engine = &mut self.engine;
        match event {
            Event::Request(request) => {
                self.requests += 1;
                let span = info_span!("request", id = self.requests, name = request.name());
                engine.answer(request).instrument(span).await;
            }
            Event::LinkChanged => engine.repair().instrument(info_span!("link_changed")).await,
            Event::Tick => engine.look_again().instrument(info_span!("tick")).await,
            Event::SandboxExited { sandbox, process, code } => {
                let span = info_span!("sandbox_exited", sandbox = %sandbox.short());
                engine.sandbox_exited(sandbox, process, code).instrument(span).await;
            }
            Event::Shutdown => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }
}
