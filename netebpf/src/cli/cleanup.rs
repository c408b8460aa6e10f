//! `netebpf cleanup`: removes every trace of an engine whose daemon has ended.

use std::io::{self, IsTerminal as _};

use super::{Error, Output, args::CleanupArgs, confirm};
use crate::{
    frontend::Socket,
    kernel::{self, Settings, cleanup::cleanup},
    model::{Process, SandboxId},
    store::Store,
};

pub(super) async fn run(args: &CleanupArgs, settings: &Settings, output: &mut Output) -> Result<(), Error> {
    let socket = settings.socket();
    if Socket::answers(&socket) {
        return Err(kernel::Error::DaemonRunning { socket }.into());
    }
    if !args.yes && !io::stdin().is_terminal() {
        return Err(Error::NotConfirmed);
    }
    if !args.yes && !confirm::confirmed(&warning(settings), output)? {
        return Ok(output.line("nothing was removed")?);
    }
    let removed = cleanup(settings, &commands(settings)).await?;
    if removed.is_empty() {
        return Ok(output.line("nothing to remove")?);
    }
    Ok(removed.iter().try_for_each(|thing| output.line(format_args!("removed {thing}")))?)
}

/// The commands of sandboxes in the host's network or in another sandbox's, as far as the state can be read.
fn commands(settings: &Settings) -> Vec<(SandboxId, Process)> {
    let spec = Store::read(&settings.state_dir).unwrap_or_default();
    let without_namespace = spec.active_sandboxes().filter(|sandbox| !sandbox.has_namespace());
    without_namespace.filter_map(|sandbox| Some((sandbox.id, sandbox.process()?))).collect()
}

fn warning(settings: &Settings) -> String {
    let Settings { run_dir, state_dir, bpffs } = settings;
    format!(
        "This ends all sandboxes and removes the networks, programs and state of the engine in\n  {}\n  {}\n  {}",
        run_dir.display(),
        state_dir.display(),
        bpffs.display()
    )
}
