//! What the loop can be asked, and how it answers.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::{Error, Event, Follow, Status, chronicle::Chronicle};
use crate::{
    change::{Happening, NetworkRequest, PruneChoice, SandboxRequest},
    dns::Resolver,
    kernel::launch::Launch,
    model::{EndpointSettings, Name, NetworkId, SandboxId, Signal, Spec},
    plan::Action,
};

/// Where the answer goes.
pub type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A request to the loop. References are names, ids or unique beginnings of ids.
#[derive(Debug)]
pub enum Request {
    /// Makes a network.
    CreateNetwork(NetworkRequest, Reply<NetworkId>),
    /// Removes a network without endpoints.
    RemoveNetwork(String, Reply<()>),
    /// Removes networks that nobody uses, and tells their names.
    PruneNetworks(PruneChoice, Reply<Vec<Name>>),
    /// Joins a sandbox to a network.
    Connect {
        /// The network.
        network: String,
        /// The sandbox.
        sandbox: String,
        /// What it wishes there.
        settings: Box<EndpointSettings>,
        /// Where the answer goes.
        reply: Reply<()>,
    },
    /// Takes a sandbox out of a network.
    Disconnect {
        /// The network.
        network: String,
        /// The sandbox.
        sandbox: String,
        /// Even if the network is gone.
        force: bool,
        /// Where the answer goes.
        reply: Reply<()>,
    },
    /// Makes a sandbox, and starts it if somebody is to.
    CreateSandbox(Box<SandboxRequest>, Option<Starter>, Reply<Prepared>),
    /// Starts a sandbox.
    StartSandbox(String, Starter, Reply<Prepared>),
    /// Gives a sandbox another name.
    RenameSandbox(String, Name, Reply<()>),
    /// Removes sandboxes whose command does not run, and tells their identifiers.
    PruneSandboxes(PruneChoice, Reply<Vec<SandboxId>>),
    /// Whether a sandbox is to stay when its command ends, though it is to go with it: it will be started again.
    Retain(SandboxId, bool, Reply<()>),
    /// Sends a signal to a sandbox's command.
    Signal(String, Signal, Reply<()>),
    /// A client has started the command of a sandbox as this process.
    Started(String, i32, Reply<()>),
    /// The command that a client had started has ended with this exit code.
    Ended(String, i32, Reply<()>),
    /// Removes a sandbox, a running one only by force.
    RemoveSandbox {
        /// The sandbox.
        reference: String,
        /// Kill what runs in it.
        force: bool,
        /// Where the answer goes.
        reply: Reply<()>,
    },
    /// Tells what the data plane runs and has counted.
    Status(Reply<Status>),
    /// Tells what a reconcile would change.
    Plan(Reply<Vec<Action>>),
}

/// Who starts the command of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// The daemon does, in the background.
    Daemon,
    /// This client does, on its own terminal.
    Client(i32),
    /// Nobody: the namespace is adopted, and let go when this process ends, if one is given.
    Nobody(Option<i32>),
}

/// A sandbox, and how its command is started if the client is to do that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The sandbox.
    pub id: SandboxId,
    /// How its command is started.
    pub launch: Launch,
    /// What the user should know, in Docker's words.
    pub warnings: Vec<String>,
}

impl Request {
    /// What the log calls it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CreateNetwork(..) => "create_network",
            Self::RemoveNetwork(..) => "remove_network",
            Self::PruneNetworks(..) => "prune_networks",
            Self::Connect { .. } => "connect",
            Self::Disconnect { .. } => "disconnect",
            Self::CreateSandbox(..) => "create_sandbox",
            Self::StartSandbox(..) => "start_sandbox",
            Self::RenameSandbox(..) => "rename_sandbox",
            Self::PruneSandboxes(..) => "prune_sandboxes",
            Self::Retain(..) => "retain",
            Self::Signal(..) => "signal",
            Self::Started(..) => "started",
            Self::Ended(..) => "ended",
            Self::RemoveSandbox { .. } => "remove_sandbox",
            Self::Status(_) => "status",
            Self::Plan(_) => "plan",
        }
    }
}

/// The loop as others see it.
#[derive(Debug, Clone)]
pub struct Handle {
    events: mpsc::Sender<Event>,
    spec: watch::Receiver<Arc<Spec>>,
    chronicle: Chronicle,
    resolver: Arc<Resolver>,
}

impl Handle {
    pub(super) const fn new(
        events: mpsc::Sender<Event>,
        spec: watch::Receiver<Arc<Spec>>,
        chronicle: Chronicle,
        resolver: Arc<Resolver>,
    ) -> Self {
        Self { events, spec, chronicle, resolver }
    }

    /// Puts a request to the loop and waits for the answer: `handle.ask(Request::Status)`.
    pub async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Request(request(reply))).await.map_err(|_| Error::ShuttingDown)?;
        answer.await.map_err(|_| Error::ShuttingDown)?
    }

    /// What users have asked for and got; reading it does not wait for the loop.
    #[must_use]
    pub fn spec(&self) -> Arc<Spec> {
        self.spec.borrow().clone()
    }

    /// What answers the queries of sandboxes.
    #[must_use]
    pub fn resolver(&self) -> &Arc<Resolver> {
        &self.resolver
    }

    /// Learns of what happens from now on, and of what has happened lately.
    #[must_use]
    pub fn follow(&self) -> Follow {
        self.chronicle.follow()
    }

    pub(super) fn tell(&self, happening: Happening) {
        self.chronicle.tell([happening]);
    }
}
