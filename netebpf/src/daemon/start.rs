//! Brings the daemon up: takes over what is stored and what the last daemon left in the kernel.

use std::io;

use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{
    Daemon, Error, Host, Settings,
    engine::Engine,
    expiry, notify, sources,
    users_bridge::{BridgeError, adopt},
};
use crate::{
    kernel::{self, Kernel as _, LinuxKernel, watch},
    model::EngineOptions,
    store::{self, Store},
};

/// Events that may wait; clients wait when there are more.
const WAITING_EVENTS: usize = 64;

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The stored state cannot be had.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The kernel cannot be used.
    #[error(transparent)]
    Kernel(#[from] kernel::Error),
    /// Signals cannot be waited for.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    /// The bridge that the user named cannot be had.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    /// What the last daemon left cannot be taken over.
    #[error(transparent)]
    TakeOver(#[from] Error),
}

impl Daemon<LinuxKernel> {
    /// Opens state and kernel, and brings the kernel in step with what is stored.
    pub async fn start(settings: &Settings, options: EngineOptions) -> Result<Self, StartError> {
        let mut options = options;
        kernel::check_privileges()?;
        let store = Store::open(&settings.state_dir)?;
        let mut kernel = LinuxKernel::open(settings.clone())?;
        let notices = kernel.notices();
        if let Some(bridge) = options.default_bridge.as_mut().filter(|bridge| bridge.is_users) {
            adopt(bridge, kernel.observe().await?)?;
        }
        let mut daemon = Self::over(kernel, store, options)?;
        let events = daemon.engine.events();
        sources::signals(events.clone()).map_err(StartError::Signals)?;
        // Opened before the kernel is looked at, so that no change falls in between.
        tokio::spawn(sources::link_changes(watch::events(notices)?, events.clone()));
        tokio::spawn(sources::ticks(events));
        tokio::spawn(expiry::run(settings.clone()));
        daemon.take_over().await?;
        Ok(daemon)
    }
}

impl<H: Host> Daemon<H> {
    /// A daemon over a host and what is stored.
    pub(super) fn over(host: H, store: Store, options: EngineOptions) -> Result<Self, Error> {
        let (sender, events) = mpsc::channel(WAITING_EVENTS);
        Ok(Self { engine: Engine::new(host, store, options, sender)?, events, requests: 0 })
    }

    /// Brings commands and kernel in step with what is stored. What the kernel refuses is tried again later: a daemon
    /// that looks after most of a host is better than none.
    pub(super) async fn take_over(&mut self) -> Result<(), Error> {
        self.engine.ensure_predefined().await?;
        self.engine.adopt_commands().await?;
        self.engine.repair().await;
        self.engine.write_files();
        self.engine.publish_names().await;
        Ok(())
    }

    /// Tells whoever waits for it that requests are answered from now on.
    pub fn announce(&self) {
        let spec = self.engine.spec();
        info!(networks = spec.networks.len(), sandboxes = spec.sandboxes.len(), "ready");
        if let Err(error) = notify::ready() {
            warn!(%error, "cannot tell the service manager that the daemon is ready");
        }
    }
}
